/**
 * What the core does not count: by key, prefix, slot and client, and what the mesh refuses. Made of every block that comes, whatever
 * is painted, filtered, frozen or evicted; what was lost on the way is counted in the feed, and the panes say so.
 */
import {
  type Block,
  type Decision,
  Facts,
  Glance,
  isStrayWrite,
  type RefusalCode,
  refusalBecause,
  SLOTS,
  type World,
} from 'rmtop';
import { Sample } from './count-table.js';
import { KeysTop } from './keys-top.js';
import { Redirects } from './redirects.js';
import { BytesTop, NumberTop } from './top.js';

const MOVED = Buffer.from('MOVED ');

/** Commands that the mesh refused for one reason. */
export type Refusal = {
  readonly command: string;
  /** The decision's code. */
  readonly code: string;
  /** In words: since which Envoy it is allowed, and what helps; null where the code says it all. */
  readonly because: string | null;
  count: number;
  readonly clients: Set<string>;
};

export class Tallies {
  readonly prefixes: BytesTop = new BytesTop();
  readonly clients: NumberTop = new NumberTop();
  /** By the slots of keys as clients send them. */
  readonly bySlot: NumberTop = new NumberTop(SLOTS, SLOTS);
  readonly keys: KeysTop = new KeysTop(this.prefixes, this.bySlot);
  readonly refusals: Map<string, Refusal> = new Map();
  /** `-MOVED` replies of servers, by upstream. */
  readonly moved: Map<string, number> = new Map();
  /** Those of them for writes that had gone to a replica: by upstream, and by command. */
  readonly strays: Map<string, Map<string, number>> = new Map();
  readonly redirects: Redirects = new Redirects();
  nils = 0;
  counted = 0;
  private readonly glance = new Glance();
  private readonly sample = new Sample();
  private readonly world: World;
  private readonly facts: Facts;
  private newestUs = 0;

  constructor(world: World) {
    this.world = world;
    this.facts = new Facts(world);
  }

  /** The arrival of the newest command, µs since the stream began. */
  get nowUs(): number {
    return this.newestUs;
  }

  /** Counts the commands of a block, which are at `offsets`. */
  count(
    block: Block,
    offsets: readonly number[],
    eventOf: (offset: number) => ReturnType<Block['command']>,
  ): void {
    const { glance } = this;
    for (const offset of offsets) {
      block.glance(offset, glance);
      this.one(glance);
      if (glance.redirects > 0) this.redirects.followed(this.facts.load(eventOf(offset)));
      if (glance.isError) this.failed(() => eventOf(offset));
    }
    this.counted += offsets.length;
  }

  private one(glance: Glance): void {
    const { command, atUs, durationUs, isError } = glance;
    if (atUs > this.newestUs) this.newestUs = atUs;
    if (glance.isNil) this.nils++;
    const { clients, keys, sample } = this;
    sample.set(
      atUs,
      command.spec?.writes === true,
      isError,
      glance.requestBytes + glance.replyBytes,
      durationUs,
    );
    const client = clients.row(glance.connection);
    if (client !== -1) clients.add(client, sample);
    if (command.argc < 2) return;
    const places = command.keys;
    for (let i = 0; i < places.length; i++) keys.take(command, places[i] as number, sample);
  }

  /** An error reply: whose is it? Only these are decided again. */
  private failed(event: () => ReturnType<Block['command']>): void {
    const facts = this.facts.load(event());
    const { decision } = facts;
    if (decision?.action.kind === 'refuse') this.refused(facts, decision, decision.action.error);
    else if (decision?.action.kind === 'forward' && decision.fault === null) {
      const { reply } = facts;
      const [part] = decision.action.parts;
      const upstream = part?.route?.upstream;
      if (part === undefined || upstream === undefined || reply?.type !== '-') return;
      this.redirects.handedOn(facts, reply.value.toString('latin1'));
      if (!reply.value.subarray(0, MOVED.length).equals(MOVED)) return;
      this.moved.set(upstream, (this.moved.get(upstream) ?? 0) + 1);
      if (facts.event !== null && isStrayWrite(facts.event.command, part))
        this.strayed(upstream, facts.event.command.name);
    }
  }

  private strayed(upstream: string, command: string): void {
    let strays = this.strays.get(upstream);
    if (strays === undefined) {
      strays = new Map();
      this.strays.set(upstream, strays);
    }
    strays.set(command, (strays.get(command) ?? 0) + 1);
  }

  private refused(facts: Facts, decision: Decision, error: RefusalCode): void {
    const name = facts.name.slice(0, 64) || '(empty)';
    const id = `${error} ${name}`;
    let refusal = this.refusals.get(id);
    if (refusal === undefined) {
      // Names that nobody has heard of could come without end.
      if (this.refusals.size >= 500) return;
      const config = this.world.config(decision.configVersion);
      const because =
        facts.event === null || config === undefined
          ? null
          : refusalBecause(error, facts.event.command, config.config);
      refusal = { command: name, code: error, because, count: 0, clients: new Set() };
      this.refusals.set(id, refusal);
    }
    refusal.count++;
    if (refusal.clients.size < 20)
      refusal.clients.add(facts.client?.name || facts.client?.library || `c${facts.connection}`);
  }
}
