/** New faults on a served recording: which commands they hit, by the same rules and draws as in the proxy. */
import type { Command } from '../commands/command.js';
import { RmtopError } from '../errors.js';
import type { FaultTally } from '../events/stats.js';
import { askedBy } from '../filter/asked.js';
import type { ClientInfo } from '../filter/facts.js';
import { type ScopeContext, Scopes } from '../filter/scopes.js';
import { compileConfig } from '../mesh/compile.js';
import { type FaultRule, singleUpstreamConfig } from '../mesh/config.js';
import type { FaultPlan, Part } from '../mesh/decision.js';
import { ruleFault } from '../mesh/fault.js';
import { slotOf } from '../mesh/place.js';
import { RecordingRng, type Rng, seededRng } from '../mesh/rng.js';
import { type SlotRange, singleServer, slotPlacement } from '../mesh/topology.js';
import { RuleDraws } from '../proxy/chance.js';
import type { ServedNode } from './nodes.js';

const UPSTREAM = 'redis';
const ALONE = '127.0.0.1:6379';

/** What a scope cannot ask here: there is no mesh, so that nothing was routed, copied or refused. */
const OF_A_MESH: ReadonlySet<string> = new Set(
  'route policy why fault fault.id fault.kind mirrored split refused'.split(' '),
);
/** What is the same for every command of a single server. */
const OF_A_CLUSTER: ReadonlySet<string> = new Set('node node.addr shard role slot'.split(' '));

/** Throws USAGE for rules that mean nothing in a served recording. */
export function checkRules(rules: readonly FaultRule[], isCluster: boolean): void {
  for (const { action, scope } of rules) {
    const asked = askedBy(scope);
    const ofMesh = asked.find((name) => OF_A_MESH.has(name));
    if (ofMesh !== undefined)
      throw meaningless(
        `'if ${scope}': ${ofMesh} is a mesh's, and a served recording has none`,
        'rmtop serve FILE, and rmtop -u 127.0.0.1:6380 --fault … in front of it',
      );
    if (isCluster) continue;
    const ofCluster = asked.find((name) => OF_A_CLUSTER.has(name));
    if (ofCluster !== undefined)
      throw meaningless(
        `'if ${scope}': without --cluster there is but one server, for every ${ofCluster}`,
        'add --cluster',
      );
    if ((action.kind === 'moved' || action.kind === 'ask') && action.to === null)
      throw meaningless(
        `${action.kind}: without --cluster there is no other server`,
        `add --cluster, or say where to: ${action.kind} HOST:PORT`,
      );
  }
}

function meaningless(what: string, next: string): RmtopError {
  return new RmtopError('USAGE', `--fault ${what}`, { next: [next] });
}

/** A client as scopes see it; `info` changes with what it says of itself. */
export type FaultedClient = { readonly id: number; readonly info: ClientInfo };

/** The rules of a served recording, and what they did. */
export class ServedFaults {
  /** By rule. */
  readonly tallies: Map<string, FaultTally>;
  private readonly rules: readonly FaultRule[];
  private readonly context: ScopeContext;
  private readonly scopes: Scopes;
  private readonly jitter: Rng;

  /** `ranges` are those of the cluster that is served; null: one server. `nowUs` is a monotonic clock. */
  constructor(
    rules: readonly FaultRule[],
    ranges: readonly SlotRange[] | null,
    nowUs: () => number,
  ) {
    this.rules = rules;
    this.tallies = new Map(rules.map(({ id }) => [id, { inScope: 0, hits: 0 }]));
    const placement = ranges === null ? singleServer(ALONE) : slotPlacement(ranges);
    this.context = {
      topology: { version: 1, upstreams: { [UPSTREAM]: placement } },
      config: compileConfig(singleUpstreamConfig([ALONE])),
      clock: { nowUs },
    };
    this.scopes = new Scopes(() => this.context);
    this.jitter = seededRng(rules[0]?.seed ?? 0);
  }

  /** What draws for the commands of one client. */
  drawsOf(client: FaultedClient): RuleDraws {
    return new RuleDraws(this.scopes, (id) => this.tallyOf(id), client);
  }

  private tallyOf(id: string): FaultTally {
    let tally = this.tallies.get(id);
    if (tally === undefined) {
      tally = { inScope: 0, hits: 0 };
      this.tallies.set(id, tally);
    }
    return tally;
  }

  /** The fault that hits `command`, which a client sent to `self`, one of `nodes`; null where none does. */
  plan(
    command: Command,
    draws: RuleDraws,
    self: ServedNode,
    nodes: readonly ServedNode[],
  ): FaultPlan | null {
    const [first] = command.keys;
    const part: Part = {
      name: null,
      args: 'all',
      route: null,
      to: {
        upstream: UPSTREAM,
        slot: first === undefined ? -1 : slotOf(command.arg(first)),
        shard: self.shard,
        role: self.isPrimary ? 'primary' : 'replica',
        address: self.recorded === '' ? ALONE : self.recorded,
      },
      via: 'shared',
      rekey: null,
      mirrors: [],
      why: [],
    };
    const rng = new RecordingRng({
      below: (n) => this.jitter.below(n),
      rule: (rule, asked, parts) => draws.rule(rule, asked, parts),
    });
    const { topology } = this.context;
    const { plan } = ruleFault(this.rules, command, [part], topology, rng, false);
    if (plan === null) return null;
    this.tallyOf(plan.id).hits++;
    const { kind } = plan.action;
    return kind === 'moved' || kind === 'ask'
      ? { ...plan, error: readdressed(plan.error ?? '', nodes) }
      : plan;
  }
}

/** A redirect to a recorded node, by its address or its name, as one to where it is served. */
function readdressed(text: string, nodes: readonly ServedNode[]): string {
  const [kind = '', slot = '', to = ''] = text.split(' ');
  const node = nodes.find(({ recorded, alias }) => recorded === to || alias === to);
  return node === undefined ? text : `${kind} ${slot} ${node.host}:${node.port}`;
}
