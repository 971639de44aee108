/** Decisions as lines of text: every kind of reason has its sentence, and nothing in them can act on a terminal. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Command } from '../../src/commands/command.js';
import { type FaultRule, plainRoute } from '../../src/mesh/config.js';
import { decide } from '../../src/mesh/decide.js';
import { explain } from '../../src/mesh/explain.js';
import type { Rng } from '../../src/mesh/rng.js';
import { singleServer, slotPlacement } from '../../src/mesh/topology.js';
import { bytes } from '../helpers/arbitraries.js';
import { holds } from '../helpers/check.js';
import { clusterOf, FIRST_DRAW, type MeshOptions, meshOf, primaryOf } from '../helpers/mesh.js';

function lines(
  argv: string | readonly (string | Buffer)[],
  options: MeshOptions = {},
  session: Partial<Command['session']> = {},
): string[] {
  const mesh = meshOf(options);
  const command = Command.of(typeof argv === 'string' ? argv.split(' ') : argv);
  command.session = { ...command.session, ...session };
  const decision = decide(command, mesh.topology, mesh.config, FIRST_DRAW);
  return explain(command, decision, mesh.topology, mesh.plain).map(
    ({ stage, text }) => `${stage}: ${text}`,
  );
}

const GAP = slotPlacement([{ start: 0, end: 9, primary: primaryOf(0), replicas: [] }]);

const ROWS: Readonly<
  Record<
    string,
    readonly [
      command: string,
      lines: readonly string[],
      mesh?: MeshOptions,
      session?: Partial<Command['session']>,
    ]
  >
> = {
  'a read by its whole key': [
    'GET foo',
    [
      'route: catch-all > redis',
      'place: slot 12182 = crc16("foo") mod 16384, no {tag}, owner s2 10923-16383',
      'choose: a read under MASTER, so the primary',
      'node: s2.p 10.0.0.2:6379 (primary)',
    ],
  ],
  'a write by a tag': [
    'SET cart:{bar}:x 1',
    [
      'route: catch-all > redis',
      'place: slot 5061 = crc16("bar") mod 16384, the {tag} of "cart:{bar}:x", owner s0 0-5460',
      'choose: a write by Envoy’s list, so the primary',
      'node: s0.p 10.0.0.0:6379 (primary)',
    ],
  ],
  'a prefix route': [
    'GET user:{foo}',
    [
      'route: prefix "user:" > redis',
      'place: slot 12182 = crc16("foo") mod 16384, the {tag} of "user:{foo}", owner s2 10923-16383',
      'choose: a read under MASTER, so the primary',
      'node: s2.p 10.0.0.2:6379 (primary)',
    ],
    { routes: [plainRoute('user:', 'redis')] },
  ],
  'the catch-all among prefixes': [
    'ROLE',
    [
      'split: 1 requests, one to each shard',
      'route: catch-all (not "user:") > redis',
      'place: shard 0 of 1',
      'choose: a read under MASTER, so the primary',
      'node: s0.p 10.0.0.0:6379 (primary)',
    ],
    {
      routes: [plainRoute('user:', 'redis'), plainRoute(null, 'redis')],
      upstreams: { redis: clusterOf(1) },
    },
  ],
  'no route': [
    'GET foo',
    [
      'route: no prefix matches and there is no catch-all',
      'refuse: -no upstream host',
      'why: no prefix route matches the key, and there is no catch-all route',
    ],
    { routes: [plainRoute('user:', 'redis')] },
  ],
  'no servers': [
    'GET foo',
    [
      'route: catch-all > redis',
      'place: the upstream has no servers yet',
      'refuse: -no upstream host',
      'why: the upstream has no server for this: see the topology',
    ],
    { upstreams: { redis: clusterOf(0) } },
  ],
  'one server': [
    'GET foo',
    [
      'route: catch-all > redis',
      'place: one server, no slots',
      'choose: a read under MASTER, so the primary',
      'node: s0.p h:1 (primary)',
    ],
    { upstreams: { redis: singleServer('h:1') } },
  ],
  'a slot without an owner': [
    'GET foo',
    [
      'route: catch-all > redis',
      'place: slot 12182 has no owner: Envoy takes shard 0',
      'choose: a read under MASTER, so the primary',
      'node: s0.p 10.0.0.0:6379 (primary)',
    ],
    { upstreams: { redis: GAP } },
  ],
  'a split command': [
    'MGET foo bar',
    [
      'split: 2 requests, one for each key',
      'part: get "foo"',
      'route: catch-all > redis',
      'place: slot 12182 = crc16("foo") mod 16384, no {tag}, owner s2 10923-16383',
      'choose: a read under MASTER, so the primary',
      'node: s2.p 10.0.0.2:6379 (primary)',
      'part: get "bar"',
      'route: catch-all > redis',
      'place: slot 5061 = crc16("bar") mod 16384, no {tag}, owner s0 0-5460',
      'choose: a read under MASTER, so the primary',
      'node: s0.p 10.0.0.0:6379 (primary)',
    ],
  ],
  pairs: [
    'MSET foo 1',
    [
      'split: 1 requests, one for each pair',
      'route: catch-all > redis',
      'place: slot 12182 = crc16("foo") mod 16384, no {tag}, owner s2 10923-16383',
      'choose: a write by Envoy’s list, so the primary',
      'node: s2.p 10.0.0.2:6379 (primary)',
    ],
  ],
  'a random shard': [
    'RANDOMKEY',
    [
      'route: catch-all > redis',
      'place: shard 0, drawn at random of 3',
      'choose: a read under MASTER, so the primary',
      'node: s0.p 10.0.0.0:6379 (primary)',
    ],
  ],
  'an answer': ['PING', ['answer: rmtop answers PING itself, as Envoy does; no server is asked']],
  'a refusal that says it all': ['EXEC', ['refuse: -EXEC without MULTI']],
  'a command that came later': [
    'SCAN 0',
    [
      "refuse: -ERR unknown command 'SCAN', with args beginning with: 0",
      'why: Envoy 1.34 does not know SCAN yet: it came with Envoy 1.35',
    ],
    { envoy: 34 },
  ],
  'a command that never came': [
    'blpop foo 0',
    [
      "refuse: -ERR unknown command 'blpop', with args beginning with: foo",
      'why: Envoy 1.40 does not know BLPOP, nor does any other; --open forwards it',
    ],
  ],
  'the RESP3 gate': [
    'GET foo',
    [
      'refuse: -NOPROTO unsupported protocol version',
      'why: the listener speaks RESP3: a client says HELLO 3 first',
    ],
    { protocolVersion: 3 },
  ],
  'the wrong HELLO': [
    'HELLO 3',
    [
      'refuse: -NOPROTO unsupported protocol version',
      'why: the listener speaks RESP2: node-redis 6 connects with RESP: 2, redis-py 8 with protocol=2; --open accepts HELLO 3',
    ],
    { envoy: 39 },
  ],
  'what --open forwards': [
    'BLPOP foo 0',
    [
      'admit: the mesh would refuse this (unknown-command); --open forwards it',
      'route: catch-all > redis',
      'place: slot 12182 = crc16("foo") mod 16384, no {tag}, owner s2 10923-16383',
      'choose: not a read, so the primary',
      'node: s2.p 10.0.0.2:6379 (primary), on a connection of the client’s own',
    ],
    { open: true },
  ],
  'what --open sends to all nodes': [
    'LATENCY RESET',
    [
      'admit: the mesh would refuse this (unknown-command); --open forwards it',
      'split: 2 requests, one to each node',
      'part: LATENCY',
      'place: shard 0 of 1',
      'choose: a read under MASTER, so the primary',
      'node: s0.p 10.0.0.0:6379 (primary)',
      'part: LATENCY',
      'place: shard 0 of 1',
      'choose: every node is asked',
      'node: s0.r1 10.0.1.0:6379 (replica)',
    ],
    { open: true, upstreams: { redis: clusterOf(1) } },
  ],
  'the first command of a transaction': [
    'GET foo',
    [
      'route: catch-all > redis',
      'place: slot 12182 = crc16("foo") mod 16384, no {tag}, owner s2 10923-16383',
      'choose: a transaction, so the primary, whatever the policy',
      'node: s2.p 10.0.0.2:6379 (primary), on a connection of the client’s own',
    ],
    { readPolicy: 'REPLICA' },
    { multi: true },
  ],
  'a later command of a transaction': [
    'SET bar 1',
    [
      'route: catch-all > redis',
      'place: slot 12182 = crc16("foo") mod 16384, no {tag}, owner s2 10923-16383',
      'choose: the server this client’s own connection is to',
      'node: s2.p 10.0.0.2:6379 (primary), on a connection of the client’s own',
    ],
    {},
    { multi: true, transactionKey: Buffer.from('foo'), pinned: primaryOf(2) },
  ],
};

for (const [rule, [command, expected, mesh, session]] of Object.entries(ROWS)) {
  test(`${rule}: ${command}`, () => assert.deepEqual(lines(command, mesh, session), expected));
}

const POLICIES: readonly (readonly [
  policy: MeshOptions['readPolicy'],
  down: readonly string[],
  line: string,
])[] = [
  ['PREFER_MASTER', [], 'choose: a read under PREFER_MASTER: only s2.p'],
  ['REPLICA', [], 'choose: a read under REPLICA: one of s2.r1 s2.r2'],
  [
    'PREFER_REPLICA',
    ['s2.r1', 's2.r2'],
    'choose: a read under PREFER_REPLICA, which found nobody healthy: one of s2.p, unhealthy s2.r1 s2.r2 instead',
  ],
  ['ANY', [], 'choose: a read under ANY, drawn at random: one of s2.p s2.r1 s2.r2'],
  [
    'ANY',
    ['s2.r1'],
    'choose: a read under ANY, drawn at random: one of s2.p s2.r2, unhealthy s2.r1',
  ],
  [
    'ANY',
    ['s2.p', 's2.r1', 's2.r2'],
    'choose: a read under ANY, drawn at random: one of unhealthy s2.p s2.r1 s2.r2',
  ],
];
for (const [readPolicy, down, line] of POLICIES) {
  test(`${readPolicy} with ${down.length === 0 ? 'all healthy' : `${down.join(', ')} down`}`, () => {
    assert.equal(
      lines('GET foo', {
        readPolicy: readPolicy ?? 'ANY',
        upstreams: { redis: clusterOf(3, 2, down) },
      })[2],
      line,
    );
  });
}

test('a rule that is not asked is said to be out of its scope; those behind a hit are not spoken of', () => {
  const rule = (id: string, scope: string, on = true): FaultRule => ({
    ...{ id, on, percent: 100, scope, seed: 1, max: null },
    action: { kind: 'error', text: 'LOADING', delayMs: 0, at: 'request' },
  });
  const rules = [rule('t1', 'cmd=SET'), rule('t2', '', false), rule('t3', ''), rule('t4', '')];
  const mesh = meshOf({ rules });
  const command = Command.of(['GET', 'foo']);
  const asked: Rng = { below: () => 0, rule: ({ id }) => (id === 't1' ? -1 : 0) };
  const decision = decide(command, mesh.topology, mesh.config, asked);
  const said = explain(command, decision, mesh.topology, mesh.plain);
  assert.deepEqual(
    said.filter(({ stage }) => stage === 'fault').map(({ text, dim }) => [text, dim === true]),
    [
      ['t3: drew 0 of 100, below 100', false],
      ['t1: not in its scope cmd=SET', true],
      ['t3 hits: -LOADING; nothing is sent, whatever stands above', false],
    ],
  );
});

test('a write that Envoy takes for a read and sends to a replica is told to be a trap', () => {
  const trap = (argv: string, settings: MeshOptions): string | undefined =>
    lines(argv, settings).find((line) => line.startsWith('trap: '));
  assert.equal(
    trap('XADD foo * a b', { readPolicy: 'REPLICA' }),
    'trap: XADD is not in Envoy’s list of writes, and the replica will answer MOVED, which enable_redirection would follow; under MASTER it goes to the primary',
  );
  assert.match(
    trap('XADD foo * a b', { readPolicy: 'REPLICA', enableRedirection: true }) ?? '',
    /MOVED, which redirection follows/,
  );
  for (const argv of ['GET foo', 'SET foo 1', 'XRANGE foo - +'])
    assert.equal(trap(argv, { readPolicy: 'REPLICA' }), undefined);
  assert.equal(trap('XADD foo * a b', { readPolicy: 'MASTER' }), undefined);
});

test('clients that ask for RESP3 unasked are told what to set, where HELLO is not known either', () => {
  const told = lines('HELLO 3', { envoy: 36 }).at(-1);
  assert.match(
    told ?? '',
    /^why: Envoy 1\.36 does not know HELLO yet: .*; node-redis 6 connects with RESP: 2/,
  );
  assert.doesNotMatch(lines('HELLO 2', { envoy: 36 }).at(-1) ?? '', /node-redis/);
});

test('REPLICA without a replica', () => {
  const said = lines('GET foo', { readPolicy: 'REPLICA', upstreams: { redis: clusterOf(3, 0) } });
  assert.equal(said[2], 'choose: a read under REPLICA, but the shard has no replica');
});

test('a key is quoted, its bytes escaped, a long one cut', () => {
  assert.match(
    lines(['GET', 'a"\\\x1b[31m\n\x80'])[1] as string,
    /crc16\("a\\"\\\\\\x1b\[31m\\x0a\\xc2\\x80"\)/,
  );
  assert.match(lines(['GET', 'k'.repeat(200)])[1] as string, /crc16\("k{117}\.\.\."\)/);
});

test('no line holds a byte that could act on a terminal', () => {
  const options = [
    {},
    { open: true },
    { open: true, envoy: 20 },
    { routes: [plainRoute('\x1b', 'redis')] },
  ] as const;
  holds(
    fc.property(
      fc.constantFrom(...options),
      fc.constantFrom('GET', 'MGET', 'EVAL', 'NOSUCH', 'CLIENT', 'HELLO', ''),
      fc.array(bytes, { maxLength: 4 }),
      (mesh, name, args) => {
        for (const line of lines([Buffer.from(`${name}`), ...args], mesh))
          assert.match(line, /^[\x20-\x7e’]*$/, JSON.stringify(line));
      },
    ),
    1000,
  );
});
