/** Connections to servers: how many there are, and why the last one ended. */
import { describeCause, type OtherEvent } from 'rmtop';

type UpstreamEvent = Extract<OtherEvent, { type: 'upstream' }>;

/** All connections to one server of one upstream. */
export type Link = {
  readonly upstream: string;
  /** As announced. */
  readonly address: string;
  readonly dialled: string;
  /** Open now: those that clients share, and those that are a client's own (transactions, blocking commands, subscriptions). */
  shared: number;
  own: number;
  opened: number;
  /** Ended by something else than rmtop. */
  failed: number;
  lastCause: string | null;
};

const KEPT = 2000;

export class Links {
  private readonly links = new Map<string, Link>();

  get list(): readonly Link[] {
    return [...this.links.values()];
  }

  hear(event: UpstreamEvent): void {
    const link = this.linkOf(event);
    // One that was never ready was not among those that are open.
    const by = event.state === 'ready' ? 1 : event.state === 'closed' ? -1 : 0;
    if (event.own) link.own = Math.max(0, link.own + by);
    else link.shared = Math.max(0, link.shared + by);
    if (event.state === 'ready') {
      link.opened++;
      return;
    }
    const { cause } = event;
    if (cause === null || cause.code === 'removed' || cause.code === 'shutdown') return;
    link.failed++;
    link.lastCause = describeCause(cause);
  }

  private linkOf({ upstream, address, dialled }: UpstreamEvent): Link {
    const id = `${upstream} ${address}`;
    let link = this.links.get(id);
    if (link === undefined) {
      // Addresses of a cluster that is made anew all the time would come without end.
      if (this.links.size >= KEPT) this.links.delete(this.links.keys().next().value as string);
      link = {
        upstream,
        address,
        dialled,
        shared: 0,
        own: 0,
        opened: 0,
        failed: 0,
        lastCause: null,
      };
      this.links.set(id, link);
    }
    return link;
  }
}
