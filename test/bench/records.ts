/** How fast recordings are read and decided again: commands a second in this process, on a file made of a real session. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decideOnly } from '../../bin/replay/decide-only.js';
import { REPLAY_DEFAULTS, rangeOf } from '../../bin/replay/flags.js';
import { compileConfig } from '../../src/mesh/compile.js';
import { decide } from '../../src/mesh/decide.js';
import { seededRng } from '../../src/mesh/rng.js';
import { RecordedCommand } from '../../src/recording/command.js';
import { openRecording } from '../../src/recording/reader.js';
import { RECORDINGS } from '../helpers/record-files.js';

const SESSION = path.join(RECORDINGS, 'session.rmtop');

/** Commands a second, by what is done with them; of `count` commands. */
export async function recordFigures(count: number): Promise<Readonly<Record<string, number>>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-bench-'));
  try {
    const file = path.join(folder, 'a.rmtop');
    writeFileSync(file, longer(readFileSync(SESSION, 'utf8').trimEnd().split('\n'), count));
    const perSecond = async (work: () => unknown): Promise<number> => {
      await work(); // once to get warm
      const started = performance.now();
      await work();
      return Math.round((count * 1000) / (performance.now() - started));
    };
    const deciding = await decidesOf(SESSION);
    return {
      'reading a recording': await perSecond(() => readAll(file)),
      decide: await perSecond(() => deciding(count)),
      '--decide-only over a recording': await perSecond(() =>
        decideOnly(file, rangeOf(REPLAY_DEFAULTS), (recorded) => recorded, false),
      ),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The lines of a recording, its commands again and again under new numbers. */
function longer(lines: readonly string[], count: number): string {
  const commands = lines.filter((line) => line.startsWith('{"k":"cmd"'));
  const state = lines.filter((line) => /^\{"k":"(?:rmtop|cfg|topo|conn)"/.test(line));
  const all = [...state];
  for (let n = 1; n <= count; n++) {
    const line = commands[n % commands.length] ?? '';
    all.push(line.replace(/"n":\d+,"t":[\d.]+/, `"n":${n},"t":${n / 10_000}`));
  }
  return `${all.join('\n')}\n`;
}

async function readAll(file: string): Promise<number> {
  let seen = 0;
  for await (const entries of (await openRecording(file)).batches()) seen += entries.length;
  return seen;
}

/** Decides the commands of a recording, as often as it is told. */
async function decidesOf(file: string): Promise<(count: number) => number> {
  const reader = await openRecording(file);
  const commands: RecordedCommand[] = [];
  for await (const entries of reader.batches())
    for (const { event } of entries) if (event instanceof RecordedCommand) commands.push(event);
  const topology = reader.context.latest.topology;
  const recorded = reader.context.latest.config;
  if (topology === undefined || recorded === undefined)
    throw new TypeError('the session has no topology');
  const config = compileConfig(recorded.config);
  const rng = seededRng(1);
  return (count) => {
    let draws = 0;
    for (let i = 0; i < count; i++) {
      const { command } = commands[i % commands.length] as RecordedCommand;
      draws += decide(command, topology, config, rng).draws.length;
    }
    return draws;
  };
}
