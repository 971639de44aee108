/** What was said of the mesh and its clients so far: whoever gets some of the commands later needs it to understand them. */
import type { OtherEvent } from 'rmtop';

/** As many versions, and clients, as the context of a stream remembers. */
const VERSIONS_KEPT = 64;
const SESSIONS_KEPT = 10_000;

export class Past {
  private readonly events = new Map<string, OtherEvent>();
  private readonly versions: string[] = [];
  private readonly sessions = new Map<number, OtherEvent>();

  /** Takes in an event that is no command. */
  hear(event: OtherEvent): void {
    switch (event.type) {
      case 'hello':
        this.events.set('hello', event);
        return;
      case 'server':
        this.events.set(`server ${event.number}`, event);
        return;
      case 'config':
        this.keepVersion(`config ${event.config.version}`, event);
        return;
      case 'topology':
        this.keepVersion(`topology ${event.version}`, event);
        return;
      case 'session':
        this.sessions.delete(event.connection);
        this.sessions.set(event.connection, event);
        if (this.sessions.size > SESSIONS_KEPT)
          this.sessions.delete(this.sessions.keys().next().value as number);
        return;
      default:
    }
  }

  private keepVersion(name: string, event: OtherEvent): void {
    if (!this.events.has(name)) this.versions.push(name);
    this.events.set(name, event);
    if (this.versions.length > 2 * VERSIONS_KEPT)
      this.events.delete(this.versions.shift() as string);
  }

  /** In an order in which each can be understood. */
  get all(): OtherEvent[] {
    const first = [...this.events.values()].sort((a, b) => rank(a) - rank(b));
    return [...first, ...this.sessions.values()];
  }
}

/** Servers have their numbers first; a recording begins with its hello. */
function rank({ type }: OtherEvent): number {
  return ['server', 'hello', 'config', 'topology'].indexOf(type);
}
