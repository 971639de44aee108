/** What is looked at rather than counted: bytes of the clients' sockets, requests in flight, the shape of hash tables. */
import type { MeshGauges, MeshStats } from '../events/mesh-stats.js';
import { type TableShape, tableShape } from '../mesh/table-shape.js';
import type { Placement, Topology } from '../mesh/topology.js';
import type { Downstream } from './downstream.js';
import type { Pool } from './pool.js';

/** Looks at what goes on in one proxy. */
export class Gauges {
  /** A table has 65,537 places and changes rarely. */
  private readonly shapes = new WeakMap<Placement, { readonly shape: TableShape | null }>();

  /** As it is now, with `requests` of clients so far. */
  read(
    clients: Iterable<Downstream>,
    requests: number,
    pool: Pool,
    topology: Topology,
  ): MeshGauges {
    let rxBytes = 0;
    let txBytes = 0;
    let rxBuffered = 0;
    let txBuffered = 0;
    for (const client of clients) {
      rxBytes += client.socket.bytesRead;
      txBytes += client.socket.bytesWritten;
      rxBuffered += client.heldBytes;
      txBuffered += client.socket.writableLength + client.replies.waitingBytes;
    }
    const tables = Object.fromEntries(
      Object.entries(topology.upstreams).map(([name, placement]) => [name, this.shape(placement)]),
    );
    const upstreamActive = pool.waitingByUpstream();
    return { requests, rxBytes, txBytes, rxBuffered, txBuffered, upstreamActive, tables };
  }

  private shape(placement: Placement): TableShape | null {
    let known = this.shapes.get(placement);
    if (known === undefined) {
      known = { shape: tableShape(placement) };
      this.shapes.set(placement, known);
    }
    return known.shape;
  }
}

/** Keeps the bytes of a client that has left. */
export function keepBytes(stats: MeshStats, { socket }: Downstream): void {
  stats.rxBytes += socket.bytesRead;
  stats.txBytes += socket.bytesWritten;
}
