/** How replies of parts become one (mesh page, 2.6 to 2.8), a row a case. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Merge } from '../../src/mesh/decision.js';
import { mergeReplies } from '../../src/proxy/merge.js';
import { bulk } from '../helpers/client.js';

function merged(
  merge: Merge,
  replies: readonly string[],
  arrival?: readonly number[],
  section: string | null = null,
): string {
  return mergeReplies({
    merge,
    name: 'X',
    replies: replies.map((bytes) => ({ bytes: Buffer.from(bytes), isOurs: false })),
    arrival: arrival ?? replies.map((_, i) => i),
    section,
    resp: 2,
  }).toString();
}

const WRONGTYPE = '-WRONGTYPE no\r\n';
const CASES: readonly (readonly [
  name: string,
  merge: Merge,
  replies: readonly string[],
  expected: string,
])[] = [
  [
    'MGET passes bulk, null and error elements',
    'mget',
    [bulk('a'), '$-1\r\n', WRONGTYPE],
    `*3\r\n${bulk('a')}$-1\r\n${WRONGTYPE}`,
  ],
  [
    'MGET: any other type is an error in its place',
    'mget',
    [':1\r\n', '+x\r\n', '*0\r\n'],
    `*3\r\n${'-upstream protocol error\r\n'.repeat(3)}`,
  ],
  [
    'MGET of failures only is still an array',
    'mget',
    ['-upstream failure\r\n', '-no upstream host\r\n'],
    '*2\r\n-upstream failure\r\n-no upstream host\r\n',
  ],
  ['MSET: OK from all', 'mset', ['+OK\r\n', '+OK\r\n'], '+OK\r\n'],
  [
    'MSET: anything else counts',
    'mset',
    ['+OK\r\n', '-x\r\n', bulk('OK')],
    '-finished with 2 error(s)\r\n',
  ],
  ['DEL: the sum', 'del', [':1\r\n', ':0\r\n', ':2\r\n'], ':3\r\n'],
  [
    'DEL: what is no integer counts',
    'del',
    [':1\r\n', '-x\r\n', '+OK\r\n'],
    '-finished with 2 error(s)\r\n',
  ],
  ['all the same: the first', 'same', ['+OK\r\n', '+OK\r\n'], '+OK\r\n'],
  ['not all the same', 'same', ['+OK\r\n', '+NO\r\n'], '-all responses not same\r\n'],
  [
    'the first error in shard order, verbatim',
    'same',
    ['+OK\r\n', '-ERR b\r\n', '-ERR c\r\n'],
    '-ERR b\r\n',
  ],
  ['SLOWLOG LEN: the sum', 'slowlog-len', [':3\r\n', ':4\r\n'], ':7\r\n'],
  [
    'SLOWLOG LEN: no integer',
    'slowlog-len',
    [':3\r\n', '+x\r\n'],
    '-non-integer response received from shard\r\n',
  ],
  [
    'SLOWLOG LEN: negative',
    'slowlog-len',
    [':3\r\n', ':-1\r\n'],
    '-negative value received from upstream\r\n',
  ],
  [
    'KEYS: elements in shard order, duplicates kept',
    'concat',
    [`*2\r\n${bulk('a')}${bulk('b')}`, '*0\r\n', `*1\r\n${bulk('a')}`],
    `*3\r\n${bulk('a')}${bulk('b')}${bulk('a')}`,
  ],
  [
    'CONFIG GET: a map is flattened',
    'concat',
    [`%1\r\n${bulk('k')}${bulk('v')}`],
    `*2\r\n${bulk('k')}${bulk('v')}`,
  ],
  ['KEYS: no array', 'concat', ['*0\r\n', ':1\r\n'], '-non-array response received from shard\r\n'],
  [
    'ROLE: whole replies side by side',
    'role',
    ['*1\r\n:1\r\n', '*1\r\n:2\r\n'],
    '*2\r\n*1\r\n:1\r\n*1\r\n:2\r\n',
  ],
  ['SCAN: an error', 'scan', ['*0\r\n', '-x\r\n'], '-finished with 1 error(s)\r\n'],
  ['--open, DBSIZE: the sum', 'sum', [':3\r\n', ':4\r\n'], ':7\r\n'],
  ['--open, WAIT: the smallest', 'min', [':3\r\n', ':1\r\n', ':2\r\n'], ':1\r\n'],
  [
    '--open, WAITAOF: the smallest of each',
    'min-pairs',
    ['*2\r\n:1\r\n:5\r\n', '*2\r\n:2\r\n:3\r\n'],
    '*2\r\n:1\r\n:3\r\n',
  ],
  [
    '--open, FUNCTION KILL: one success is enough',
    'one-ok',
    ['-NOTBUSY x\r\n', '+OK\r\n'],
    '+OK\r\n',
  ],
  ['--open, FUNCTION LOAD: all must succeed', 'all-ok', ['+OK\r\n', '-ERR x\r\n'], '-ERR x\r\n'],
];

for (const [name, merge, replies, expected] of CASES) {
  test(name, () => assert.equal(merged(merge, replies), expected));
}

test('SCAN: all elements of all replies, in the order of arrival', () => {
  const replies = [`*2\r\n${bulk('7')}*1\r\n${bulk('a')}`, `*2\r\n${bulk('9')}*0\r\n`];
  assert.equal(
    merged('scan', replies, [1, 0]),
    `*4\r\n${bulk('9')}*0\r\n${bulk('7')}*1\r\n${bulk('a')}`,
  );
});

test('HELLO up to 1.39: the first array with its id made null, if all agree on the version', () => {
  const hello = (proto: number, id: number): string =>
    `*4\r\n${bulk('proto')}:${proto}\r\n${bulk('id')}:${id}\r\n`;
  assert.equal(
    merged('hello', [hello(2, 7), hello(2, 8)]),
    `*4\r\n${bulk('proto')}:2\r\n${bulk('id')}$-1\r\n`,
  );
  assert.equal(
    merged('hello', [hello(2, 7), hello(3, 8)]),
    '-ERR inconsistent RESP proto across shards\r\n',
  );
  assert.equal(
    merged('hello', ['+OK\r\n', '*0\r\n']),
    '-ERR no valid HELLO response received from any shard\r\n',
  );
});

const SHARD_A = [
  '# Server',
  'redis_version:7.0.15',
  'redis_mode:standalone',
  'uptime_in_seconds:10',
  'os:',
  '# Clients',
  'connected_clients:3',
  '# Memory',
  'used_memory:1048576',
  'used_memory_peak:2048',
  'maxmemory_policy:noeviction',
  '# CPU',
  'used_cpu_sys:0.12',
  '# Something',
  'unknown_metric:5',
  '# Keyspace',
  'db0:keys=2,expires=1,avg_ttl=100',
  'db1:keys=9,expires=0,avg_ttl=0',
].join('\r\n');
const SHARD_B = [
  '# Server',
  'redis_version:7.2.0',
  'uptime_in_seconds:20',
  'os:Linux',
  '# Clients',
  'connected_clients:4',
  '# Memory',
  'used_memory:524288',
  '# Keyspace',
  'db0:keys=3,expires=0,avg_ttl=200',
].join('\n');

function info(section: string | null): string {
  const reply = merged('info', [bulk(SHARD_A), bulk(SHARD_B)], undefined, section);
  return reply.slice(reply.indexOf('\r\n') + 2, -2);
}

test('INFO: first values, sums, maxima, human forms; CPU is zero, unknown metrics are dropped', () => {
  const text = info(null);
  assert.match(
    text,
    /^# Server\r\nredis_version:7\.0\.15\r\nredis_mode:cluster\r\nos:Linux\r\nuptime_in_seconds:20\r\nuptime_in_days:0\r\n/,
  );
  assert.match(
    text,
    /\r\n\r\n# Clients\r\nconnected_clients:7\r\ncluster_connections:0\r\nclient_recent_max_input_buffer:0\r\n/,
  );
  assert.match(
    text,
    /used_memory:1572864\r\nused_memory_human:1\.50M\r\nused_memory_rss:0\r\nused_memory_peak:2048\r\nused_memory_peak_human:2\.00K\r\n/,
  );
  assert.match(text, /maxmemory:0\r\nmaxmemory_policy:noeviction\r\n/);
  assert.match(text, /# CPU\r\nused_cpu_sys:0\r\n/);
  assert.match(
    text,
    /\r\n\r\n# Cluster\r\ncluster_enabled:1\r\n\r\n# Keyspace\r\ndb0:keys=5,expires=1,avg_ttl=125\r\n$/,
  );
  assert.doesNotMatch(text, /unknown_metric|db1|# Something/);
});

test('INFO with a section: only what stands under that heading, and only that section', () => {
  assert.equal(info('KEYSPACE'), '# Keyspace\r\ndb0:keys=5,expires=1,avg_ttl=125\r\n');
  assert.match(info('clients'), /^# Clients\r\nconnected_clients:7\r\n/);
  assert.equal(info('everything'), '');
  assert.equal(merged('info', [':1\r\n']), '-unexpected response type received from shard\r\n');
});

test('INFO: one shard’s avg_ttl is halved too', () => {
  const reply = merged(
    'info',
    [bulk('# Keyspace\r\ndb0:keys=1,expires=1,avg_ttl=100')],
    undefined,
    'keyspace',
  );
  assert.match(reply, /avg_ttl=50\r\n/);
});
