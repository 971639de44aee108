/** Random meshes, sessions and commands: inputs of `decide`. */
import fc from 'fast-check';
import { NO_PEER, type SessionView } from '../../src/commands/command.js';
import { COMMANDS } from '../../src/commands/table.js';
import {
  type FaultAction,
  type FaultRule,
  type MeshFault,
  type MirrorPolicy,
  NEWEST_ENVOY,
  OLDEST_ENVOY,
  plainRoute,
  READ_POLICIES,
  type Route,
} from '../../src/mesh/config.js';
import {
  NO_SERVERS,
  type Placement,
  type SlotRange,
  singleServer,
  slotPlacement,
} from '../../src/mesh/topology.js';
import { bytes } from './arbitraries.js';
import { type Mesh, type MeshOptions, meshOf, primaryOf, replicaOf } from './mesh.js';

const range: fc.Arbitrary<SlotRange> = fc
  .tuple(fc.nat(16383), fc.nat(16383), fc.nat(3), fc.nat(3))
  .map(([a, b, shard, replicas]) => ({
    start: Math.min(a, b),
    end: Math.max(a, b),
    primary: primaryOf(shard),
    replicas: Array.from({ length: replicas }, (_, i) => replicaOf(shard, i + 1)),
  }));

const address = fc
  .tuple(fc.nat(3), fc.nat(3))
  .map(([shard, replica]) => (replica === 0 ? primaryOf(shard) : replicaOf(shard, replica)));

const placement: fc.Arbitrary<Placement> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.array(range, { maxLength: 6 }), fc.array(address))
      .map(([ranges, down]) => slotPlacement(ranges, new Set(down))),
  },
  { weight: 1, arbitrary: fc.boolean().map((healthy) => singleServer('h:1', healthy)) },
  { weight: 1, arbitrary: fc.constant(NO_SERVERS) },
);

const mirror: fc.Arbitrary<MirrorPolicy> = fc.record({
  upstream: fc.constantFrom('a', 'b'),
  fraction: fc.record({ numerator: fc.constantFrom(0, 40, 100), of: fc.constant(100) }),
  excludeReads: fc.boolean(),
});

const route: fc.Arbitrary<Route> = fc
  .record({
    prefix: fc.constantFrom(null, 'k', 'k1', ''),
    upstream: fc.constantFrom('a', 'b'),
    readUpstream: fc.constantFrom(null, null, 'a', 'b'),
    mirrors: fc.array(mirror, { maxLength: 2 }),
  })
  .map((given) => ({ ...plainRoute(given.prefix, given.upstream), ...given }));

const delay = { kind: 'delay', ms: 9, jitterMs: 0, at: 'reply' } as const;
const error = { kind: 'error', text: 'ERR no', delayMs: 0, at: 'request' } as const;

const fault: fc.Arbitrary<MeshFault> = fc.record({
  id: fc.constantFrom('m1', 'm2'),
  on: fc.boolean(),
  percent: fc.constantFrom(0, 30, 100),
  commands: fc.subarray(['get', 'mget', 'client']),
  action: fc.constantFrom(delay, error),
});

const rule: fc.Arbitrary<FaultRule> = fc.record({
  id: fc.constantFrom('t1', 't2'),
  on: fc.boolean(),
  percent: fc.constantFrom(0.5, 30, 100),
  scope: fc.constant(''),
  action: fc.constantFrom<FaultAction>(
    { ...delay, jitterMs: 4 },
    error,
    { kind: 'moved', to: null },
    { kind: 'hang', ms: null },
  ),
  seed: fc.nat(),
  max: fc.constant(null),
});

const options: fc.Arbitrary<MeshOptions> = fc.record({
  readPolicy: fc.constantFrom(...READ_POLICIES),
  open: fc.boolean(),
  envoy: fc.oneof(fc.constant(NEWEST_ENVOY), fc.integer({ min: OLDEST_ENVOY, max: NEWEST_ENVOY })),
  protocolVersion: fc.constantFrom(2 as const, 2 as const, 3 as const),
  customCommands: fc.subarray(['json.get', 'client', 'xread', 'get', 'UPPER']),
  routes: fc.uniqueArray(route, { maxLength: 4, selector: ({ prefix }) => prefix }),
  faults: fc.array(fault, { maxLength: 2 }),
  rules: fc.array(rule, { maxLength: 2 }),
  upstreams: fc.record({ a: placement, b: placement }, { noNullPrototype: true }),
});

/** Any mesh of two upstreams, with mirrors, faults and rules, at any level. */
export const anyMesh: fc.Arbitrary<Mesh> = options.map((each) => meshOf(each));

/** Keys, often such as routes and tags make a difference for. */
export const anyKey: fc.Arbitrary<Buffer> = fc.oneof(
  fc.constantFrom('k', 'k1', 'k{1}', '{}{k}', 'other', '0', '1', '2').map(Buffer.from),
  bytes,
);
const argument = fc.oneof(
  { weight: 4, arbitrary: anyKey },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        ...'STREAMS STORE KEYS GET SET SETNAME SLOTS LEN RESET SETUSER AUTH 3 x'.split(' '),
      )
      .map((word) => Buffer.from(word)),
  },
);
/** A command's words: of any command or none, with any arguments; no words at all for what was no request. */
export const anyWords: fc.Arbitrary<Buffer[]> = fc.oneof(
  {
    weight: 50,
    arbitrary: fc
      .tuple(
        fc.oneof(
          fc.constantFrom(...COMMANDS.map((spec) => spec.name)),
          fc.constantFrom('json.get', 'NOSUCH', 'upper', ''),
        ),
        fc.boolean(),
        fc.array(argument, { maxLength: 6 }),
      )
      .map(([name, lower, args]) => [
        ...(lower ? name.toLowerCase() : name).split(' ').map((word) => Buffer.from(word)),
        ...args,
      ]),
  },
  { weight: 1, arbitrary: fc.constant<Buffer[]>([]) },
);

/** A client's session in any state. */
export const anySession: fc.Arbitrary<SessionView> = fc.record(
  {
    authenticated: fc.oneof(fc.constant(true), fc.boolean()),
    resp: fc.constantFrom(2 as const, 3 as const),
    multi: fc.boolean(),
    transactionKey: fc.option(anyKey),
    pinned: fc.option(address),
    subscribed: fc.oneof(fc.constant(false), fc.boolean()),
    home: fc.option(address),
    peer: fc.constant(NO_PEER),
  },
  { noNullPrototype: true },
);
