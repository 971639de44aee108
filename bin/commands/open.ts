/** `rmtop open FILE…`: the screen on a recording; without a terminal, what it holds. */
import { Command as Cli } from 'commander';
import { openPlayback, type Playback, PROCESS_CLOCK, type ProxyHandle, readEvents } from 'rmtop';
import { labelOf, placeOf, playToEnd } from '../../ui/transport.js';
import { Ledger, summaryLines, totalsLine } from '../demo/summary.js';
import { usage } from '../options.js';
import {
  preloadScreen,
  readLook,
  SCREEN_KEEP,
  type ScreenFlags,
  showScreen,
  wantsScreen,
  withScreenFlags,
} from '../screen.js';
import { ScreenRecorder } from '../screen-recorder.js';
import { ScreenReplays } from '../screen-replays.js';
import { withSettings } from '../settings/apply.js';

type OpenFlags = ScreenFlags & { readonly at?: string; readonly play?: boolean | string };

/** The subcommand. */
export function openCommand(): Cli {
  const command = new Cli('open')
    .alias('inspect')
    .description('the screen on a recording; without a terminal, a summary of what it holds')
    .argument('<file...>', 'a recording, or its parts in their order; .gz too')
    .option('--at <place>', 'begin there: 12.5s, 1:30, #120, start or end (default: end)')
    .option('--play [speed]', 'play at once, at this factor of the recorded speed, or max');
  return withSettings(withScreenFlags(command), ['screen']).action(
    async (files: string[], flags: OpenFlags) => {
      const place = flags.at === undefined ? null : placeOf(flags.at);
      if (flags.at !== undefined && place === null)
        throw usage('--at', flags.at, '12.5s, 1:30, #120, start or end');
      const speed = readSpeed(flags.play);
      readLook(flags); // what is wrong there is told before the recording is read
      if (wantsScreen(flags)) preloadScreen();
      const playback = await openPlayback(files, PROCESS_CLOCK);
      try {
        process.exitCode = wantsScreen(flags)
          ? await show(playback, files, flags, async () => {
              if (place !== null) await playback.jump(place);
              else if (speed === null) await playToEnd(playback);
              if (speed !== null) playback.play(speed);
            })
          : await summarise(playback, labelOf(files));
      } finally {
        await playback.close();
      }
    },
  );
}

function readSpeed(flag: boolean | string | undefined): number | 'max' | null {
  if (flag === undefined || flag === false) return null;
  if (flag === true) return 1;
  if (flag === 'max') return flag;
  const speed = Number(flag);
  if (!(speed > 0 && speed <= 1000))
    throw usage('--play', flag, 'a factor from 0.1 to 100, or max');
  return speed;
}

function show(
  playback: Playback,
  files: readonly string[],
  flags: OpenFlags,
  begin: () => Promise<void>,
): Promise<number> {
  const proxy: ProxyHandle = playback.source;
  const recorder = new ScreenRecorder(proxy, 'HOST:PORT', SCREEN_KEEP, flags);
  const about = { config: proxy.config, label: labelOf(files) };
  return showScreen(proxy, about, readLook(flags), recorder, {
    playback,
    files,
    replays: new ScreenReplays(flags),
    begin: () => void begin(),
  });
}

/** Plays all of it and says what was routed where. */
async function summarise(playback: Playback, label: string): Promise<number> {
  const { source, end } = playback;
  const ledger = new Ledger(source.config);
  readEvents(source, (event) => ledger.add(event), true);
  const ended = new Promise<void>((resolve) => {
    playback.onChange((state) => {
      if (state.atEnd && !state.playing) resolve();
    });
  });
  playback.play('max');
  await ended;
  const totals = await source.totals();
  process.stdout.on('error', () => {}); // whoever read it has gone
  process.stdout.write(
    `${[
      `${label}: ${(end.lastUs / 1e6).toFixed(1)} s from ${source.startedAt}, ${totals.clientsTotal} clients`,
      totalsLine(totals),
      '',
      ...summaryLines(totals, ledger),
    ].join('\n')}\n`,
  );
  return 0;
}
