/** What the commands that read recordings share: opening, filters, and what is said of a file that is not whole. */
import {
  type Filter,
  openRecording,
  parseFilter,
  type RecordingReader,
  type RecordingSummary,
  RmtopError,
} from 'rmtop';

/** Says something to a person: on stderr, or where a screen shows it. */
export type Say = (text: string) => void;

/** Opens a recording; what a person should know of its format is said. */
export async function openFile(
  file: string,
  strict = false,
  note: Say = say,
): Promise<RecordingReader> {
  const reader = await openRecording(file, { strict });
  for (const each of reader.notes) note(`rmtop: ${each}`);
  return reader;
}

/** The filter, or null where none is given. Throws FILTER. */
export function filterOf(text: string | undefined, flag = '--filter'): Filter | null {
  if (text === undefined || text === '') return null;
  const filter = parseFilter(text);
  if (filter.kind === 'filter') return filter;
  throw new RmtopError(
    'FILTER',
    `${flag} '${text}': ${filter.message} at column ${filter.column}`,
    {
      why: filter.hint,
      next: ["rmtop cat FILE -f 'class=write'"],
    },
  );
}

/** Says what a recording lacks. */
export function sayCondition(file: string, summary: RecordingSummary, note: Say = say): void {
  const { fin, torn, damaged, damagedCount, running, commands, lastUs, dropped } = summary;
  if (torn !== null) note(`rmtop: ${file}: the end is torn: dropped ${torn}`);
  if (damagedCount > 0)
    note(
      `rmtop: ${file}: ${damagedCount} damaged lines skipped: ${damaged.slice(0, 5).join(', ')}`,
    );
  if (dropped > 0) note(`rmtop: ${file}: ${dropped} commands were not recorded`);
  if (fin !== null) return;
  const open = running
    .slice(0, 3)
    .map((each) => `#${each.seq} ${each.name} ${visible(each.key ?? '')}`.trimEnd());
  const were = running.length === 0 ? '' : `, ${running.length} were running: ${open.join(', ')}`;
  note(
    `rmtop: ${file} ended badly: recovered ${commands.toLocaleString('en-US')} commands up to ${(lastUs / 1e6).toFixed(1)} s${were}`,
  );
}

function visible(latin1: string): string {
  return latin1.replace(/[^\x20-\x7e]/g, '?');
}

/** A line on stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Writes to stdout, waiting where a pipe is full; false once nobody reads any more. */
export class Output {
  private gone = false;

  constructor() {
    process.stdout.on('error', () => {
      this.gone = true;
    });
  }

  async write(chunk: string | Buffer): Promise<boolean> {
    if (this.gone) return false;
    if (!process.stdout.write(chunk))
      await new Promise<void>((resolve) => {
        process.stdout.once('drain', resolve);
        process.stdout.once('error', () => resolve());
        process.stdout.once('close', () => resolve());
      });
    return !this.gone;
  }
}
