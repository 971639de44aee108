/**
 * The scripts of a recording: which EVALSHA found one, and whether the recording has its source, by SCRIPT LOAD or EVAL. A script that
 * was there before the recording began has to be there before its replay (recording page, 5).
 */
import { createHash } from 'node:crypto';
import type { CommandEvent } from '../events/event.js';

/** How EVALSHA used one script. */
export type ScriptUse = {
  /** Of the source, lower case hex. */
  readonly sha1: string;
  /** Number of the first EVALSHA, and how many there are. */
  readonly n: number;
  readonly uses: number;
};

type Known = {
  source: Buffer | null;
  loadedAt: number;
  usedAt: number;
  uses: number;
  was: boolean;
};

const USES: ReadonlySet<string> = new Set(['EVALSHA', 'EVALSHA_RO']);
const LOADS: Readonly<Record<string, number>> = { EVAL: 1, EVAL_RO: 1, 'SCRIPT LOAD': 2 };

/** What the mesh or the server says of a script, or of a command, that it does not take. */
const REFUSED = /^-(?:NOAUTH|NOPERM|CROSSSLOT|MOVED|ASK|ERR (?:un|invalid|Error compiling))/i;

/** Gathers scripts from the commands that are replayed, in any order. */
export class RecordedScripts {
  private readonly scripts = new Map<string, Known>();

  /** Learns from one command, whether it is sent or only read; `isSent`: what it loads is loaded by the replay as well. */
  add(event: CommandEvent, isSent: boolean): void {
    const { name } = event.command;
    const at = LOADS[name];
    if (at !== undefined) this.load(event, at, isSent);
    else if (isSent && USES.has(name)) this.use(event);
  }

  /** Those that were there before and whose source is known, in the order of their first use. */
  get sources(): readonly Buffer[] {
    return this.needed().flatMap(([, { source }]) => (source === null ? [] : [source]));
  }

  /** Those that were there before and whose source the recording does not have. */
  get missing(): readonly ScriptUse[] {
    return this.needed().flatMap(([sha1, { source, usedAt, uses }]) =>
      source === null ? [{ sha1, n: usedAt, uses }] : [],
    );
  }

  private needed(): [string, Known][] {
    return [...this.scripts]
      .filter(([, { was, usedAt, loadedAt }]) => was && usedAt < loadedAt)
      .sort(([, a], [, b]) => a.usedAt - b.usedAt);
  }

  private known(sha1: string): Known {
    let known = this.scripts.get(sha1);
    if (known === undefined) {
      const never = Number.POSITIVE_INFINITY;
      known = { source: null, loadedAt: never, usedAt: never, uses: 0, was: false };
      this.scripts.set(sha1, known);
    }
    return known;
  }

  private load({ seq, args, reply, outcome }: CommandEvent, at: number, isSent: boolean): void {
    const arg = args[at];
    if (arg?.kind !== 'whole') return;
    const known = this.known(sha1Of(arg.bytes));
    known.source ??= Buffer.from(arg.bytes);
    // A refusal, of the mesh for one, loads nothing; an error of the script itself comes after it was loaded.
    const isRefused =
      outcome.kind !== 'reply' || REFUSED.test(reply.bytes.toString('latin1', 0, 32));
    if (isSent && !isRefused) known.loadedAt = Math.min(known.loadedAt, seq);
  }

  private use({ seq, args, reply }: CommandEvent): void {
    const [, arg] = args;
    if (arg?.kind !== 'whole' || reply.bytes.length === 0) return;
    const known = this.known(arg.bytes.toString('latin1').toLowerCase());
    known.uses++;
    if (seq > known.usedAt) return;
    known.usedAt = seq;
    known.was = !reply.bytes.toString('latin1', 0, 9).startsWith('-NOSCRIPT');
  }
}

/** The name of a script, as SCRIPT LOAD gives it. */
export function sha1Of(source: Buffer): string {
  return createHash('sha1').update(source).digest('hex');
}
