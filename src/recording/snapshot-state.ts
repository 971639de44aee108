/** What a recording's snapshots say of the servers before it (recording page, 5), and the commands that make it so again. */
import { quoteBytes } from '../compare/show.js';
import type { SnapshotLeft, TrafficEvent } from '../events/event.js';
import type { ReplayOptions } from './replay.js';
import { dueTimes, type ReplayItems } from './replay-plan.js';

export type SnapshotEvent = Extract<TrafficEvent, { type: 'snapshot' }>;

/** A key as it was before its first command, number `seq`; `dump` is null for one that was not there. */
type Saved = { readonly dump: Buffer | null; readonly ttlMs: number; readonly seq: number };

/** A command that puts one key back. */
export type PutBack = {
  readonly request: readonly (Buffer | string)[];
  readonly key: Buffer;
  /** The version of the RDB format that the value is written in; null: the key was not there. */
  readonly rdb: number | null;
};

/** When commands of a replay are due, ms after it begins, by the number of a recorded one. */
export type DueBySeq = (seq: number) => number;

/** Gathers snapshots in the order of a recording. Of a key that was saved twice the first counts. */
export class SnapshotState {
  private readonly saved = new Map<string, Saved>();
  private readonly left = new Map<string, SnapshotLeft>();

  add({ key, dump, ttlMs, left, seq }: SnapshotEvent): void {
    if (this.saved.has(key)) return;
    if (left !== null) {
      if (!this.left.has(key)) this.left.set(key, left);
      return;
    }
    this.left.delete(key);
    this.saved.set(key, { dump: dump === null ? null : Buffer.from(dump, 'base64'), ttlMs, seq });
  }

  /** Whether there is anything in the recording that this is about. */
  get isEmpty(): boolean {
    return this.saved.size === 0 && this.left.size === 0;
  }

  /** How many keys can be put back. */
  get size(): number {
    return this.saved.size;
  }

  /** Whether the key, one character a byte, is put back as it was: to be there, or not. */
  has(key: string): boolean {
    return this.saved.has(key);
  }

  /** Keeps only the keys, one character a byte, that `wants`. */
  keep(wants: (key: string) => boolean): void {
    for (const keys of [this.saved, this.left])
      for (const key of keys.keys()) if (!wants(key)) keys.delete(key);
  }

  /**
   * The commands, those with a time to live last: they lose the less of it. A time to live is as long as it was at the key's first
   * command, so what passes in the replay until then is added. A key that was not there is deleted: a round before may have made it.
   */
  *commands(due: DueBySeq): Generator<PutBack> {
    for (const hasTtl of [false, true])
      for (const [name, { dump, ttlMs, seq }] of this.saved) {
        if (ttlMs >= 0 !== hasTtl) continue;
        const key = Buffer.from(name, 'latin1');
        if (dump === null) {
          yield { request: ['DEL', key], key, rdb: null };
          continue;
        }
        // 0 would mean for ever.
        const ttl = hasTtl ? Math.max(1, Math.round(ttlMs + due(seq))) : 0;
        const request = ['RESTORE', key, String(ttl), dump, 'REPLACE'];
        yield { request, key, rdb: rdbVersionOf(dump) };
      }
  }

  /** Of the keys that are not saved: how many for each reason, and the first of them with what there is to say. */
  get leftOut(): readonly LeftOutKeys[] {
    const byWhy = new Map<SnapshotLeft['why'], { count: number; first: string[] }>();
    for (const [name, { why, detail }] of this.left) {
      const of = byWhy.get(why) ?? { count: 0, first: [] };
      byWhy.set(why, of);
      of.count++;
      if (of.first.length < MOST_NAMED)
        of.first.push(`${shownKey(name)}${detail === '' ? '' : ` (${printable(detail)})`}`);
    }
    return [...byWhy].map(([why, of]) => ({ why, ...of }));
  }
}

/** Keys that a recording has no value of; `first` are the first five, for people. */
export type LeftOutKeys = {
  readonly why: SnapshotLeft['why'];
  readonly count: number;
  readonly first: readonly string[];
};

