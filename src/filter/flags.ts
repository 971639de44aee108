/** The flags of the filter language, and mitmproxy's short forms. See `ux.md` d.3 and d.4. */
import type { Facts } from './facts.js';
import type { Phase } from './fields.js';

/** A word that is true or false of a command. */
export type Flag = {
  readonly phase: Phase;
  readonly help: string;
  readonly get: (facts: Facts) => boolean;
};

const never = (): boolean => false;

/** All flags by name. */
export const FLAGS: Readonly<Record<string, Flag>> = {
  err: { phase: 'reply', help: 'the reply is an error', get: (facts) => facts.isError },
  nil: { phase: 'reply', help: 'the reply is null', get: (facts) => facts.isNil },
  pending: { phase: 'arrival', help: 'not answered yet', get: (facts) => facts.pending !== null },
  replied: {
    phase: 'reply',
    help: 'answered',
    get: (facts) => facts.event?.outcome.kind === 'reply',
  },
  held: { phase: 'arrival', help: 'held back', get: never },
  edited: { phase: 'arrival', help: 'edited while it was held', get: never },
  replayed: { phase: 'arrival', help: 'sent by rmtop itself', get: never },
  marked: { phase: 'arrival', help: 'has a mark', get: (facts) => facts.mark !== undefined },
  mirrored: { phase: 'decision', help: 'copied to a mirror', get: (facts) => facts.isMirrored },
  diff: {
    phase: 'mirror',
    help: "the mirror's reply differs",
    get: (facts) => facts.mirrors.some((mirror) => mirror.state === 'diff'),
  },
  fault: { phase: 'decision', help: 'a fault hit it', get: (facts) => facts.fault !== null },
  redirected: { phase: 'reply', help: 'MOVED or ASK was followed', get: (facts) => facts.hops > 0 },
  split: {
    phase: 'decision',
    help: 'became several requests',
    get: (facts) => facts.parts.length > 1,
  },
  slow: {
    phase: 'reply',
    help: 'ten times slower than usual for the command',
    get: (facts) => facts.isSlow,
  },
  tx: {
    phase: 'arrival',
    help: 'in a transaction, or about one',
    get: (facts) => facts.event?.command.session.multi === true || facts.classes.includes('tx'),
  },
  pubsub: {
    phase: 'arrival',
    help: 'publish and subscribe',
    get: (facts) => facts.classes.includes('pubsub'),
  },
  refused: { phase: 'decision', help: 'refused by the mesh', get: (facts) => facts.isRefused },
  all: { phase: 'arrival', help: 'every command', get: () => true },
};

/** mitmproxy's short forms: a flag; fields that need a value, or may go without (then: has it). A value is a regular expression. */
export type Tilde =
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'value' | 'optional'; readonly fields: readonly string[] };

export const TILDES: Readonly<Record<string, Tilde>> = {
  m: { kind: 'value', fields: ['cmd'] },
  k: { kind: 'value', fields: ['key'] },
  u: { kind: 'value', fields: ['key'] },
  b: { kind: 'value', fields: ['arg', 'reply'] },
  bq: { kind: 'value', fields: ['arg'] },
  bs: { kind: 'value', fields: ['reply'] },
  c: { kind: 'optional', fields: ['error'] },
  d: { kind: 'value', fields: ['node'] },
  src: { kind: 'value', fields: ['client.addr'] },
  dst: { kind: 'value', fields: ['node.addr'] },
  t: { kind: 'value', fields: ['rep.type'] },
  comment: { kind: 'optional', fields: ['note'] },
  marker: { kind: 'optional', fields: ['mark'] },
  meta: { kind: 'value', fields: ['route'] },
  q: { kind: 'flag', flag: 'pending' },
  s: { kind: 'flag', flag: 'replied' },
  e: { kind: 'flag', flag: 'err' },
  marked: { kind: 'flag', flag: 'marked' },
  replay: { kind: 'flag', flag: 'replayed' },
  all: { kind: 'flag', flag: 'all' },
};

export function isFlag(name: string): boolean {
  return Object.hasOwn(FLAGS, name);
}
