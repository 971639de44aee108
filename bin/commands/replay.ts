/** `rmtop replay FILE`: sends a recording again, compares what comes back, and reports. */
import { writeFileSync } from 'node:fs';
import { Command as Cli } from 'commander';
import { Output } from '../recording-files.js';
import { decideOnly } from '../replay/decide-only.js';
import { type ReplayFlags, rangeOf, withReplayFlags } from '../replay/flags.js';
import { changedMesh } from '../replay/mesh.js';
import { replayRecording } from '../replay/run.js';

export function replayCommand(): Cli {
  const command = new Cli('replay')
    .description('send a recording again, compare the replies and where commands went')
    .argument('<file>', 'a recording; - is stdin');
  return withReplayFlags(command).action(async (file: string, flags: ReplayFlags) => {
    process.exitCode = await run(file, flags);
  });
}

async function run(file: string, flags: ReplayFlags): Promise<number> {
  if (flags.decideOnly === true)
    return decideOnly(file, rangeOf(flags), changedMesh(flags), flags.json === true);
  const { report, outcome, script, exitCode } = await replayRecording(file, flags);
  if (flags.junit !== undefined) writeFileSync(flags.junit, report.junit(file), { mode: 0o600 });
  const { total, leftOut } = script;
  const text =
    flags.json === true
      ? JSON.stringify(report.json(outcome, total, leftOut))
      : report.text(outcome, total, leftOut, `x${flags.speed}, ${flags.order}`).join('\n');
  await new Output().write(`${text}\n`);
  return exitCode;
}
