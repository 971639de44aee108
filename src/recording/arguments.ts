/** Whether an argument that came is one that was recorded, in whatever form the recording kept it (recording page, 7.1). */
import { createHash, createHmac } from 'node:crypto';
import type { Command } from '../commands/command.js';
import type { KeptArgument } from '../events/condense.js';
import { OPTION_WORDS } from './redact.js';
import type { Line } from './spoken.js';

const LONGEST_OPTION = 20;
/** Longer arguments stand in an index by their hash. */
const LONGEST_PLAIN = 256;

/** How many words the name has: `CONFIG GET` is one command. */
export function nameWords({ spec, argc }: Command): number {
  return spec !== undefined && (spec.parent !== null || (spec.container && argc > 1)) ? 2 : 1;
}

/** The same text for the same name and arguments, another for any others. */
export function exactKey(command: Command): string {
  const from = nameWords(command);
  let key = command.name;
  for (let i = from; i < command.argc; i++) key += ` ${plain(command.arg(i))}`;
  return key;
}

/** As `exactKey` for a recorded line that is whole; where something was removed, the same text for lines that cannot be told apart. */
export function keptKey({ command, args, hashes }: Line): string {
  let key = command.name;
  for (let i = nameWords(command); i < command.argc; i++) {
    const kept = args[i];
    if (kept === undefined || kept.kind === 'whole') key += ` ${plain(command.arg(i))}`;
    else key += kept.kind === 'cut' ? ` =${kept.sha256}` : ` !${hashes[i] ?? ''}`;
  }
  return key;
}

/** The same text for the same name and keys. */
export function keysKey(command: Command): string {
  let key = command.name;
  for (const at of command.keys) key += ` ${plain(command.arg(at))}`;
  return key;
}

function plain(bytes: Buffer): string {
  if (bytes.length <= LONGEST_PLAIN) return `${bytes.length}:${bytes.toString('latin1')}`;
  return `${bytes.length}#${createHash('sha256').update(bytes).digest('base64')}`;
}

/** Whether `asked` is the recorded `line`: option words in any case, removed arguments by their hash where `key` can make one, else any. */
export function fits(asked: Command, line: Line, key: string): boolean {
  const recorded = line.command;
  if (asked.argc !== recorded.argc || asked.name !== recorded.name) return false;
  for (let i = nameWords(asked); i < asked.argc; i++)
    if (!fitsArgument(asked, line, i, key)) return false;
  return true;
}

/** Whether argument `i` of `asked` is that of the recorded `line`. */
export function fitsArgument(asked: Command, line: Line, i: number, key: string): boolean {
  const kept = line.args[i];
  const bytes = asked.arg(i);
  if (kept === undefined) return false;
  if (kept.kind === 'whole' && !asked.keys.includes(i) && isSameOption(kept.bytes, bytes))
    return true;
  return fitsKept(bytes, kept, line.hashes[i] ?? null, key);
}

/** Whether `bytes` are what was recorded; `hash` is the keyed one of what was removed, where the recording has it. */
export function fitsKept(
  bytes: Buffer,
  kept: KeptArgument,
  hash: string | null,
  key: string,
): boolean {
  switch (kept.kind) {
    case 'whole':
      return kept.bytes.equals(bytes);
    case 'cut':
      return (
        kept.total === bytes.length &&
        kept.sha256 === createHash('sha256').update(bytes).digest('hex')
      );
    case 'redacted':
      if (hash === null || key === '') return true;
      return hash === createHmac('sha256', key).update(bytes).digest('hex').slice(0, 12);
  }
}

/** Whether nothing but the very same arguments are the recorded `line`, whatever comes. */
export function fitsOnlyItself({ args }: Line): boolean {
  return args.every(({ kind, bytes }) => kind === 'whole' && !isOption(bytes));
}

function isOption(bytes: Buffer): boolean {
  return bytes.length <= LONGEST_OPTION && OPTION_WORDS.has(bytes.toString('latin1').toUpperCase());
}

function isSameOption(a: Buffer, b: Buffer): boolean {
  if (a.length !== b.length || a.length > LONGEST_OPTION) return false;
  const word = a.toString('latin1').toUpperCase();
  return OPTION_WORDS.has(word) && word === b.toString('latin1').toUpperCase();
}
