/** `--auth recorded`: clients of a served recording log in as those of the recording did. */
import type { Command } from '../commands/command.js';
import { findLogin, loginIn } from '../recording/logins.js';
import type { Script } from '../recording/script.js';
import { encodeError } from '../resp/encode.js';

const WRONG_PASS = 'WRONGPASS invalid username-password pair or user is disabled.';
const NO_AUTH = 'NOAUTH Authentication required.';
const NO_AUTH_HELLO =
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time';
/** What may be said before. */
const OPEN: ReadonlySet<string> = new Set(['AUTH', 'HELLO', 'QUIT', 'RESET']);
/** Names neither user nor password: it is told to whoever serves the recording. */
const UNKNOWN = 'a login that was not recorded';

/** Who may ask. One for all clients. */
export class Logins {
  private readonly script: Pick<Script, 'logins' | 'isLoginNeeded'>;
  private readonly redactKey: string;
  private readonly miss: (text: string) => void;

  constructor(
    script: Pick<Script, 'logins' | 'isLoginNeeded'>,
    redactKey: string,
    miss: (text: string) => void,
  ) {
    this.script = script;
    this.redactKey = redactKey;
    this.miss = miss;
  }

  /** What `command` is refused with; null: it may go on. `isIn`: the client has logged in. */
  refusal(command: Command, isIn: boolean): Buffer | null {
    const { name, argc } = command;
    const isShut = !isIn && this.script.isLoginNeeded;
    if (!OPEN.has(name)) return isShut ? encodeError(NO_AUTH) : null;
    const at = loginIn(command);
    if (at !== null) {
      const user = at.user === null ? null : command.arg(at.user);
      const login = findLogin(this.script.logins, user, command.arg(at.password), this.redactKey);
      if (login !== null) return login.refused;
      this.miss(UNKNOWN);
      return encodeError(WRONG_PASS);
    }
    if (name === 'AUTH')
      return encodeError(
        argc > 3 ? 'ERR syntax error' : "ERR wrong number of arguments for 'auth' command",
      );
    return name === 'HELLO' && isShut ? encodeError(NO_AUTH_HELLO) : null;
  }
}
