/**
 * Which recorded reply a command gets (recording page, 7.1). Pure: commands in, replies or misses out; sockets are `src/serve`'s.
 *
 *   strict   the next one of the same recorded connection
 *   key      equal commands get their replies in order, and no read is answered from before a write to its key that was served
 *   loose    same name and keys; the last one wins
 */
import type { Command } from '../commands/command.js';
import { exactKey, fits, fitsOnlyItself, keptKey, keysKey } from './arguments.js';
import { type ArgumentRule, fitsLoosely } from './loose.js';
import { MOST_COMPARED, nearest, type Offered, showCommand, showName } from './nearest.js';
import { Queues } from './queues.js';
import { maskedCommand } from './redact-rules.js';
import type { Script } from './script.js';
import type { Spoken } from './spoken.js';

export type MatchMode = 'strict' | 'key' | 'loose';

/** After the last recorded reply: that one again, an error, or the first. `auto`: again for reads, an error for writes. */
export type Exhausted = 'auto' | 'last' | 'error' | 'loop';

export type MatchOptions = {
  readonly match: MatchMode;
  readonly exhausted: Exhausted;
  /** Whether injected faults are repeated; else the commands they hit count as not recorded. */
  readonly faults: boolean;
  readonly rules: readonly ArgumentRule[];
  /** What removed arguments were hashed with; '' where that is not known. */
  readonly redactKey: string;
};

/** Who asks. `id` is one for each connection; clients of the same name share a recorded connection's turn. */
export type Asker = { readonly id: number; readonly name: string | null };

export type Answer =
  | { readonly kind: 'spoken'; readonly spoken: Spoken }
  | { readonly kind: 'miss'; readonly text: string };

/** Recorded commands that are equal. */
class Group {
  readonly spoken: Spoken[] = [];
  /** Nothing but the same text is the same: nothing was removed, and no option may be written otherwise. */
  readonly isExact: boolean;
  private readonly isOffered: (spoken: Spoken) => boolean;
  private known: Queues | null = null;

  constructor(isExact: boolean, isOffered: (spoken: Spoken) => boolean) {
    this.isExact = isExact;
    this.isOffered = isOffered;
  }

  /** Made when they are needed: most of a long recording is never asked for. */
  get queues(): Queues {
    this.known ??= new Queues(this.spoken.filter(this.isOffered));
    return this.known;
  }
}

/** Hands out what a recording holds. */
export class Matcher {
  private readonly options: MatchOptions;
  private readonly script: Script;
  private readonly exact = new Map<string, Group>();
  private readonly byKeys = new Map<string, Group[]>();
  private readonly byName = new Map<string, Group[]>();
  private readonly transactions: Spoken[] = [];
  private readonly byConnection = new Map<number, Spoken[]>();
  private readonly positions = new Map<number, number>();
  private readonly bound = new Map<number, number | null>();
  private readonly served = new Set<Spoken>();
  /** Number of the last write served, by key. */
  private readonly written = new Map<string, number>();
  private flushed = 0;
  private readonly missed = new Map<string, number>();

  constructor(script: Script, options: MatchOptions) {
    this.script = script;
    this.options = options;
    const isOffered = (each: Spoken): boolean => this.isOffered(each);
    for (const spoken of script.spoken) {
      add(this.byConnection, spoken.connection, spoken);
      const { isTransaction } = spoken;
      if (isTransaction) this.transactions.push(spoken);
      // Looked at once: what a line says is read again each time.
      const unit = { lines: spoken.lines, isTransaction };
      const key = unitKey(unit, unit.lines.map(keptKey));
      let group = this.exact.get(key);
      if (group === undefined) {
        group = new Group(unit.lines.every(fitsOnlyItself), isOffered);
        this.exact.set(key, group);
        add(this.byKeys, unitKey(unit, keysOf(unit)), group);
        add(this.byName, nameOf(unit), group);
      }
      group.spoken.push(spoken);
    }
  }

  /** The reply to `lines`: one command, or those between MULTI and EXEC. */
  answer(lines: readonly Command[], isTransaction: boolean, asker: Asker): Answer {
    const unit = { lines: this.asRecorded(lines).map((command) => ({ command })), isTransaction };
    const answer =
      this.options.match === 'strict'
        ? this.nextOf(unit, asker)
        : this.options.match === 'loose'
          ? this.last(unit)
          : this.inTurn(unit, asker);
    if (answer.kind === 'spoken') return this.given(answer.spoken);
    return this.miss(answer.text);
  }

  /** What a command of an open transaction was answered in the recording; null where none begins as `lines` do. */
  queuedReply(lines: readonly Command[]): Buffer | null {
    const at = lines.length - 1;
    const asked = this.asRecorded(lines);
    const like = this.transactions.find((spoken) =>
      asked.every((command, i) => {
        const line = spoken.lines[i];
        return line !== undefined && fits(command, line, this.options.redactKey);
      }),
    );
    return like?.queued[at] ?? null;
  }

