/** `rmtop replay FILE`: sends a recording again, compares what comes back, and reports. */
import { writeFileSync } from 'node:fs';
import { Command as Cli } from 'commander';
import { usage } from '../options.js';
import { Output } from '../recording-files.js';
import { decideOnly } from '../replay/decide-only.js';
import { optionsOf, type ReplayFlags, rangeOf, withReplayFlags } from '../replay/flags.js';
import { changedMesh } from '../replay/mesh.js';
import { replayRecording } from '../replay/run.js';
import { withSettings } from '../settings/apply.js';

export function replayCommand(): Cli {
  const command = new Cli('replay')
    .description('send a recording again, compare the replies and where commands went')
    .argument('<file>', 'a recording; - is stdin');
  return withSettings(withReplayFlags(command), []).action(
    async (file: string, flags: ReplayFlags) => {
      process.exitCode = await run(file, flags);
    },
  );
}

async function run(file: string, flags: ReplayFlags): Promise<number> {
  const options = optionsOf(flags);
  if (file === '-' && options.byStep === true)
    throw usage('--step', '-', 'used with a file: stdin is where steps come from');
  if (flags.decideOnly === true)
    return decideOnly(file, rangeOf(flags), changedMesh(flags), flags.json === true);
  const { listen, code } = interruption();
  const { report, outcome, script, exitCode } = await replayRecording(file, flags, listen);
  if (flags.junit !== undefined) writeFileSync(flags.junit, report.junit(file), { mode: 0o600 });
  const { total, leftOut } = script;
  const text =
    flags.json === true
      ? JSON.stringify(report.json(outcome, total, leftOut))
      : report.text(outcome, total, leftOut, howText(flags)).join('\n');
  await new Output().write(`${text}\n`);
  return code() ?? exitCode;
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
