/**
 * What keys held before a recording's first command on them, for a replay to put back (recording page, 5: `record --snapshot`).
 *
 * The first command on a key has a request of ours before it on the connection that it goes on itself. A server takes the requests of one
 * connection in order, so what is saved is what the command found, and no client waits for an answer of ours: the server's time for one
 * DUMP is all that is added, once a key. Commands that go on a connection of the client's own (transactions, what may block, what is
 * large) have no such order with the shared one: there the client's next step waits for the answer.
 */
import type { Command } from '../commands/command.js';
import type { CommandSpec } from '../commands/table.js';
import type { Cause, SnapshotLeft } from '../events/event.js';
import type { Hop, Part } from '../mesh/decision.js';
import { findRoute } from '../mesh/route.js';
import { encodeRequest } from '../resp/encode.js';
import type { ReplyReader } from '../resp/reply.js';
import { decodeReply, type Reply } from '../resp/value.js';
import type { Core } from './core.js';
import type { Exchange } from './exchange.js';
import { Leg } from './leg.js';
import { SeenKeys } from './seen-keys.js';

/** Keys that are remembered as saved; later ones are not saved. */
export const MOST_KEYS = 1_000_000;
/** What DUMP may give of one key. */
export const MOST_BYTES: number = 1024 * 1024;
/** A key longer than this is not asked for. */
const MOST_KEY_BYTES = 64 * 1024;
/**
 * So many keys a second in the long run, and so many in a burst: a session meets most of its keys when it begins. A server takes some
 * 15 µs for one.
 */
const KEYS_PER_S = 5000;
const KEYS_AT_ONCE = 50_000;
/** The same of bytes of values. */
const BYTES_PER_S: number = 32 * 1024 * 1024;
const BYTES_AT_ONCE: number = 64 * 1024 * 1024;
/** So many questions may be for a value of any size at one time; while there are more, later ones are for small values. */
const WIDE_IN_FLIGHT = 32;
const MOST_IN_FLIGHT = 4096;
const SMALL_BYTES: number = 16 * 1024;

/**
 * DUMP and PTTL in one step, and nothing of a value that is too large: its DUMP would keep the server busy, and every client behind it.
 * MEMORY USAGE is known at once; it is more than DUMP gives, up to about four times as much. An error is given as it is.
 */
const SCRIPT: Buffer = Buffer.from(
  `local m=redis.pcall('MEMORY','USAGE',KEYS[1]) if not m then return {} end if type(m)=='table' then return m end \
local l=tonumber(ARGV[1]) if m>4*l then return {m} end local d=redis.call('DUMP',KEYS[1]) if not d then return {} end \
if #d>l then return {#d} end return {d,redis.call('PTTL',KEYS[1])}`,
);

/** Saves the keys of one proxy's commands. */
export class Snapshots {
  private readonly core: () => Core;
  private readonly seen = new SeenKeys(MOST_KEYS);
  private readonly keyRate = new Allowance(KEYS_PER_S, KEYS_AT_ONCE);
  private readonly byteRate = new Allowance(BYTES_PER_S, BYTES_AT_ONCE);
  /** By name: an upstream's number, for keys of the same name in another are other keys. */
  private readonly upstreams = new Map<string, number>();
  /** By upstream: why it is not asked any more. */
  private readonly refusing = new Map<string, string>();
  private inFlight = 0;
  private isFullSaid = false;

  constructor(core: () => Core) {
    this.core = core;
  }

  /** To be called before the parts of `exchange` are sent: saves those of its keys that are met for the first time. */
  before(exchange: Exchange, command: Command, parts: readonly Part[]): void {
    const { keys } = command;
    if (keys.length === 0) return;
    for (const part of parts) {
      if (part.to === null || part.via === 'subscription' || part.via === 'monitor') continue;
      // A part that is one key's share of the command has its key first.
      const places = part.args === 'all' ? keys : part.args.slice(0, 1);
      for (const at of places)
        if (at < command.argc) this.key(exchange, part, part.to, command.arg(at), at);
    }
  }

