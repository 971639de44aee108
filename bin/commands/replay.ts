/** `rmtop replay FILE`: sends a recording again, compares what comes back, and reports. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command as Cli } from 'commander';
import { RmtopError } from 'rmtop';
import { usage } from '../options.js';
import { Output, say } from '../recording-files.js';
import { decideOnly } from '../replay/decide-only.js';
import { optionsOf, type ReplayFlags, rangeOf, withReplayFlags } from '../replay/flags.js';
import { changedMesh } from '../replay/mesh.js';
import { type Replayed, replayRecording } from '../replay/run.js';
import { earlyLines, replayLines } from '../replay/told.js';
import { watchReplay } from '../replay/watched.js';
import { preloadScreen, readLook, showScreen, wantsScreen } from '../screen.js';
import { withSettings } from '../settings/apply.js';

export function replayCommand(): Cli {
  const command = new Cli('replay')
    .description('send a recording again, compare the replies and where commands went')
    .argument('<file>', 'a recording; - is stdin');
  return withSettings(withReplayFlags(command), ['screen']).action(
    async (file: string, flags: ReplayFlags) => {
      process.exitCode = await run(file, flags);
    },
  );
}

async function run(file: string, flags: ReplayFlags): Promise<number> {
  const options = optionsOf(flags);
  if (flags.tui === true) return onScreen(file, flags);
  if (file === '-' && options.byStep === true)
    throw usage('--step', '-', 'used with a file: stdin is where steps come from');
  if (flags.decideOnly === true)
    return decideOnly(file, rangeOf(flags), changedMesh(flags), flags.json === true);
  const { listen, code } = interruption();
  const replayed = await replayRecording(file, flags, listen);
  const { report, outcome, script, exitCode } = replayed;
  writeJunit(file, flags, replayed);
  const text =
    flags.json === true
      ? jsonText(replayed)
      : report.text(outcome, script.total, script.leftOut, howText(flags)).join('\n');
  await new Output().write(`${text}\n`);
  return code() ?? exitCode;
}

function writeJunit(file: string, { junit }: ReplayFlags, { report }: Replayed): void {
  if (junit !== undefined) writeFileSync(junit, report.junit(file), { mode: 0o600 });
}

function jsonText({ report, outcome, script }: Replayed): string {
  return JSON.stringify(report.json(outcome, script.total, script.leftOut));
}

function howText({ step, rate, speed, order }: ReplayFlags): string {
  return `${step === true ? 'by step' : (rate ?? `x${speed}`)}, ${order}`;
}

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Once listened for, the first signal ends the replay with its report, a second one the program. */
function interruption(): { listen(): AbortSignal; code(): number | null } {
  const controller = new AbortController();
  let code: number | null = null;
  return {
    listen() {
      for (const name of ['SIGINT', 'SIGTERM'] as const)
        process.once(name, () => {
          code = CODES[name];
          controller.abort();
        });
      return controller.signal;
    },
    code: () => code,
  };
}

/** With the screen, until its user ends it; then the report is told on stderr. */
async function onScreen(file: string, flags: ReplayFlags): Promise<number> {
  const { filter: _, ...looks } = flags; // which commands are sent, not which are shown
  const look = readLook(looks);
  if (file === '-') throw usage('--tui', '-', 'used with a file: stdin is the keyboard');
  if (!wantsScreen({}))
    throw new RmtopError('USAGE', '--tui needs a terminal: stdin and stdout must be one', {
      why: whyNoScreen(),
      next: [`rmtop replay ${file}        without --tui reports and ends`],
    });
  preloadScreen();
  const replay = await watchReplay(file, flags, path.basename(file), say);
  const { proxy, recordings } = replay;
  const about = { config: proxy.config, label: replay.upstream };
  const code = await showScreen(proxy, about, look, recordings, {
    replay,
    begin: () => replay.begin(),
  });
  const ended = await replay.ended();
  writeJunit(file, flags, ended);
  if (flags.json === true) await new Output().write(`${jsonText(ended)}\n`);
  for (const line of flags.json === true ? earlyLines(ended) : replayLines(ended, howText(flags)))
    say(line);
  return code === 0 ? ended.exitCode : code;
}

function whyNoScreen(): string | null {
  const { env, stdin, stdout } = process;
  if (stdin.isTTY !== true || stdout.isTTY !== true) return null;
  return env.CI ? 'CI is set in the environment' : 'TERM is dumb';
}