  /** Commands that come are looked for without what was taken out of those that were recorded. */
  private asRecorded(lines: readonly Command[]): readonly Command[] {
    const { rules } = this.script;
    return rules.length === 0 ? lines : lines.map((command) => maskedCommand(command, rules));
  }

  /** Counts a command as missed, and gives the text that says so. */
  miss(text: string): Answer {
    this.missed.set(text, (this.missed.get(text) ?? 0) + 1);
    return { kind: 'miss', text };
  }

  /** What nothing was found for, and how often. */
  get misses(): ReadonlyMap<string, number> {
    return this.missed;
  }

  /** How many replies were asked for; one that is given again does not count twice. */
  get servedCount(): number {
    return this.served.size;
  }

  /** What nobody asked for. */
  leftovers(): Spoken[] {
    return this.script.spoken.filter((each) => this.isOffered(each) && !this.served.has(each));
  }

  private isOffered(spoken: Spoken): boolean {
    return spoken.injected === null || this.options.faults;
  }

  private given(spoken: Spoken): Answer {
    this.served.add(spoken);
    for (const { command } of spoken.lines) {
      if (!isWrite(command)) continue;
      const { keys } = command;
      if (/^FLUSH(?:ALL|DB)$/.test(command.name)) this.flushed = Math.max(this.flushed, spoken.seq);
      for (const at of keys) {
        const key = command.text(at);
        this.written.set(key, Math.max(this.written.get(key) ?? 0, spoken.seq));
      }
    }
    if (spoken.reply !== null || spoken.injected !== null) return { kind: 'spoken', spoken };
    return this.miss(
      `the recorded reply of ${showSpoken(spoken)} #${spoken.seq} is not there: ${spoken.lacks ?? ''}`,
    );
  }

  // ——— key ———

  private inTurn(unit: Unit, asker: Asker): Answer {
    const groups = this.groupsOf(unit);
    if (groups.length === 0) return missed(this.notRecorded(unit));
    const { exhausted } = this.options;
    const isRead = !unit.lines.some(({ command }) => isWrite(command));
    const after = isRead ? this.lastWrite(unit) : 0;
    const next = this.take(groups, after, asker);
    if (next !== null) return next;
    const last = groups.reduce<Spoken | null>(
      (latest, { queues }) => later(latest, queues.last),
      null,
    );
    if (last === null)
      return missed(`${showUnit(unit)} has only replies that were injected, see --faults recorded`);
    if (exhausted === 'loop') {
      for (const { queues } of groups) queues.again();
      return this.take(groups, 0, asker) ?? missed(this.notRecorded(unit));
    }
    if (isRead && last.seq <= after)
      return missed(
        `every recorded reply of ${showUnit(unit)} is from before the write #${after}, which was served (the last is #${last.seq})`,
      );
    if (exhausted === 'last' || (exhausted === 'auto' && isRead))
      return { kind: 'spoken', spoken: last };
    const count = groups.reduce((sum, { spoken }) => sum + spoken.length, 0);
    return missed(
      `${showUnit(unit)} was asked more often than recorded: ${count} ${count === 1 ? 'reply' : 'replies'}, the last #${last.seq}`,
    );
  }

  /** The earliest of what the groups have next. */
  private take(groups: readonly Group[], after: number, asker: Asker): Answer | null {
    const connection = this.connectionOf(asker);
    let found: { readonly group: Group; readonly spoken: Spoken } | null = null;
    for (const group of groups) {
      const spoken = group.queues.next(after, connection);
      if (spoken !== null && (found === null || spoken.seq < found.spoken.seq))
        found = { group, spoken };
    }
    if (found === null) return null;
    found.group.queues.take(found.spoken);
    return { kind: 'spoken', spoken: found.spoken };
  }

  private lastWrite(unit: Unit): number {
    let after = this.flushed;
    for (const { command } of unit.lines)
      for (const at of command.keys)
        after = Math.max(after, this.written.get(command.text(at)) ?? 0);
    return after;
  }

  /** The group of the same text; else those that fit by option words, hashes or for something was removed. */
  private groupsOf(unit: Unit): readonly Group[] {
    const exact = this.exact.get(unitKey(unit, textsOf(unit, exactKey)));
    if (exact !== undefined) return [exact];
    const candidates = this.byKeys.get(unitKey(unit, keysOf(unit))) ?? [];
    return candidates.filter(
      ({ spoken, isExact }) => !isExact && this.isSame(unit, spoken[0] as Spoken),
    );
  }

  private isSame(unit: Unit, spoken: Spoken): boolean {
    return (
      unit.lines.length === spoken.lines.length &&
      unit.lines.every(({ command }, i) => {
        const line = spoken.lines[i];
        return line !== undefined && fits(command, line, this.options.redactKey);
      })
    );
  }

  // ——— loose ———

