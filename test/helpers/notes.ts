/** Commands as the core writes them down, and the events a reader needs to decode them. */
import { Command, type SessionView } from '../../src/commands/command.js';
import { type CommandNote, FLAG } from '../../src/events/block.js';
import type { OtherEvent } from '../../src/events/event.js';
import { decide } from '../../src/mesh/decide.js';
import type { Decision } from '../../src/mesh/decision.js';
import type { Rng } from '../../src/mesh/rng.js';
import { type Placement, rangesOf, serversOf } from '../../src/mesh/topology.js';
import { encodeRequest } from '../../src/resp/encode.js';
import { FIRST_DRAW, type Mesh } from './mesh.js';

/** The note of `argv`, decided by `mesh`, and its decision; `more` are fields of the note. */
export function noteOf(
  argv: readonly (string | Buffer)[],
  mesh: Mesh,
  more: Partial<CommandNote> & { readonly session?: SessionView; readonly rng?: Rng } = {},
): { readonly note: CommandNote; readonly decision: Decision } {
  const { session, rng = FIRST_DRAW, ...fields } = more;
  const command = Command.of(argv, session);
  const decision = decide(command, mesh.topology, mesh.config, rng);
  const request =
    fields.requestBuf ?? (argv.length === 0 ? Buffer.from('*0\r\n') : encodeRequest(argv));
  const reply = fields.replyBuf ?? Buffer.from('+OK\r\n');
  const view = command.session;
  const note: CommandNote = {
    seq: 1,
    atUs: 1000,
    connection: 1,
    topologyVersion: decision.topologyVersion,
    configVersion: decision.configVersion,
    draws: decision.draws,
    attempts: null,
    queueUs: 20,
    upstreamUs: 300,
    burst: { first: fields.seq ?? 1, size: 1 },
    transactionKey: view.transactionKey,
    pinned: view.pinned,
    home: view.home,
    cause: null,
    requestBuf: request,
    requestStart: 0,
    requestEnd: request.length,
    requestTotal: request.length,
    replyBuf: reply,
    replyStart: 0,
    replyEnd: reply.length,
    replyTotal: reply.length,
    ...fields,
    flags: flagsOf(view) | (fields.flags ?? 0),
  };
  return { note, decision };
}

function flagsOf(view: SessionView): number {
  return (
    (view.authenticated ? FLAG.authenticated : 0) |
    (view.resp === 3 ? FLAG.resp3 : 0) |
    (view.multi ? FLAG.multi : 0) |
    (view.subscribed ? FLAG.subscribed : 0)
  );
}

/** The events that say what `mesh` is. */
export function stateOf(mesh: Mesh): OtherEvent[] {
  return [
    { type: 'config', atUs: 0, config: mesh.plain },
    {
      type: 'topology',
      atUs: 0,
      version: mesh.topology.version,
      upstreams: Object.fromEntries(
        Object.entries(mesh.topology.upstreams).map(([name, placement]) => [
          name,
          upstreamState(placement),
        ]),
      ),
    },
  ];
}

function upstreamState(
  placement: Placement,
): Extract<OtherEvent, { type: 'topology' }>['upstreams'][string] {
  return {
    kind: placement.shards.length === 0 && placement.kind === 'single' ? 'unknown' : placement.kind,
    source: 'CLUSTER SLOTS from seed:6379',
    ranges: placement.kind === 'slots' ? rangesOf(placement) : null,
    hosts:
      placement.kind === 'hosts' ? { placed: placement.hosts, balancer: placement.balancer } : null,
    servers: serversOf(placement).map((server) => ({
      ...server,
      dialled: server.address,
      reachable: true,
      error: null,
    })),
  };
}
