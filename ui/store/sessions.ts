/** The clients' connections: those open, and those closed lately, for their rows still name them. */
import type { ClientInfo, ClientState, OtherEvent } from 'rmtop';

type SessionEvent = Extract<OtherEvent, { type: 'session' | 'session-closed' }>;

/** One connection of a client. */
export type Session = ClientInfo & {
  readonly connection: number;
  readonly openedUs: number;
  /** Null while it is open. */
  readonly closedUs: number | null;
  readonly closedBecause: string | null;
};

const CLOSED_KEPT = 5000;

export class Sessions {
  private readonly byConnection = new Map<number, Session>();
  private readonly closed: number[] = [];
  open = 0;
  /** How each stood when the core was asked last. */
  states: ReadonlyMap<number, ClientState> = new Map();
  /** The highest number so far: it says how wide the column has to be. */
  highest = 0;

  get(connection: number): Session | undefined {
    return this.byConnection.get(connection);
  }

  /** Open ones first, the newest first. */
  list(): Session[] {
    return [...this.byConnection.values()].sort(
      (a, b) =>
        Number(a.closedUs !== null) - Number(b.closedUs !== null) || b.connection - a.connection,
    );
  }

  hear(event: SessionEvent): void {
    const known = this.byConnection.get(event.connection);
    if (event.type === 'session-closed') {
      if (known === undefined || known.closedUs !== null) return;
      this.open--;
      const closedBecause = event.error ?? event.by;
      this.byConnection.set(event.connection, { ...known, closedUs: event.atUs, closedBecause });
      this.forget(event.connection);
      return;
    }
    if (known === undefined) this.open++;
    const { connection, address, name, library, resp } = event;
    this.highest = Math.max(this.highest, connection);
    this.byConnection.set(connection, {
      connection,
      address,
      name,
      library,
      resp,
      openedUs: known?.openedUs ?? event.atUs,
      closedUs: null,
      closedBecause: null,
    });
  }

  private forget(connection: number): void {
    this.closed.push(connection);
    if (this.closed.length <= CLOSED_KEPT) return;
    const oldest = this.closed.shift();
    if (oldest !== undefined) this.byConnection.delete(oldest);
  }
}