  /** The last that fits. All that fit count as asked for: which of them was meant cannot be told. */
  private last(unit: Unit): Answer {
    const { rules } = this.options;
    const candidates = (this.byKeys.get(unitKey(unit, keysOf(unit))) ?? []).filter(({ spoken }) =>
      unit.lines.every(({ command }, i) => {
        const line = (spoken[0] as Spoken).lines[i];
        return line !== undefined && fitsLoosely(command, line, rules);
      }),
    );
    let last: Spoken | null = null;
    for (const { spoken } of candidates) {
      for (const each of spoken) {
        if (!this.isOffered(each)) continue;
        this.served.add(each);
        if (last === null || each.seq > last.seq) last = each;
      }
    }
    return last === null ? missed(this.notRecorded(unit)) : { kind: 'spoken', spoken: last };
  }

  // ——— strict ———

  private nextOf(unit: Unit, asker: Asker): Answer {
    const connection = this.connectionOf(asker);
    if (connection === null)
      return missed(
        `${showUnit(unit)}: every one of the ${this.byConnection.size} recorded connections is taken`,
      );
    const all = this.byConnection.get(connection) ?? [];
    let at = this.positions.get(connection) ?? 0;
    while (at < all.length && !this.isOffered(all[at] as Spoken)) at++;
    const next = all[at];
    if (next === undefined)
      return missed(
        `${showUnit(unit)}: the recorded connection c${connection} asked nothing after #${all.at(-1)?.seq ?? 0}`,
      );
    if (unit.isTransaction !== next.isTransaction || !this.isSame(unit, next))
      return missed(
        `${showUnit(unit)}: next on the recorded connection c${connection} is ${showSpoken(next)} #${next.seq}`,
      );
    this.positions.set(connection, at + 1);
    return { kind: 'spoken', spoken: next };
  }

  /** The recorded connection that `asker` stands for: the one of its name, else the next that nobody stands for. */
  private connectionOf({ id, name }: Asker): number | null {
    const known = this.bound.get(id);
    if (known !== undefined) return known;
    const taken = new Set(this.bound.values());
    const free = this.script.clients.filter(
      ({ connection }) => this.byConnection.has(connection) && !taken.has(connection),
    );
    const found = free.find((client) => name !== null && client.name === name) ?? free[0];
    this.bound.set(id, found?.connection ?? null);
    return found?.connection ?? null;
  }

  // ——— misses ———

  private notRecorded(unit: Unit): string {
    const asked = showUnit(unit);
    const [first] = unit.lines;
    if (first === undefined) return `no recorded reply for ${asked}`;
    const named = this.byName.get(nameOf(unit)) ?? [];
    // Those of the same keys come nearest; of all others the first so many are looked at.
    const sameKeys = this.byKeys.get(unitKey(unit, keysOf(unit))) ?? named;
    const offered: Offered[] = sameKeys.slice(0, MOST_COMPARED).map(({ spoken }) => {
      const [{ seq, lines }] = spoken as [Spoken];
      const at = unit.isTransaction
        ? lines.findIndex((line, i) => {
            const command = unit.lines[i]?.command;
            return command === undefined || !fits(command, line, this.options.redactKey);
          })
        : 0;
      return { seq, line: lines[Math.max(at, 0)] as Spoken['lines'][number] };
    });
    const near = offered.length === 0 ? null : nearest(first.command, offered, named.length);
    return `no recorded reply for ${asked} (${near ?? `no ${showName(nameOf(unit))} was recorded`})`;
  }
}

type Unit = {
  readonly lines: readonly { readonly command: Command }[];
  readonly isTransaction: boolean;
};

function missed(text: string): Answer {
  return { kind: 'miss', text };
}

function add<K, V>(to: Map<K, V[]>, key: K, value: V): void {
  const known = to.get(key);
  if (known === undefined) to.set(key, [value]);
  else known.push(value);
}

function later(a: Spoken | null, b: Spoken | null): Spoken | null {
  if (a === null || b === null) return a ?? b;
  return a.seq > b.seq ? a : b;
}

function textsOf({ lines }: Unit, textOf: (command: Command) => string): readonly string[] {
  return lines.map(({ command }) => textOf(command));
}

function keysOf(unit: Unit): readonly string[] {
  return textsOf(unit, keysKey);
}

function unitKey({ isTransaction }: Unit, texts: readonly string[]): string {
  return isTransaction ? `MULTI\n${texts.join('\n')}` : (texts[0] ?? '');
}

function nameOf({ lines, isTransaction }: Unit): string {
  return isTransaction ? 'EXEC' : (lines[0]?.command.name ?? '');
}

function showUnit(unit: Unit): string {
  const texts = unit.lines.slice(0, 3).map(({ command }) => showCommand(command));
  if (!unit.isTransaction) return texts[0] ?? '';
  return `MULTI [${texts.join('; ')}${unit.lines.length > 3 ? '; ...' : ''}] EXEC`;
}

/** A recorded command, or transaction, as one would type it. */
export function showSpoken(spoken: Spoken): string {
  return showUnit(spoken);
}

function isWrite({ spec, name }: Command): boolean {
  return spec?.writes === true || /^(?:EVAL|EVALSHA|FCALL)$/.test(name);
}
