/** What is sent where: the classes of commands (mesh page, 2.2 to 2.8, 2.11) and the surprises of section 13 that concern them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { COMMANDS } from '../../src/commands/table.js';
import { plainRoute } from '../../src/mesh/config.js';
import { partsOf } from '../../src/mesh/decision.js';
import { slotPlacement } from '../../src/mesh/topology.js';
import {
  Client,
  clusterOf,
  type MeshOptions,
  meshOf,
  primaryOf,
  replicaOf,
} from '../helpers/mesh.js';

// Slots over three shards: foo 12182 and a 15495 on s2, bar 5061 and b 3300 on s0, c 7365 on s1.

type Row = readonly [
  rule: string,
  command: string | readonly string[],
  outcome: string,
  mesh?: MeshOptions,
];

function table(name: string, rows: readonly Row[]): void {
  test.describe(name, () => {
    for (const [rule, command, outcome, mesh] of rows) {
      test(`${rule}: ${typeof command === 'string' ? command : JSON.stringify(command)}`, () => {
        assert.equal(new Client(meshOf(mesh)).says(command), outcome);
      });
    }
  });
}

const ONE_PREFIX: MeshOptions = { routes: [plainRoute('user:', 'redis')] };
const EMPTY: MeshOptions = { upstreams: { redis: clusterOf(0) } };
const NOBODY = '-no upstream host';
const REPLICA: MeshOptions = { readPolicy: 'REPLICA' };

table('single-key commands (2.3)', [
  ['go whole to the owner of element 1', 'GET foo', '*>s2.p'],
  ['whatever else they have', 'SET bar 1 EX 60', '*>s0.p'],
  ['whatever the case of the name', 'gEt c', '*>s1.p'],
  ['an empty key is placed like any other', ['GET', ''], '*>s0.p'],
  ['only element 1 is looked at: RENAME', 'RENAME foo bar', '*>s2.p'],
  ['only element 1 is looked at: SORT … STORE', 'SORT bar STORE foo', '*>s0.p'],
  ['surprise 3: MSETNX is not split', 'MSETNX foo 1 bar 2', '*>s2.p'],
  ['surprise 33: ZUNION is placed by its numkeys', 'ZUNION 2 foo bar', '*>s1.p'], // slot of "2": 5649
  ['surprise 33: BITOP is placed by its operation', 'BITOP AND foo foo', '*>s0.p'], // slot of "AND": 3102
  ['PUBLISH is placed by the name of its channel', 'PUBLISH foo hello', '*>s2.p'],
  ['no route', 'GET foo', NOBODY, ONE_PREFIX],
  ['no servers', 'GET foo', NOBODY, EMPTY],
]);

table('EVAL, EVALSHA, OBJECT (2.5)', [
  ['EVAL goes to the owner of element 3', 'EVAL script 1 foo', '*>s2.p'],
  ['EVALSHA too', 'evalsha sha 2 bar foo', '*>s0.p'],
  ['numkeys is never parsed', 'EVAL script x foo', '*>s2.p'],
  ['with numkeys 0 the first argument is the key', 'EVAL script 0 foo', '*>s2.p'],
  [
    'with numkeys 0 and nothing else',
    'EVAL script 0',
    "-wrong number of arguments for 'EVAL' command",
  ],
  [
    'fewer than four elements, the name as sent',
    'EvalSha sha',
    "-wrong number of arguments for 'EvalSha' command",
  ],
  ['OBJECT goes to the owner of element 2', 'OBJECT ENCODING foo', '*>s2.p'],
  ['whatever its subcommand', 'object nosuch bar', '*>s0.p'],
  ['OBJECT with two elements', 'OBJECT HELP', "-wrong number of arguments for 'OBJECT' command"],
  ['EVAL is a write, whatever the policy', 'EVAL script 1 foo', '*>s2.p', REPLICA],
  ['OBJECT is a read', 'OBJECT ENCODING foo', '*>s2.r1', REPLICA],
]);

table('split commands (2.6)', [
  [
    'MGET is one lower-case get a key',
    'MGET foo bar c',
    'get 1>s2.p | get 2>s0.p | get 3>s1.p (mget)',
  ],
  ['surprise 4: whatever its own case', 'MgEt foo', 'get 1>s2.p (mget)'],
  [
    'surprise 3: also where all keys live on one node',
    'MGET {x}a {x}b',
    'get 1>s2.p | get 2>s2.p (mget)',
  ],
  ['duplicates give duplicates', 'MGET foo foo', 'get 1>s2.p | get 2>s2.p (mget)'],
  ['MSET is one lower-case set a pair', 'MSET foo 1 bar 2', 'set 1 2>s2.p | set 3 4>s0.p (mset)'],
  [
    'an odd number of arguments after MSET, the name as sent',
    'mSet foo 1 bar',
    "-wrong number of arguments for 'mSet' command",
  ],
  ['MSET with a key alone', 'MSET foo', "-wrong number of arguments for 'MSET' command"],
  [
    'surprise 4: DEL’s fragments keep the client’s spelling',
    'dEl foo bar',
    '= 1>s2.p | = 2>s0.p (del)',
  ],
  ['EXISTS, TOUCH, UNLINK like DEL', 'EXISTS foo', '= 1>s2.p (del)'],
  ['TOUCH', 'TOUCH foo bar', '= 1>s2.p | = 2>s0.p (del)'],
  ['UNLINK', 'UNLINK foo bar', '= 1>s2.p | = 2>s0.p (del)'],
  ['MGET’s fragments are reads', 'MGET foo', 'get 1>s2.r1 (mget)', REPLICA],
  ['MSET’s fragments are writes', 'MSET foo 1', 'set 1 2>s2.p (mset)', REPLICA],
  ['EXISTS is a read, TOUCH a write', 'EXISTS foo', '= 1>s2.r1 (del)', REPLICA],
  ['EXISTS is a read, TOUCH a write', 'TOUCH foo', '= 1>s2.p (del)', REPLICA],
  [
    'a fragment without a host is that fragment’s own affair',
    'MGET user:1 foo',
    'get 1>s1.p | get 2>nobody (mget)',
    ONE_PREFIX,
  ],
  ['also when it is the only one', 'MGET foo', 'get 1>nobody (mget)', ONE_PREFIX],
  ['also for sums', 'DEL foo user:1', '= 1>nobody | = 2>s1.p (del)', ONE_PREFIX],
]);

table('all shards, merged (2.7)', [
  ['SCRIPT, whatever its subcommand', 'SCRIPT LOAD x', '*>s0.p | *>s1.p | *>s2.p (same)'],
  ['SCRIPT with one that Redis does not know', 'script nosuch', '*>s0.p | *>s1.p | *>s2.p (same)'],
  ['CONFIG SET', 'config set a b', '*>s0.p | *>s1.p | *>s2.p (same)'],
  ['CONFIG REWRITE', 'CONFIG REWRITE', '*>s0.p | *>s1.p | *>s2.p (same)'],
  ['CONFIG RESETSTAT', 'CONFIG ResetStat', '*>s0.p | *>s1.p | *>s2.p (same)'],
  ['CONFIG GET', 'CONFIG GET *', '*>s0.p | *>s1.p | *>s2.p (concat)'],
  [
    'any other CONFIG',
    'CONFIG HELP',
    '-ERR unsupported cluster scope command or invalid arguments',
  ],
  ['SLOWLOG GET', 'SLOWLOG GET 5', '*>s0.p | *>s1.p | *>s2.p (concat)'],
  ['SLOWLOG LEN', 'slowlog len', '*>s0.p | *>s1.p | *>s2.p (slowlog-len)'],
  ['SLOWLOG RESET', 'SLOWLOG RESET', '*>s0.p | *>s1.p | *>s2.p (same)'],
  [
    'any other SLOWLOG',
    'SLOWLOG HELP',
    '-ERR unsupported cluster scope command or invalid arguments',
  ],
  ['KEYS', 'KEYS *', '*>s0.p | *>s1.p | *>s2.p (concat)'],
  [
    'surprise 10: SELECT goes to the connections all share',
    'SELECT 1',
    '*>s0.p | *>s1.p | *>s2.p (same)',
  ],
  ['ROLE', 'ROLE', '*>s0.p | *>s1.p | *>s2.p (role)'],
  ['INFO with a section', 'INFO memory', '*>s0.p | *>s1.p | *>s2.p (info)'],
  [
    'they are reads: a server is chosen in each shard',
    'FLUSHALL',
    '*>s0.r1 | *>s1.r1 | *>s2.r1 (same)',
    REPLICA,
  ],
  ['surprise 17: without a catch-all there is no route', 'KEYS *', NOBODY, ONE_PREFIX],
  [
    'a route with the empty prefix will do',
    'KEYS *',
    '*>s0.p | *>s1.p | *>s2.p (concat)',
    { routes: [plainRoute('', 'redis')] },
  ],
  ['no shards', 'INFO', NOBODY, EMPTY],
  [
    'a shard without a host is that shard’s own affair',
    'KEYS *',
    '*>nobody | *>nobody (concat)',
    { upstreams: { redis: clusterOf(2, 0) }, ...REPLICA },
  ],
  [
    'one shard is merged like several',
    'KEYS *',
    '*>s0.p (concat)',
    { upstreams: { redis: clusterOf(1) } },
  ],
]);

table('INFO.SHARD (2.7)', [
  ['sends INFO to one shard', 'INFO.SHARD 1', 'INFO>s1.p'],
  ['with the section', 'info.shard 2 memory', 'INFO 2>s2.p'],
  [
    'four elements, the name as sent',
    'Info.Shard 0 a b',
    "-wrong number of arguments for 'Info.Shard' command",
  ],
  ['no number', 'INFO.SHARD x', '-ERR invalid shard_id - must be a numeric shard index'],
  ['a negative number', 'INFO.SHARD -1', '-ERR invalid shard_id - must be a numeric shard index'],
  ['an empty number', ['INFO.SHARD', ''], '-ERR invalid shard_id - must be a numeric shard index'],
  [
    'too large a number',
    'INFO.SHARD 999',
    '-ERR shard_id 999 out of range (0-1)',
    { upstreams: { redis: clusterOf(2) } },
  ],
  ['the first that is too large', 'INFO.SHARD 3', '-ERR shard_id 3 out of range (0-2)'],
  ['no shards', 'INFO.SHARD 0', NOBODY, EMPTY],
  ['no catch-all', 'INFO.SHARD 0', NOBODY, ONE_PREFIX],
]);

table('SCAN (2.8)', [
  ['goes to every shard', 'SCAN 0 COUNT 5', '*>s0.p | *>s1.p | *>s2.p (scan)'],
  ['is a read', 'scan 0', '*>s0.r1 | *>s1.r1 | *>s2.r1 (scan)', REPLICA],
  ['surprise 16: its route is that of its cursor', 'SCAN 0', NOBODY, ONE_PREFIX],
  [
    'surprise 16: its route is that of its cursor',
    'SCAN user:5',
    '*>s0.p | *>s1.p | *>s2.p (scan)',
    ONE_PREFIX,
  ],
  ['no shards', 'SCAN 0', NOBODY, EMPTY],
]);

table('one random shard (2.11)', [
  ['RANDOMKEY', 'RANDOMKEY', '*>s0.p'],
  ['CLUSTER INFO', 'cluster info', '*>s0.p'],
  ['CLUSTER SLOTS', 'CLUSTER slots', '*>s0.p'],
  ['CLUSTER KEYSLOT', 'CLUSTER KEYSLOT foo', '*>s0.p'],
  ['CLUSTER NODES', 'CLUSTER NODES', '*>s0.p'],
  ['CLUSTER SHARDS', 'CLUSTER SHARDS', '*>s0.p'],
  ['any other, in lower case', 'CLUSTER MyId', "-ERR cluster subcommand 'myid' is not supported"],
  ['no catch-all', 'RANDOMKEY', NOBODY, ONE_PREFIX],
  ['no shards', 'RANDOMKEY', NOBODY, EMPTY],
]);

test('the random shard is drawn, once, and can be any', () => {
  for (const [draw, alias] of [
    [0, 's0.p'],
    [1, 's1.p'],
    [2, 's2.p'],
  ] as const) {
    const client = new Client(
      meshOf(),
      {},
      {
        below(n) {
          assert.equal(n, 3);
          return draw;
        },
      },
    );
    assert.equal(client.says('RANDOMKEY'), `*>${alias}`);
    assert.deepEqual(client.last?.draws, [draw]);
  }
});

const ROUTED: MeshOptions = {
  routes: [
    plainRoute('user:', 'user'),
    plainRoute(null, 'redis'),
    plainRoute('user:vip:', 'vip'),
    plainRoute('a\x00', 'vip'),
  ],
  upstreams: { redis: clusterOf(3), user: clusterOf(2), vip: clusterOf(1) },
};

table('routes (3.1)', [
  ['the longest prefix wins', 'GET user:vip:1', '*>vip/s0.p', ROUTED],
  ['a shorter one matches the rest', 'GET user:{foo}', '*>user/s1.p', ROUTED],
  ['what matches none goes to the catch-all', 'GET x{foo}', '*>redis/s2.p', ROUTED],
  ['a prefix matches itself', 'GET user:', '*>user/s1.p', ROUTED], // slot 11969
  ['less than a prefix does not match', 'GET user{foo}', '*>redis/s2.p', ROUTED],
  ['a prefix is compared byte by byte, case and all', 'GET USER:{foo}', '*>redis/s2.p', ROUTED],
  [
    'split commands look each key up',
    'MGET user:{foo} bar',
    'get 1>user/s1.p | get 2>redis/s0.p (mget)',
    ROUTED,
  ],
  [
    'all shards of the catch-all',
    'KEYS *',
    '*>redis/s0.p | *>redis/s1.p | *>redis/s2.p (concat)',
    ROUTED,
  ],
  ['EVAL looks element 3 up', 'EVAL user:x 1 bar', '*>redis/s0.p', ROUTED],
  ['OBJECT looks element 2 up', 'OBJECT FREQ user:{bar}', '*>user/s0.p', ROUTED],
  ['a NUL byte is compared like any other', ['GET', 'a\x00b'], '*>vip/s0.p', ROUTED],
  [
    'before 1.36 a NUL byte ended the text',
    ['GET', 'a\x00{foo}'],
    '*>redis/s2.p',
    { ...ROUTED, envoy: 35 },
  ],
]);

table('reads and writes (2.4, surprises 22 and 23)', [
  ['a read of the list goes where the policy says', 'GET foo', '*>s2.r1', REPLICA],
  ['a write of the list goes to the primary', 'SET foo 1', '*>s2.p', REPLICA],
  ...['XADD', 'XACK', 'XDEL', 'XTRIM', 'GETSET', 'GETEX', 'PUBLISH', 'BF.ADD'].map(
    (name): Row => [
      `${name} writes, and counts as a read`,
      `${name} foo x y z`,
      '*>s2.r1',
      REPLICA,
    ],
  ),
  [
    'custom commands count as reads',
    'json.set foo',
    '*>s2.r1',
    { ...REPLICA, customCommands: ['json.set'] },
  ],
  ['WATCH counts as a read', 'WATCH foo', '*>s2.r1', REPLICA],
  [
    'REPLICA takes an unhealthy replica rather than the primary',
    'GET foo',
    '*>s2.r1',
    { ...REPLICA, upstreams: { redis: clusterOf(3, 1, ['s2.r1']) } },
  ],
  [
    'REPLICA without a replica has no host',
    'GET foo',
    NOBODY,
    { ...REPLICA, upstreams: { redis: clusterOf(3, 0) } },
  ],
  [
    'MASTER takes an unhealthy primary',
    'GET foo',
    '*>s2.p',
    { upstreams: { redis: clusterOf(3, 1, ['s2.p']) } },
  ],
  [
    'a write goes to an unhealthy primary',
    'SET foo 1',
    '*>s2.p',
    { readPolicy: 'ANY', upstreams: { redis: clusterOf(3, 1, ['s2.p']) } },
  ],
]);

test('every command of the table counts as a write exactly where the write list has it', () => {
  for (const { name, mesh, envoyWrite } of COMMANDS) {
    if (mesh !== 'simple') continue;
    const client = new Client(meshOf(REPLICA));
    assert.equal(client.says(`${name} foo`), envoyWrite ? '*>s2.p' : '*>s2.r1', name);
  }
});

test('surprise 19: slots that nobody owns go to shard 0, in silence', () => {
  const redis = slotPlacement([
    { start: 100, end: 200, primary: primaryOf(0), replicas: [] },
    { start: 5000, end: 5100, primary: primaryOf(1), replicas: [] },
  ]);
  const client = new Client(meshOf({ upstreams: { redis } }));
  assert.equal(client.says('GET foo'), '*>s0.p');
  assert.equal(client.says('GET bar'), '*>s1.p'); // 5061
  assert.equal(client.says('SET foo 1'), '*>s0.p');
});

test('surprise 2: tags count on a Redis Cluster', () => {
  assert.equal(new Client(meshOf()).says('GET {foo}x'), '*>s2.p');
  assert.equal(new Client(meshOf()).says('GET x{bar}{foo}'), '*>s0.p');
});

test('a decision knows what it was made with', () => {
  const client = new Client(meshOf());
  client.says('MGET foo bar');
  assert.deepEqual([client.last?.topologyVersion, client.last?.configVersion], [7, 1]);
  assert.deepEqual(
    partsOf(client.last as NonNullable<typeof client.last>).map(({ to, route }) => ({
      to,
      prefix: route?.prefix,
    })),
    [
      {
        to: { upstream: 'redis', slot: 12182, shard: 2, role: 'primary', address: primaryOf(2) },
        prefix: null,
      },
      {
        to: { upstream: 'redis', slot: 5061, shard: 0, role: 'primary', address: primaryOf(0) },
        prefix: null,
      },
    ],
  );
});

test('reasons are codes and figures, one a stage', () => {
  const client = new Client(meshOf({ readPolicy: 'PREFER_REPLICA' }));
  client.says('GET x{foo}');
  assert.deepEqual(client.last?.action, {
    kind: 'forward',
    merge: 'pass',
    parts: [
      {
        name: null,
        args: 'all',
        route: { prefix: null, upstream: 'redis' },
        to: { upstream: 'redis', slot: 12182, shard: 2, role: 'replica', address: replicaOf(2) },
        via: 'shared',
        rekey: null,
        mirrors: [],
        why: [
          { stage: 'route', code: 'catch-all', upstream: 'redis', isRead: false },
          { stage: 'place', code: 'hash-tag', slot: 12182, key: 1, from: 2, to: 5 },
          { stage: 'choose', code: 'policy', policy: 'PREFER_REPLICA', healthy: 1, of: 1 },
        ],
      },
    ],
  });
});

test('a single server that is no cluster gets everything', () => {
  const single = {
    kind: 'single',
    shards: [{ primary: { address: '10.9.9.9:1', healthy: true }, replicas: [], ranges: [] }],
  } as const;
  const client = new Client(meshOf({ upstreams: { redis: single } }));
  assert.equal(client.says('GET foo'), '*>s0.p');
  assert.equal(client.says('MGET foo bar'), 'get 1>s0.p | get 2>s0.p (mget)');
  assert.equal(client.says('KEYS *'), '*>s0.p (concat)');
  assert.equal(client.says('INFO.SHARD 1'), '-ERR shard_id 1 out of range (0-0)');
});