  /** The same of a large request, of whose arguments only `known` are there. Its client waits for the answers. */
  beforeLarge(exchange: Exchange, command: Command, part: Part, known: number): void {
    const { to } = part;
    if (to === null) return;
    const alone: Part = { ...part, via: 'own' };
    for (const at of command.keys)
      if (at < known) this.key(exchange, alone, to, command.arg(at), at);
  }

  private key(exchange: Exchange, part: Part, to: Hop, key: Buffer, at: number): void {
    const met = this.seen.add(key, this.numberOf(to.upstream));
    if (met === 'known') return;
    if (met === 'full') {
      if (!this.isFullSaid) this.left(exchange, to, key, 'full', `${MOST_KEYS} keys`);
      this.isFullSaid = true;
      return;
    }
    const refusal = this.refusing.get(to.upstream);
    if (refusal !== undefined) this.left(exchange, to, key, 'refused', refusal);
    else if (!this.isRouted(part, to, key, at)) this.left(exchange, to, key, 'unrouted', '');
    else if (key.length > MOST_KEY_BYTES) this.left(exchange, to, key, 'large', 'its name');
    else this.ask(exchange, part, to, key, at);
  }

  private numberOf(upstream: string): number {
    const known = this.upstreams.get(upstream);
    if (known !== undefined) return known;
    this.upstreams.set(upstream, this.upstreams.size);
    return this.upstreams.size - 1;
  }

  /** Whether a write of this key alone would find it where the part does: a replay sends one. */
  private isRouted(part: Part, to: Hop, key: Buffer, at: number): boolean {
    const route = findRoute(this.core().config, key);
    if (route === null || route.writes.match.upstream !== to.upstream) return false;
    return part.rekey?.at === at || (route.strip === 0 && route.format === null);
  }

  private ask(exchange: Exchange, part: Part, to: Hop, key: Buffer, at: number): void {
    const core = this.core();
    const nowUs = core.clock.nowUs();
    if (
      this.inFlight >= MOST_IN_FLIGHT ||
      !this.byteRate.has(nowUs) ||
      !this.keyRate.take(1, nowUs)
    ) {
      this.left(exchange, to, key, 'rate', '');
      return;
    }
    const isWide = this.inFlight < WIDE_IN_FLIGHT;
    const waits = part.via !== 'shared';
    this.inFlight++;
    if (waits) exchange.client.awaitSnapshot();
    const saved: Saved = { key: key.toString('latin1'), upstream: to.upstream, seq: exchange.seq };
    const name = part.rekey?.at === at ? part.rekey.bytes : key;
    new KeySnapshot(exchange, to, requestFor(name, isWide), (outcome) => {
      this.inFlight--;
      this.answered(saved, outcome, isWide);
      if (waits) exchange.client.snapshotAnswered();
    }).sendOn(core.pool.shared(to, exchange.session.resp));
  }

  private answered(saved: Saved, outcome: Outcome, isWide: boolean): void {
    switch (outcome.kind) {
      case 'value': {
        const nowUs = this.core().clock.nowUs();
        // What comes of many questions that were asked at once may be more than is to be written.
        const isTooMuch = !this.byteRate.take(outcome.dump.length, nowUs);
        if (isTooMuch) this.say(saved, null, NOT_THERE, { why: 'rate', detail: '' });
        else this.say(saved, outcome.dump.toString('base64'), outcome.ttlMs, null);
        return;
      }
      case 'absent':
        this.say(saved, null, NOT_THERE, null);
        return;
      case 'large': {
        const why = isWide || outcome.bytes > MOST_BYTES ? 'large' : 'rate';
        this.say(saved, null, NOT_THERE, { why, detail: `${outcome.bytes} bytes` });
        return;
      }
      case 'refused':
        if (REFUSES_ALL.test(outcome.text)) this.refusing.set(saved.upstream, outcome.text);
        this.say(saved, null, NOT_THERE, { why: 'refused', detail: outcome.text });
        return;
      case 'failed':
        this.say(saved, null, NOT_THERE, { why: 'failed', detail: outcome.cause.code });
    }
  }

