/**
 * The stream when more comes than an eye, or the screen, can follow: one row for each command and prefix, with how often it came.
 *
 * It is made of the newest rows in memory, so many of them that it costs the screen a hundredth of its time; each count is exact for
 * what it says it is of. What is counted of all commands is in the panes.
 */
import { type Command, Glance } from 'rmtop';
import type { Model } from '../model.js';
import type { Feed } from '../store/feed.js';
import { count, milliseconds, percent, plural, short } from '../text/figures.js';
import { fit, fitMiddle, fitRight } from '../text/fit.js';
import { printableBytes } from '../text/printable.js';

/** Rows that a summary is of, and how long it stands. */
const OF_ROWS = 10_000;
const STANDS_MS = 1000;
/** Bytes of a key that tell it from others here. */
const MOST_OF_KEY = 200;

/** Commands of one name whose first keys have one prefix. */
export type Group = {
  readonly command: string;
  /** Bytes, one character each: the key where all have the same, else its prefix and `*`. */
  readonly keys: string;
  readonly count: number;
  readonly errors: number;
  readonly totalUs: number;
  readonly maxUs: number;
};

type Mutable = { -readonly [Field in keyof Group]: Group[Field] };

/** What the newest `most` commands in memory were, the most frequent first; and how many it is of. */
export function groupsOf(
  feed: Feed,
  most: number,
): { readonly groups: readonly Group[]; readonly of: number } {
  const { rows } = feed;
  const delimiter = Buffer.from(feed.tallies.keys.delimiter).toString('latin1');
  const glance = new Glance();
  const groups = new Map<string, Mutable>();
  let of = 0;
  for (let i = rows.length - 1; i >= 0 && of < most; i--) {
    const row = rows.row(i);
    if (row.kind === 'pending') continue;
    row.block.glance(row.offset, glance);
    of++;
    add(groups, glance, delimiter);
  }
  return { groups: [...groups.values()].sort((a, b) => b.count - a.count), of };
}

function add(groups: Map<string, Mutable>, glance: Glance, delimiter: string): void {
  const { command, durationUs, isError } = glance;
  const at = command.argc < 2 ? undefined : command.keys[0];
  const key = at === undefined ? '' : keyOf(command, at);
  const end = key.indexOf(delimiter);
  const prefix = end === -1 ? '' : key.slice(0, end + delimiter.length);
  const id = `${command.name} ${at === undefined ? '-' : ''}${prefix}`;
  let group = groups.get(id);
  if (group === undefined) {
    group = { command: command.name, keys: key, count: 0, errors: 0, totalUs: 0, maxUs: 0 };
    groups.set(id, group);
  } else if (key !== group.keys) group.keys = `${prefix}*`;
  group.count++;
  if (isError) group.errors++;
  group.totalUs += durationUs;
  if (durationUs > group.maxUs) group.maxUs = durationUs;
}

function keyOf(command: Command, at: number): string {
  const from = command.startOf(at);
  return command.frame.toString('latin1', from, Math.min(command.endOf(at), from + MOST_OF_KEY));
}

/** Whether the stream is summed up now: while it follows, unfiltered and unsorted, and more comes than can be taken in. */
export function isSummedUp({ feed, viewport, sifter }: Model): boolean {
  return (
    viewport.follow &&
    viewport.ordered === null &&
    !sifter.isOn &&
    !feed.frozen &&
    feed.overload.at(performance.now())
  );
}

type Summary = ReturnType<typeof groupsOf> & { readonly ms: number };

const kept = new WeakMap<Feed, Summary>();

function summaryOf(feed: Feed): Summary {
  const nowMs = performance.now();
  const known = kept.get(feed);
  if (known !== undefined && nowMs - known.ms < STANDS_MS) return known;
  const made = { ...groupsOf(feed, OF_ROWS), ms: nowMs };
  kept.set(feed, made);
  return made;
}

const WIDTHS = { count: 9, share: 6, command: 10, errors: 6, average: 8, longest: 8 };
const FIGURES: number =
  WIDTHS.count +
  WIDTHS.share +
  WIDTHS.command +
  WIDTHS.errors +
  WIDTHS.average +
  WIDTHS.longest +
  8;

/** The heads and the groups, `height` lines in all. */
export function summaryLines(model: Model, width: number, height: number): string[] {
  const { look, feed } = model;
  const { groups, of } = summaryOf(feed);
  const keyWidth = Math.max(8, width - FIGURES);
  const cells = (
    times: string,
    share: string,
    command: string,
    keys: string,
    errors: string,
    average: string,
    longest: string,
  ): string =>
    [
      ` ${fitRight(times, WIDTHS.count)}`,
      fitRight(share, WIDTHS.share),
      fit(command, WIDTHS.command),
      fitMiddle(keys, keyWidth),
      fitRight(errors, WIDTHS.errors),
      fitRight(average, WIDTHS.average),
      fitRight(longest, WIDTHS.longest),
    ].join(' ');
  const lines = groups.slice(0, Math.max(0, height - 1)).map((group) => {
    const line = cells(
      `x${count(group.count)}`,
      percent(group.count, of),
      group.command,
      printableBytes(group.keys, look, 200),
      short(group.errors),
      milliseconds(group.totalUs / group.count, WIDTHS.average),
      milliseconds(group.maxUs, WIDTHS.longest),
    );
    return group.errors > 0 ? look.theme.paint('error', line) : line;
  });
  const heads = cells(
    'COUNT',
    'SHARE',
    'CMD',
    `KEYS OF THE LAST ${count(of)}`,
    'ERR',
    'AVG ms',
    'MAX ms',
  );
  return [look.theme.paint('dim', fit(heads, width)), ...lines];
}

/** For the line of news. */
export function summaryText(model: Model, follow: string): string {
  const { groups } = summaryOf(model.feed);
  return ` SUMMARY: more comes than can be shown, ${plural(groups.length, 'kind')} of command; ${follow} or a filter brings single rows back`;
}
