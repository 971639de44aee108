/** Who logged in, in a recording: AUTH, and HELLO with AUTH. */
import type { Command } from '../commands/command.js';
import type { KeptArgument } from '../events/condense.js';
import { fitsKept } from './arguments.js';
import type { RecordedCommand } from './command.js';
import { lineOf } from './spoken.js';

/** Positions of user and password in a command that logs in; `user` is null for the default user. */
type LoginAt = { readonly user: number | null; readonly password: number };

/** An argument as far as it was kept, and the keyed hash of what was removed. */
type Kept = { readonly kept: KeptArgument; readonly hash: string | null };

/** A login of a recording. `refused` is the error it got; null: it was accepted. */
export type RecordedLogin = {
  readonly user: Kept | null;
  readonly password: Kept;
  readonly refused: Buffer | null;
};

/** What logs in the user that has no name. */
const DEFAULT_USER = Buffer.from('default');
const MINUS = 0x2d;

/** Where user and password stand; null for a command that does not log in, or is not well-formed. */
export function loginIn(command: Command): LoginAt | null {
  const { name, argc } = command;
  if (name === 'AUTH') {
    if (argc === 2) return { user: null, password: 1 };
    return argc === 3 ? { user: 1, password: 2 } : null;
  }
  if (name !== 'HELLO') return null;
  for (let i = 2; i < argc; i++) {
    const option = command.text(i, 16).toUpperCase();
    if (option === 'AUTH') return i + 2 < argc ? { user: i + 1, password: i + 2 } : null;
    if (option === 'SETNAME') i++;
  }
  return null;
}

/** The login that a recorded command was; null for any other, and for one that was never answered. */
export function recordedLogin(event: RecordedCommand): RecordedLogin | null {
  const at = loginIn(event.command);
  const { bytes } = event.reply;
  if (at === null || bytes.length === 0) return null;
  const { args, hashes } = lineOf(event);
  const keptAt = (i: number): Kept => ({
    kept: args[i] ?? { kind: 'redacted', rule: 'auth', bytes: Buffer.alloc(0) },
    hash: hashes[i] ?? null,
  });
  return {
    user: at.user === null ? null : keptAt(at.user),
    password: keptAt(at.password),
    refused: bytes[0] === MINUS ? Buffer.from(bytes) : null,
  };
}

/** The recorded login that one with `user` (null: the default one) and `password` is; an accepted one before one that was refused. */
export function findLogin(
  logins: readonly RecordedLogin[],
  user: Buffer | null,
  password: Buffer,
  redactKey: string,
): RecordedLogin | null {
  const found = logins.filter(
    (login) =>
      isUser(login.user, user ?? DEFAULT_USER, redactKey) &&
      fitsKept(password, login.password.kept, login.password.hash, redactKey),
  );
  return found.find(({ refused }) => refused === null) ?? found[0] ?? null;
}

function isUser(recorded: Kept | null, user: Buffer, redactKey: string): boolean {
  if (recorded === null) return user.equals(DEFAULT_USER);
  return fitsKept(user, recorded.kept, recorded.hash, redactKey);
}