/** What came of putting keys back. `refused` are the first hundred of `refusedCount`, for people. */
export type SnapshotReport = {
  restored: number;
  removed: number;
  refusedCount: number;
  readonly refused: { readonly key: string; readonly why: string }[];
  readonly left: readonly LeftOutKeys[];
};

const MOST_NAMED = 5;
const MOST_REFUSED = 100;

/** A report in which nothing has been put back yet. */
export function newSnapshotReport(state: SnapshotState): SnapshotReport {
  return { restored: 0, removed: 0, refusedCount: 0, refused: [], left: state.leftOut };
}

/** Writes down that a server answered `what` with `error`, or took it (null). */
export function reportPutBack(report: SnapshotReport, what: PutBack, error: string | null): void {
  if (error === null) {
    if (what.rdb === null) report.removed++;
    else report.restored++;
    return;
  }
  report.refusedCount++;
  if (report.refused.length < MOST_REFUSED)
    report.refused.push({
      key: shownKey(what.key.toString('latin1')),
      why: whyRefused(what, error),
    });
}

function whyRefused({ rdb }: PutBack, error: string): string {
  return rdb !== null && /payload version or checksum/i.test(error)
    ? `its value is in RDB version ${rdb}${WRITTEN_BY[rdb] ?? ''}, which this server is too old for`
    : printable(error);
}

/** Source: RDB_VERSION in `rdb.h` of each release. */
const WRITTEN_BY: Readonly<Record<number, string>> = {
  9: ' (Redis 5 to 6.2)',
  10: ' (Redis 7.0)',
  11: ' (Redis 7.2)',
  12: ' (Redis 7.4)',
};

/** What DUMP gives ends with the version, two bytes, and a checksum of eight. */
function rdbVersionOf(dump: Buffer): number {
  return dump.length < 10 ? 0 : dump.readUInt16LE(dump.length - 10);
}

const WHY: Readonly<Record<SnapshotLeft['why'], string>> = {
  large: 'too large',
  rate: 'too many at once',
  full: 'beyond the keys that are remembered, as are all that came later',
  refused: 'refused by the server',
  failed: 'without an answer of the server',
  unrouted: 'where no write of the key alone would go',
  redacted: 'redacted',
};

/** The lines of a report; none where there was nothing to do. */
export function snapshotLines(report: SnapshotReport | null): string[] {
  if (report === null) return [];
  const { restored, removed, refused, refusedCount, left } = report;
  return [
    `snapshot  ${n(restored)} keys restored   ${n(removed)} that were not there removed`,
    ...left.map(
      ({ why, count, first }) =>
        `          ${n(count)} not saved, ${WHY[why]}: ${first.join(', ')}${count > first.length ? ' …' : ''}`,
    ),
    ...refused.slice(0, MOST_NAMED).map(({ key, why }) => `          ${key} NOT restored: ${why}`),
    ...(refusedCount > MOST_NAMED
      ? [`          ${n(refusedCount - MOST_NAMED)} more NOT restored`]
      : []),
  ];
}

/** When recorded commands are due in a replay of `items`: the first that is sent from a number on, or the last. At full speed, at once. */
export function dueBySeq(
  items: ReplayItems,
  options: Pick<ReplayOptions, 'speed' | 'maxGapMs' | 'perSecond'>,
): DueBySeq {
  const isPaced = (options.perSecond ?? null) !== null;
  if (items.length === 0 || (options.speed === 'max' && !isPaced)) return () => 0;
  const due = dueTimes(items, options);
  const speed = isPaced || options.speed === 'max' ? 1 : options.speed;
  return (seq) => {
    let [from, to] = [0, items.length - 1];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (items.seq(middle) < seq) from = middle + 1;
      else to = middle;
    }
    return (due[from] as number) / speed;
  };
}

function shownKey(name: string): string {
  const text = quoteBytes(Buffer.from(name, 'latin1'));
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN - 1)}…`;
}

const MOST_SHOWN = 60;

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}

/** 12,345 */
function n(count: number): string {
  return count.toLocaleString('en-US');
}