  private left(
    { seq }: Exchange,
    { upstream }: Hop,
    key: Buffer,
    why: SnapshotLeft['why'],
    detail: string,
  ): void {
    const saved = { key: key.toString('latin1', 0, MOST_KEY_BYTES), upstream, seq };
    this.say(saved, null, NOT_THERE, { why, detail });
  }

  private say(saved: Saved, dump: string | null, ttlMs: number, left: SnapshotLeft | null): void {
    const { bus, clock } = this.core();
    if (!bus.wants('snapshot')) return;
    bus.other({ type: 'snapshot', atUs: clock.nowUs(), ...saved, dump, ttlMs, left });
  }
}

/** What PTTL says of a key that is not there. */
const NOT_THERE = -2;
/** A server that refuses what is asked, rather than the key that it is asked of, would fill its log with refusals. */
const REFUSES_ALL = /^NOPERM(?!.*\bkeys?\b)|can't run this command|^ERR unknown command/is;

/** Whose value it is: the key as its client called it, one character a byte, and the first command on it. */
type Saved = { readonly key: string; readonly upstream: string; readonly seq: number };

/** What a server said. */
type Outcome =
  | { readonly kind: 'value'; readonly dump: Buffer; readonly ttlMs: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'large'; readonly bytes: number }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'failed'; readonly cause: Cause };

function requestFor(key: Buffer, isWide: boolean): Buffer {
  return encodeRequest(['EVAL', SCRIPT, '1', key, String(isWide ? MOST_BYTES : SMALL_BYTES)]);
}

/** One question on its way. It follows redirects as a command does. */
class KeySnapshot extends Leg {
  readonly spec: CommandSpec | undefined = undefined;
  readonly owner: object;
  private readonly over: (outcome: Outcome) => void;

  constructor(exchange: Exchange, to: Hop, request: Buffer, over: (outcome: Outcome) => void) {
    super(exchange.core, request, 0, request.length);
    this.owner = exchange.client;
    this.hop = to;
    this.over = over;
  }

  get takesPieces(): boolean {
    return false;
  }

  get isCancelled(): boolean {
    return false;
  }

  /** It is no command of a client: the servers' figures are of those. */
  protected override countReply(): void {}

  protected arrived(reader: ReplyReader): void {
    const reply = decodeReply(reader.buf, reader.start, reader.end);
    if (reply?.type === '-' || reply?.type === '!')
      this.over({ kind: 'refused', text: reply.value.toString('latin1', 0, MOST_TEXT) });
    else if (reply?.type === '*') this.over(outcomeOf(reply.items));
    else this.over({ kind: 'refused', text: 'an answer that is none' });
  }

  piece(): void {}

  failed(cause: Cause): void {
    this.over({ kind: 'failed', cause });
  }
}

const MOST_TEXT = 200;

function outcomeOf([first, ttl]: readonly Reply[]): Outcome {
  if (first === undefined) return { kind: 'absent' };
  if (first.type === ':') return { kind: 'large', bytes: Number(first.value) };
  if (first.type === '$' && ttl?.type === ':')
    return { kind: 'value', dump: first.value, ttlMs: Number(ttl.value) };
  return { kind: 'refused', text: 'an answer that is none' };
}

/** So much a second; what is not used is kept, up to `most`. */
class Allowance {
  private readonly perS: number;
  private readonly most: number;
  private left: number;
  private atUs = 0;

  constructor(perS: number, most: number) {
    this.perS = perS;
    this.most = most;
    this.left = most;
  }

  /** Whether there is anything left. */
  has(nowUs: number): boolean {
    this.left = Math.min(this.most, this.left + ((nowUs - this.atUs) / 1e6) * this.perS);
    this.atUs = nowUs;
    return this.left >= 1;
  }

  /** Takes `amount` if anything is left: it may be owed in part. */
  take(amount: number, nowUs: number): boolean {
    if (!this.has(nowUs)) return false;
    this.left -= amount;
    return true;
  }
}
