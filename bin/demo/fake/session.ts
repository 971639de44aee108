/** What a fake server knows of one client's connection. */

import type { Reply } from 'rmtop';

/** Its state, changed by the commands of `connection.ts` and `transactions.ts`. */
export type Session = {
  readonly id: number;
  readonly address: string;
  name: string;
  resp: 2 | 3;
  /** After READONLY: a replica answers reads itself. */
  readonly: boolean;
  /** Between MULTI and EXEC. */
  queue: (readonly Buffer[])[] | null;
  /** A command could not be queued: EXEC will refuse. */
  spoilt: boolean;
  /** Keys under WATCH, and how often each had been written to. */
  readonly watched: Map<string, number>;
  readonly channels: Set<string>;
  /** Blocked, as by BLPOP: how to give up; null: not blocked. */
  stopWaiting: (() => void) | null;
  /** Set by QUIT: the connection ends after its reply. */
  ended: boolean;
  /** Writes to the client. */
  readonly send: (reply: Reply) => void;
  /** Reads what has come in the meantime. */
  readonly goOn: () => void;
};

/** The session of a client that has said nothing yet. */
export function newSession(
  id: number,
  address: string,
  send: (reply: Reply) => void,
  goOn: () => void,
): Session {
  return {
    id,
    address,
    send,
    goOn,
    name: '',
    resp: 2,
    readonly: false,
    queue: null,
    spoilt: false,
    watched: new Map(),
    channels: new Set(),
    stopWaiting: null,
    ended: false,
  };
}
