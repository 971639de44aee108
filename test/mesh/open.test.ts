/** `--open`: what the mesh refuses, forwarded as a good cluster client would, and marked. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { COMMANDS } from '../../src/commands/table.js';
import { plainRoute } from '../../src/mesh/config.js';
import { isOpened, partsOf } from '../../src/mesh/decision.js';
import { Client, clusterOf, type MeshOptions, meshOf } from '../helpers/mesh.js';

// foo is on s2, bar on s0; the first of every choice is drawn, so any shard is s0.

type Row = readonly [
  rule: string,
  command: string,
  outcome: string,
  mesh?: MeshOptions,
  session?: ConstructorParameters<typeof Client>[1],
];

function table(name: string, rows: readonly Row[]): void {
  test.describe(name, () => {
    for (const [rule, command, outcome, mesh, session] of rows) {
      test(`${rule}: ${command}`, () =>
        assert.equal(new Client(meshOf({ open: true, ...mesh }), session).says(command), outcome));
    }
  });
}

const REPLICA: MeshOptions = { readPolicy: 'REPLICA' };
const LOGIN: MeshOptions = { credentials: { username: null, passwords: ['pw'] } };

table('commands that wait', [
  [
    'go to the owner of their first key, on a connection of the client’s own',
    'BLPOP foo bar 0',
    'opened *>s2.p own',
  ],
  ...[
    'BRPOP foo 0',
    'BLMOVE foo bar LEFT LEFT 0',
    'BRPOPLPUSH foo bar 0',
    'BZPOPMIN foo 0',
    'BZPOPMAX foo 0',
    'BLMPOP 0 1 foo LEFT',
    'BZMPOP 0 1 foo MIN',
  ].map((line): Row => ['so does', line, 'opened *>s2.p own']),
  ['to the primary, whatever the policy', 'BLPOP foo 0', 'opened *>s2.p own', REPLICA],
  ['XREAD by its first stream', 'XREAD BLOCK 0 STREAMS foo bar 0 0', 'opened *>s2.p own'],
  ['XREAD without keys, for any server to refuse', 'XREAD COUNT 1', 'opened *>s0.p own'],
  ['XREADGROUP by its first stream', 'XREADGROUP GROUP g c STREAMS foo >', 'opened *>s2.p own'],
  [
    'WAIT on all primaries',
    'WAIT 1 100',
    'opened *>s0.p own | *>s1.p own | *>s2.p own (min)',
    REPLICA,
  ],
  [
    'WAITAOF on all primaries',
    'WAITAOF 1 1 100',
    'opened *>s0.p own | *>s1.p own | *>s2.p own (min-pairs)',
  ],
]);

table('subscriptions', [
  ['a classic one goes to any server', 'SUBSCRIBE ch', 'opened *>s0.p subscription'],
  ['a pattern too', 'PSUBSCRIBE ch*', 'opened *>s0.p subscription'],
  [
    'a sharded one to the owner of its first channel',
    'SSUBSCRIBE foo',
    'opened *>s2.p subscription',
  ],
  ['a sharded one is on the primary', 'SSUBSCRIBE foo', 'opened *>s2.p subscription', REPLICA],
  ['a sharded one is ended where it is', 'SUNSUBSCRIBE foo', 'opened *>s2.p subscription'],
  ['all sharded ones are ended by the proxy', 'SUNSUBSCRIBE', 'opened answer unsubscribed'],
  ['SSUBSCRIBE alone is for a server to refuse', 'SSUBSCRIBE', 'opened *>s0.p subscription'],
  [
    'ending what was never begun is answered by the proxy',
    'UNSUBSCRIBE ch',
    'opened answer unsubscribed',
  ],
  ['patterns too', 'PUNSUBSCRIBE', 'opened answer unsubscribed'],
  ['SPUBLISH goes to the owner of its channel', 'SPUBLISH foo x', 'opened *>s2.p'],
  ['PUBLISH the mesh knows', 'PUBLISH foo x', '*>s2.p'],
  ['PUBSUB asks any server', 'PUBSUB CHANNELS', 'opened *>s0.p'],
  ['MONITOR has any server', 'MONITOR', 'opened *>s0.p monitor'],
]);

test('subscriptions and what else is this client’s own stay on the server that the first was on', () => {
  const client = new Client(meshOf({ open: true }), {}, { below: () => 1 });
  assert.equal(client.says('SUBSCRIBE a'), 'opened *>s1.p subscription');
  assert.deepEqual([client.last?.session, client.last?.draws], ['settle', [1]]);
  assert.equal(client.says('PSUBSCRIBE b*'), 'opened *>s1.p subscription');
  assert.deepEqual([client.last?.session, client.last?.draws], [null, []]);
  assert.equal(client.says('UNSUBSCRIBE a'), 'opened *>s1.p subscription');
  assert.equal(client.says('CLIENT LIST'), 'opened *>s1.p own');
  assert.equal(
    partsOf(client.last as NonNullable<typeof client.last>)[0]?.why.at(-1)?.code,
    'pinned',
  );
});

const onlyWhileSubscribed = (name: string): string =>
  `-ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`;

table('a RESP2 subscriber', [
  ['may not say much else', 'Get foo', onlyWhileSubscribed('get'), {}, { subscribed: true }],
  ['nor what nobody knows', 'NOSUCH', onlyWhileSubscribed('nosuch'), {}, { subscribed: true }],
  ['may PING', 'PING', 'answer pong', {}, { subscribed: true }],
  ['may QUIT', 'QUIT', 'answer quit', {}, { subscribed: true }],
  ['may RESET', 'RESET', 'opened answer reset', {}, { subscribed: true }],
  ['may subscribe', 'SSUBSCRIBE foo', 'opened *>s2.p subscription', {}, { subscribed: true }],
  ['in RESP3 may say anything', 'GET foo', '*>s2.p', {}, { subscribed: true, resp: 3 }],
]);

table('commands with keys that no Envoy knows', [
  [
    'go whole to the owner of the first: CROSSSLOT is the server’s to say',
    'LCS foo bar',
    'opened *>s2.p',
  ],
  ['SINTERCARD', 'SINTERCARD 2 foo bar', 'opened *>s2.p'],
  ['reads go where the policy says', 'LCS foo bar', 'opened *>s2.r1', REPLICA],
  ['writes go to the primary', 'LMPOP 1 foo LEFT', 'opened *>s2.p', REPLICA],
  ['FCALL', 'FCALL f 1 foo', 'opened *>s2.p'],
  ['FCALL without keys', 'FCALL f 0', 'opened *>s0.p'],
  ['EVAL_RO', 'EVAL_RO script 1 foo', 'opened *>s2.r1', REPLICA],
  ['XGROUP CREATE', 'XGROUP CREATE foo g $', 'opened *>s2.p', REPLICA],
  ['XINFO STREAM', 'XINFO STREAM foo', 'opened *>s2.r1', REPLICA],
  ['MEMORY USAGE', 'MEMORY USAGE foo', 'opened *>s2.p'],
  ['MIGRATE', 'MIGRATE host 6379 foo 0 1000', 'opened *>s2.p'],
  [
    'a module’s command by its first argument, as a write',
    'JSON.SET foo $ 1',
    'opened *>s2.p',
    REPLICA,
  ],
  [
    'without a route',
    'LCS foo bar',
    '-no upstream host',
    { routes: [plainRoute('user:', 'redis')] },
  ],
]);

table('commands without keys', [
  ['go to any server', 'LASTSAVE', 'opened *>s0.p'],
  ['a name nobody knows too', 'NOSUCH', 'opened *>s0.p'],
  ['DBSIZE is summed', 'DBSIZE', 'opened *>s0.p | *>s1.p | *>s2.p (sum)', REPLICA],
  [
    'FUNCTION LOAD goes to all primaries',
    'FUNCTION LOAD code',
    'opened *>s0.p | *>s1.p | *>s2.p (all-ok)',
    REPLICA,
  ],
  ['FUNCTION FLUSH', 'function flush', 'opened *>s0.p | *>s1.p | *>s2.p (all-ok)'],
  ['FUNCTION KILL: one is enough', 'FUNCTION KILL', 'opened *>s0.p | *>s1.p | *>s2.p (one-ok)'],
  ['FUNCTION LIST asks any', 'FUNCTION LIST', 'opened *>s0.p'],
  ['MEMORY PURGE', 'MEMORY PURGE', 'opened *>s0.p | *>s1.p | *>s2.p (all-ok)'],
  [
    'LATENCY RESET goes to all nodes',
    'LATENCY RESET',
    'opened *>s0.p | *>s0.r1 | *>s1.p | *>s1.r1 | *>s2.p | *>s2.r1 (all-ok)',
  ],
  ['LATENCY DOCTOR asks any', 'LATENCY DOCTOR', 'opened *>s0.p'],
  ['CLUSTER MYID asks any', 'CLUSTER MYID', 'opened *>s0.p'],
  ['CONFIG HELP asks any', 'CONFIG HELP', 'opened *>s0.p'],
  ['EVAL without keys', 'EVAL script 0', 'opened *>s0.p'],
  ['OBJECT HELP', 'OBJECT HELP', 'opened *>s0.p'],
  ['no servers', 'DBSIZE', '-no upstream host', { upstreams: { redis: clusterOf(0) } }],
  ['no route', 'DBSIZE', '-no upstream host', { routes: [plainRoute('user:', 'redis')] }],
]);

const oneServer = (name: string): string =>
  `-ERR rmtop: ${name} acts on one server; send it to that server directly`;
const shared = (name: string): string =>
  `-ERR rmtop: ${name} would change a connection that other clients share`;

table('what rmtop answers, or refuses in its own words', [
  ['RESET', 'RESET', 'opened answer reset'],
  ['READONLY', 'READONLY', 'opened answer ok'],
  ['READWRITE', 'READWRITE', 'opened answer ok'],
  ['ASKING', 'ASKING', 'opened answer ok'],
  ['CLIENT GETNAME', 'CLIENT GETNAME', 'opened answer client-name'],
  ['CLIENT ID', 'client id', 'opened answer client-id'],
  ['CLIENT SETNAME the mesh knows', 'CLIENT SETNAME x', 'answer ok'],
  ['other CLIENTs on a connection of the client’s own', 'CLIENT LIST', 'opened *>s0.p own'],
  ...['CLIENT TRACKING ON', 'CLIENT REPLY OFF', 'CLIENT CACHING YES'].map(
    (line): Row => [
      'it would change what others share',
      line,
      shared(line.split(' ').slice(0, 2).join(' ')),
    ],
  ),
  ...[
    'SHUTDOWN',
    'REPLICAOF NO ONE',
    'SLAVEOF NO ONE',
    'FAILOVER',
    'SYNC',
    'PSYNC ? -1',
    'REPLCONF ACK 1',
  ].map((line): Row => ['it is for one server', line, oneServer(line.split(' ')[0] as string)]),
]);

table('what the mesh knows stays as it is, and is not marked', [
  ['GET', 'GET foo', '*>s2.p'],
  ['MGET is split', 'MGET foo bar', 'get 1>s2.p | get 2>s0.p (mget)'],
  ['PING', 'PING', 'answer pong'],
  ['KEYS', 'KEYS *', '*>s0.p | *>s1.p | *>s2.p (concat)'],
]);

table('refusals that stand', [
  ['a name alone', 'GET', '-invalid request'],
  ['an odd MSET', 'MSET a', "-wrong number of arguments for 'MSET' command"],
  ['SCAN alone', 'SCAN', "-ERR wrong number of arguments for 'SCAN' command"],
  [
    'EVAL with too few words for Redis too',
    'EVAL script',
    "-wrong number of arguments for 'EVAL' command",
  ],
  ['EXEC without MULTI', 'EXEC', '-EXEC without MULTI'],
  ['MULTI inside another', 'MULTI', '-MULTI calls can not be nested', {}, { multi: true }],
  [
    'CLIENT SETNAME with too many words',
    'CLIENT SETNAME a b',
    "-ERR wrong number of arguments for 'client|setname' command",
  ],
]);

test('nothing is forwarded for who is not logged in, known to the mesh or not', () => {
  const before = { authenticated: false };
  for (const { name, parent } of COMMANDS) {
    if (parent !== null || ['AUTH', 'HELLO', 'QUIT'].includes(name)) continue;
    for (const mesh of [
      LOGIN,
      { ...LOGIN, protocolVersion: 3 } as const,
      { ...LOGIN, envoy: 24 },
    ]) {
      const outcome = new Client(meshOf({ open: true, ...mesh }), before).says(`${name} foo 1`);
      assert.equal(outcome, '-NOAUTH Authentication required.', name);
    }
  }
  assert.equal(
    new Client(meshOf({ open: true, ...LOGIN }), before).says('NOSUCH foo'),
    '-NOAUTH Authentication required.',
  );
  assert.equal(new Client(meshOf({ open: true, ...LOGIN }), before).says('AUTH pw'), 'answer auth');
  assert.equal(
    new Client(meshOf({ open: true, ...LOGIN }), before).says('HELLO 3 AUTH default pw'),
    'answer hello',
  );
});

test.describe('in a transaction', () => {
  const conversation = (
    mesh: MeshOptions,
    ...steps: readonly (readonly [string, string])[]
  ): void => {
    const client = new Client(meshOf({ open: true, ...mesh }));
    for (const [says, hears] of steps) assert.equal(client.says(says), hears, says);
  };

  test('everything is queued on its connection', () =>
    conversation(
      {},
      ['MULTI', 'answer ok'],
      ['BLPOP foo 0', 'opened *>s2.p transaction'],
      ['EXISTS bar', 'opened *>s2.p transaction'],
      ['DBSIZE', 'opened *>s2.p transaction'],
      ['SUBSCRIBE x', 'opened *>s2.p transaction'],
      ['JSON.GET bar', 'opened *>s2.p transaction'],
      ['EXEC', '*>s2.p transaction'],
    ));

  test('a first command without a key places it by its name', () => {
    const client = new Client(meshOf({ open: true }));
    client.says('MULTI');
    client.says('DBSIZE');
    assert.deepEqual(client.last?.session, { storeKey: 0 });
    assert.equal(client.session.transactionKey?.toString(), 'DBSIZE');
    assert.equal(
      client.session.pinned,
      partsOf(client.last as NonNullable<typeof client.last>)[0]?.to?.address,
    );
  });

  test('RESET ends it', () =>
    conversation(
      {},
      ['MULTI', 'answer ok'],
      ['GET foo', '*>s2.p transaction'],
      ['RESET', 'opened answer reset'],
    ));

  test('what is for one server, or would change its connection, is refused as outside', () =>
    conversation(
      {},
      ['MULTI', 'answer ok'],
      ['SHUTDOWN', oneServer('SHUTDOWN')],
      ['CLIENT REPLY OFF', shared('CLIENT REPLY')],
      ['EXEC', 'answer empty-array'],
    ));

  test('HELLO is refused', () =>
    conversation(
      {},
      ['MULTI', 'answer ok'],
      ['HELLO 3', "-'hello' command is not supported within transaction"],
    ));

  test('MULTI is one at every level: on a shared connection it would queue what others send', () =>
    conversation(
      { envoy: 24 },
      ['MULTI', 'opened answer ok'],
      ['SET foo 1', '*>s2.p transaction'],
      ['EXEC', 'opened *>s2.p transaction'],
      ['WATCH bar', 'opened *>s0.p'],
      ['UNWATCH', 'opened *>s0.p'],
      ['DISCARD', '-DISCARD without MULTI'],
    ));
});

table(
  'HELLO is answered by the proxy at every level: it would change a connection that all share',
  [
    ['1.40', 'HELLO 3', 'answer hello'],
    ['1.39, another version', 'HELLO 3', 'opened answer hello', { envoy: 39 }],
    ['1.39, options', 'HELLO 2 SETNAME x', 'opened answer hello', { envoy: 39 }],
    ['1.39, what it knows', 'HELLO 2', '*>s0.p | *>s1.p | *>s2.p (hello)', { envoy: 39 }],
    ['1.36', 'HELLO 3', 'opened answer hello', { envoy: 36 }],
  ],
);

table('the RESP3 gate is open, and what passes it is marked', [
  ['GET', 'GET foo', 'opened *>s2.p', { protocolVersion: 3 }],
  [
    'MGET is split as ever',
    'MGET foo bar',
    'opened get 1>s2.p | get 2>s0.p (mget)',
    { protocolVersion: 3 },
  ],
  ['MULTI is a transaction as ever', 'MULTI', 'opened answer ok', { protocolVersion: 3 }],
  ['BLPOP', 'BLPOP foo 0', 'opened *>s2.p own', { protocolVersion: 3 }],
  ['after HELLO 3 nothing is marked', 'GET foo', '*>s2.p', { protocolVersion: 3 }, { resp: 3 }],
]);

test('what is opened says so first, and why', () => {
  const client = new Client(meshOf({ open: true, protocolVersion: 3 }));
  client.says('BLPOP foo 0');
  const decision = client.last as NonNullable<typeof client.last>;
  assert.equal(isOpened(decision), true);
  assert.deepEqual(decision.why, [
    { stage: 'admit', code: 'opened', refusal: 'noproto' },
    { stage: 'admit', code: 'opened', refusal: 'unknown-command' },
  ]);
  client.says('PING');
  client.session = { ...client.session, resp: 3 };
  client.says('GET foo');
  assert.equal(isOpened(client.last as NonNullable<typeof client.last>), false);
});

test('without --open nothing is opened', () => {
  for (const { name, parent, mesh } of COMMANDS) {
    if (parent !== null || mesh !== null) continue;
    assert.match(new Client(meshOf()).says(`${name} foo 1`), /^-ERR unknown command/, name);
  }
});
