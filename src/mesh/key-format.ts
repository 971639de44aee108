/** A route's `key_formatter` (mesh page, 3.4): a text whose `%KEY%` becomes the key, and a few more of Envoy's substitutions. */
import type { Peer } from '../commands/command.js';

/** A template in pieces; null stands for the key. */
export type KeyFormat = readonly (Buffer | Substitution | null)[];

type Substitution = (peer: Peer) => string;

/** What of a connection can stand in a template. Others are left as they are; the reader of configurations warns of them. */
const SUBSTITUTIONS: Readonly<Record<string, Substitution>> = {
  DOWNSTREAM_REMOTE_ADDRESS: (peer) => peer.remote,
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (peer) => hostOf(peer.remote),
  DOWNSTREAM_REMOTE_PORT: (peer) => portOf(peer.remote),
  DOWNSTREAM_LOCAL_ADDRESS: (peer) => peer.local,
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: (peer) => hostOf(peer.local),
  DOWNSTREAM_LOCAL_PORT: (peer) => portOf(peer.local),
};

/** The substitutions of `template` that rmtop does not know, `%` and all. */
export function unknownSubstitutions(template: string): string[] {
  return [...template.matchAll(/%([^%]*)%/g)]
    .filter(([, name]) => name !== 'KEY' && !Object.hasOwn(SUBSTITUTIONS, name ?? ''))
    .map(([whole]) => whole);
}

/** Takes a template apart. */
export function compileFormat(template: string): KeyFormat {
  const pieces: (Buffer | Substitution | null)[] = [];
  let rest = 0;
  for (const found of template.matchAll(/%([^%]*)%/g)) {
    const name = found[1] ?? '';
    const known = name === 'KEY' ? null : Object.hasOwn(SUBSTITUTIONS, name) && SUBSTITUTIONS[name];
    if (known === false || known === undefined) continue;
    if (found.index > rest) pieces.push(Buffer.from(template.slice(rest, found.index)));
    pieces.push(known);
    rest = found.index + found[0].length;
  }
  if (rest < template.length) pieces.push(Buffer.from(template.slice(rest)));
  return pieces;
}

/** The key that `format` makes of `key`; an empty result leaves the key as it is. */
export function formatKey(format: KeyFormat, key: Buffer, peer: Peer): Buffer {
  const made = Buffer.concat(
    format.map((piece) =>
      piece === null ? key : typeof piece === 'function' ? Buffer.from(piece(peer)) : piece,
    ),
  );
  return made.length === 0 ? key : made;
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1);
}
