/** The examples of the config page, section 4, as `rmtop --mesh` runs them against real servers. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { CommandEvent } from '../../src/events/event.js';
import { slotOf } from '../../src/mesh/place.js';
import { bulk, type TestClient } from '../helpers/client.js';
import { ask, sharedCluster, sharedServer } from '../helpers/cluster.js';
import { fixture } from '../helpers/mesh-files.js';
import { runMesh } from '../helpers/mesh-run.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();
const plain = [sharedServer(), sharedServer(), sharedServer()] as const;
const locked = sharedServer(['--requirepass', 's3cr3t-up']);

const NIL = '$-1\r\n';
const NOAUTH = '-NOAUTH Authentication required.\r\n';
/** Nobody listens there. */
const CLOSED = 1;

const example = (name: string): string => fixture(`examples/${name}.yaml`);
const svc = (name: string): string => `${name}.shop.svc.cluster.local:6379`;
const at = (from: string, port: number): string => `${from}=127.0.0.1:${port}`;
const node = (n: number): number => cluster().nodes[n]?.port ?? 0;
const asking = (port: number, ...argv: string[]): Promise<unknown> => ask(port, argv);
const inLocked = (...argv: string[]): Promise<unknown> => ask(locked.port(), argv, 's3cr3t-up');

test.beforeEach(async () => {
  for (const server of plain) await asking(server.port(), 'FLUSHALL');
  await inLocked('FLUSHALL');
  for (const primary of cluster().nodes.slice(0, 3)) await asking(primary.port, 'FLUSHALL');
});

/** Asks until the upstream is known: right after the start Envoy has no host yet. */
async function ready(client: TestClient, ...argv: string[]): Promise<void> {
  await until(
    async () => !/no upstream host|upstream failure/.test(await client.ask(...argv)),
    'the upstream to be found',
  );
}

/** Writes until a copy comes to the mirror at `port`, which may be found later than the primary. */
async function mirroring(client: TestClient, port: number): Promise<void> {
  await until(async () => {
    await client.ask('SET', 'warm', '1');
    return Number(await asking(port, 'DBSIZE')) > 0;
  }, 'the mirror to be found');
}

/** The ports that the last command of this name went to. */
async function wentTo(commands: readonly CommandEvent[], key: string): Promise<number[]> {
  let found: CommandEvent | undefined;
  await until(() => {
    found = commands.findLast((event) => event.command.arg(1).toString() === key);
    return found !== undefined;
  }, `an event for ${key}`);
  return (found?.attempts ?? []).map(({ address }) => Number(address.split(':').at(-1)));
}

test("4.1 the proxy logs in with the Secret's token; without the Secret it is the server that says NOAUTH", async (t) => {
  const map = [at(svc('session-cache'), locked.port())];
  const [text = '', secret = ''] = [
    example('server-password'),
    example('server-password').split('---')[0],
  ];
  const client = await (await runMesh(t, { 'a.yaml': text }, { map }))().client();
  await ready(client, 'GET', 'k');
  assert.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  assert.equal(await inLocked('GET', 'k'), 'v');
  assert.equal(
    await client.ask('AUTH', 's3cr3t-up'),
    '-ERR Client sent AUTH, but no password is set\r\n',
  );

  const other = await (
    await runMesh(t, { 'a.yaml': text.replace(secret, '') }, { map })
  )().client();
  await ready(other, 'GET', 'k');
  assert.equal(await other.ask('GET', 'k'), NOAUTH);
});

test("4.2 clients log in with a password that is not the server's", async (t) => {
  const listener = (
    await runMesh(
      t,
      { 'a.yaml': example('client-password'), 'b.yaml': example('server-password') },
      { map: [at(svc('session-cache'), locked.port())] },
    )
  )();
  const client = await listener.client();
  assert.equal(await client.ask('GET', 'k'), NOAUTH);
  assert.equal(await client.ask('PING'), NOAUTH);
  assert.equal(
    await client.ask('AUTH', 'other', 's3cr3t-up'),
    '-WRONGPASS invalid username-password pair\r\n',
  );
  assert.equal(
    await client.ask('AUTH', 'appuser', 'no'),
    '-WRONGPASS invalid username-password pair\r\n',
  );
  assert.equal(await client.ask('AUTH', 'appuser', 's3cr3t-up'), '+OK\r\n');
  await ready(client, 'GET', 'k');
  assert.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  assert.equal(await client.ask('AUTH', 'no'), '-ERR invalid password\r\n');
  assert.equal(await client.ask('GET', 'k'), NOAUTH, 'a wrong password logs out');
  assert.equal(await client.ask('AUTH', 's3cr3t-up'), '+OK\r\n', 'the password alone will do');
  assert.equal(await client.ask('GET', 'k'), bulk('v'));
});

test('4.3 CLUSTER: a seed that is out of reach is passed over, each key goes to the owner of its slot', async (t) => {
  const seed = (n: number): string =>
    `cart-cache-${n}.cart-cache-headless.shop.svc.cluster.local:6379`;
  const listener = (
    await runMesh(
      t,
      { 'a.yaml': example('cluster-seeds') },
      { map: [at(seed(0), CLOSED), at(seed(1), node(1))] },
    )
  )();
  const client = await listener.client();
  await ready(client, 'GET', 'k');
  const keys = Array.from({ length: 30 }, (_, i) => `key:${i}`);
  for (const key of keys) assert.equal(await client.ask('SET', key, key), '+OK\r\n');
  for (const key of keys) {
    const owner = Math.min(2, Math.floor(slotOf(Buffer.from(key)) / 5461.34));
    assert.deepEqual(await wentTo(listener.commands, key), [node(owner)], key);
  }
  assert.equal(
    await client.ask('MGET', 'key:1', 'key:2'),
    `*2\r\n${bulk('key:1')}${bulk('key:2')}`,
  );
  assert.equal(await client.ask('DEL', ...keys), ':30\r\n');
});

test('4.4 prefixes: the longest wins, one is taken off, all else goes to the service itself', async (t) => {
  const listener = (
    await runMesh(
      t,
      {
        'a.yaml': example('prefix-routes'),
        'b.yaml': example('cluster-seeds').replace(/discoveryEndpoints:\n.*\n.*/, ''),
      },
      {
        map: [
          at(svc('cart-cache'), node(0)),
          at(svc('session-cache'), plain[0].port()),
          at('audit-cache.shop.svc.cluster.local:6380', plain[1].port()),
        ],
      },
    )
  )();
  const client = await listener.client();
  for (const key of ['x', 'session:x', 'session:audit:x']) await ready(client, 'GET', key);
  assert.equal(await client.ask('SET', 'session:42', 'a'), '+OK\r\n');
  assert.equal(await client.ask('SET', 'session:audit:42', 'b'), '+OK\r\n');
  assert.equal(await client.ask('SET', 'sessio', 'c'), '+OK\r\n');
  assert.equal(await client.ask('SET', 'session:', 'd'), '+OK\r\n');
  assert.deepEqual(await asking(plain[0].port(), 'GET', '42'), 'a');
  assert.deepEqual(
    await asking(plain[0].port(), 'GET', ''),
    'd',
    'a key equal to the prefix is the empty key',
  );
  assert.deepEqual(await asking(plain[1].port(), 'GET', 'session:audit:42'), 'b');
  assert.equal(await client.ask('GET', 'sessio'), bulk('c'));
  assert.equal(
    await client.ask('MGET', 'session:42', 'sessio', 'session:audit:42', '42'),
    `*4\r\n${bulk('a')}${bulk('c')}${bulk('b')}${NIL}`,
    'one MGET spans three services',
  );
});

/** The read policies of 4.5, each with a Redis Cluster behind it. */
const policies = (): Record<string, string> => ({
  'a.yaml': example('read-policies'),
  'b.yaml': ['a', 'b', 'c', 'd', 'e']
    .map(
      (x) =>
        `---\napiVersion: redis.aeraki.io/v1alpha1\nkind: RedisDestination\nmetadata: {name: cart-${x}, namespace: shop}\nspec: {host: cart-${x}.shop.svc.cluster.local, trafficPolicy: {connectionPool: {redis: {mode: CLUSTER}}}}\n`,
    )
    .join(''),
});

async function readers(listener: {
  client(): Promise<TestClient>;
  readonly commands: CommandEvent[];
}): Promise<Set<string>> {
  const client = await listener.client();
  await ready(client, 'SET', 'before', '1');
  const keys = Array.from({ length: 60 }, (_, i) => `read:${i}`);
  for (const key of keys) await client.ask('GET', key);
  const roles = new Set<string>();
  for (const key of keys)
    for (const port of await wentTo(listener.commands, key))
      roles.add(
        cluster().nodes.findIndex((each) => each.port === port) < 3 ? 'primary' : 'replica',
      );
  assert.equal(await client.ask('SET', 'after', '1'), '+OK\r\n', 'writes go to the primary');
  return roles;
}

test('4.5 read policies, as generated and as intended', async (t) => {
  const map = ['a', 'b', 'c', 'd', 'e'].map((x) => at(svc(`cart-${x}`), node(0)));
  const listener = await runMesh(t, policies(), { map });
  const wanted = {
    'cart-a': ['primary'],
    'cart-b': ['primary'],
    'cart-c': ['replica'],
    'cart-d': ['primary'],
    'cart-e': ['primary', 'replica'],
  };
  for (const [name, roles] of Object.entries(wanted))
    assert.deepEqual([...(await readers(listener(name)))].sort(), roles, name);
  const intended = await runMesh(t, policies(), { map, intended: true, service: 'cart-d.shop' });
  assert.deepEqual([...(await readers(intended('cart-d')))], ['replica']);
});

test('4.6 mirrors: all of it to one, a share of the writes to the other', async (t) => {
  const [main, audit, session] = plain;
  const listener = (
    await runMesh(
      t,
      { 'a.yaml': example('mirrors') },
      {
        map: [
          at(svc('cart-cache'), main.port()),
          at(svc('audit-cache'), audit.port()),
          at(svc('session-cache'), session.port()),
        ],
      },
    )
  )();
  const client = await listener.client();
  await mirroring(client, session.port());
  const reads = (port: number): Promise<number> =>
    asking(port, 'INFO', 'commandstats').then((text) =>
      Number(/cmdstat_get:calls=(\d+)/.exec(String(text))?.[1] ?? 0),
    );
  await asking(audit.port(), 'CONFIG', 'RESETSTAT');
  await asking(session.port(), 'CONFIG', 'RESETSTAT');
  const writes = Array.from({ length: 400 }, (_, i) => ['SET', `k${i}`, 'v']);
  for (const reply of await client.pipeline(writes)) assert.equal(reply, '+OK\r\n');
  for (let i = 0; i < 50; i++) assert.equal(await client.ask('GET', `k${i}`), bulk('v'));
  await until(
    async () => Number(await asking(session.port(), 'DBSIZE')) === 401,
    'every write to be mirrored',
  );
  await until(async () => (await reads(session.port())) === 50, 'every read to be mirrored');
  // 12.5 % of 400 is 50; six standard deviations are 40.
  await until(
    async () => Number(await asking(audit.port(), 'DBSIZE')) >= 10,
    'an eighth of the writes to be mirrored',
  );
  assert.ok(Number(await asking(audit.port(), 'DBSIZE')) <= 91);
  assert.equal(await reads(audit.port()), 0, 'reads are left out');
});

test('4.7 faults: errors without the server, late errors, replies held back; at most one a command', async (t) => {
  const listener = (
    await runMesh(
      t,
      { 'a.yaml': example('faults') },
      { map: [at(svc('cart-cache'), plain[0].port())] },
    )
  )();
  const client = await listener.client();
  await ready(client, 'GET', 'k');
  const send = async (
    name: string,
    ...rest: string[]
  ): Promise<{ errors: number; delayed: number }> => {
    const mark = `before-${name}`;
    await client.ask('ECHO', mark);
    await wentTo(listener.commands, mark);
    const before = listener.commands.length;
    const replies = await client.pipeline(Array.from({ length: 200 }, () => [name, ...rest]));
    await until(() => listener.commands.length >= before + 200, 'all events');
    const hits = listener.commands.slice(before).filter(({ decision }) => decision.fault !== null);
    // Timers may be a little early.
    const slow = hits.filter(
      ({ decision, durationUs }) => decision.fault?.action.kind === 'delay' && durationUs >= 98_000,
    );
    const errors = replies.filter((reply) => reply === '-Fault Injected: Error\r\n').length;
    assert.equal(
      hits.filter(({ decision }) => decision.fault?.action.kind === 'error').length,
      errors,
    );
    assert.equal(slow.length, hits.length - errors, 'a delayed reply is late by the delay');
    return { errors, delayed: slow.length };
  };
  // 30 % and 50 % of 200, six standard deviations either way.
  const get = await send('GET', 'k');
  assert.ok(get.errors >= 21 && get.errors <= 99, `${get.errors} errors`);
  assert.ok(get.delayed >= 58 && get.delayed <= 142, `${get.delayed} delayed`);
  await asking(plain[0].port(), 'SET', 'n', '0');
  const incr = await send('INCR', 'n');
  assert.equal(incr.errors, 0, 'only the fault without commands is for INCR');
  assert.equal(
    await asking(plain[0].port(), 'GET', 'n'),
    '200',
    'a delay holds the reply, not the request',
  );
  const set = await send('SET', 'k', 'v');
  assert.ok(set.errors >= 1 && set.errors <= 46, `${set.errors} errors`);
  const late = listener.commands.filter(({ decision }) => decision.fault?.id === 'm2');
  assert.ok(
    late.every(({ durationUs }) => durationUs >= 248_000),
    'the error of SET comes late',
  );
});

test('4.8 Redis outside: the ready endpoint on its own port, never the other', async (t) => {
  const listener = (
    await runMesh(
      t,
      { 'a.yaml': example('outside') },
      { map: [at('192.0.2.17:6390', plain[0].port()), at('192.0.2.18:6390', CLOSED)] },
    )
  )();
  const client = await listener.client();
  await ready(client, 'GET', 'k');
  for (let i = 0; i < 20; i++) assert.equal(await client.ask('SET', `k${i}`, 'v'), '+OK\r\n');
  assert.equal(await asking(plain[0].port(), 'DBSIZE'), 20);
  assert.deepEqual(await wentTo(listener.commands, 'k7'), [6390]);
});

test('4.9 a bootstrap: three servers by MAGLEV, a prefix with a login of its own, mirror, fault, the clients’ login', async (t) => {
  const listener = (
    await runMesh(
      t,
      { 'a.yaml': example('bootstrap-v3') },
      {
        map: [
          ...plain.map((server, i) => at(`127.0.0.1:${7001 + i}`, server.port())),
          at('localhost:7010', locked.port()),
        ],
      },
    )
  )();
  const client = await listener.client();
  assert.equal(await client.ask('SET', 'foo', '1'), NOAUTH);
  assert.equal(await client.ask('AUTH', 'letmein'), '+OK\r\n');
  await ready(client, 'SET', 'before', '1');
  await ready(client, 'SET', 'session:before', '1');
  // The mesh page's reference placements (5.5), with hash tags on.
  const placed = {
    foo: 0,
    bar: 2,
    baz: 0,
    foobar: 1,
    hello: 0,
    'user:1000': 1,
    'user:1001': 2,
    '{user1000}.following': 2,
    '{user1000}.followers': 2,
  };
  for (const [key, n] of Object.entries(placed)) {
    assert.equal(await client.ask('SET', key, key), '+OK\r\n');
    assert.equal(await asking(plain[n]?.port() ?? 0, 'GET', key), key, `${key} by MAGLEV`);
  }
  assert.equal(await client.ask('SET', 'session:42', 'x'), '+OK\r\n');
  assert.equal(await inLocked('GET', '42'), 'x');
  const replies = await client.pipeline(Array.from({ length: 300 }, () => ['GET', 'foo']));
  const errors = replies.filter((reply) => reply === '-Fault Injected: Error\r\n').length;
  assert.ok(errors >= 1 && errors <= 62, `${errors} of 300 are 10 %`);
  assert.ok(replies.every((reply) => reply === bulk('foo') || reply.startsWith('-Fault')));
  // A quarter of the writes, and no read, is copied to the server of the prefix.
  for (const reply of await client.pipeline(
    Array.from({ length: 200 }, (_, i) => ['SET', `m${i}`, 'v']),
  ))
    assert.equal(reply, '+OK\r\n');
  await until(async () => Number(await inLocked('DBSIZE')) >= 14 + 2, 'a quarter of the writes');
  assert.ok(Number(await inLocked('DBSIZE')) <= 87 + 12);
});

test('4.10 v2: RING_HASH over names that are mapped', async (t) => {
  const map = [
    at('farm-1.example.test:6379', plain[0].port()),
    at('farm-2.example.test:6379', plain[1].port()),
  ];
  const listener = (await runMesh(t, { 'a.yaml': example('bootstrap-v2') }, { map }))();
  const client = await listener.client();
  await ready(client, 'GET', 'k');
  for (let i = 0; i < 100; i++) assert.equal(await client.ask('SET', `k${i}`, `v${i}`), '+OK\r\n');
  for (let i = 0; i < 100; i++)
    assert.equal(await client.ask('GET', `k${i}`), bulk(`v${i}`), 'the key decides');
  const sizes = await Promise.all(
    [plain[0], plain[1]].map(async (server) => Number(await asking(server.port(), 'DBSIZE'))),
  );
  assert.equal((sizes[0] ?? 0) + (sizes[1] ?? 0), 100);
  assert.ok(Math.min(...sizes) > 0, `${sizes} keys`);
});

test('4.11 two EnvoyFilters: a Redis Cluster, reads at replicas, writes mirrored', async (t) => {
  const seed = 'cart-cache-0.cart-cache.shop.svc.cluster.local:6379';
  const listener = (
    await runMesh(
      t,
      { 'a.yaml': example('envoy-filters') },
      { map: [at(seed, node(0)), at(svc('audit-cache'), plain[0].port())] },
    )
  )();
  const client = await listener.client();
  await ready(client, 'SET', 'warm', '1');
  await mirroring(client, plain[0].port());
  assert.deepEqual([...(await readers(listener))], ['replica']);
  for (const [i, reply] of (
    await client.pipeline(Array.from({ length: 50 }, (_, i) => ['SET', `k${i}`, 'v']))
  ).entries())
    assert.equal(reply, '+OK\r\n', `k${i}`);
  // With `warm`, and `before` and `after` of the reads.
  await until(
    async () => Number(await asking(plain[0].port(), 'DBSIZE')) === 53,
    'every write to be mirrored',
  );
});

/** What a test needs of a listener's folder that is not in it. */
test('a folder of all of the CRDs runs one listener for each host', async (t: TestContext) => {
  const listener = await runMesh(
    t,
    {
      'a.yaml': example('prefix-routes'),
      'b.yaml': example('client-password'),
      'c.yaml': example('server-password'),
      'd.yaml': example('cluster-seeds'),
      'e.yaml': example('outside'),
    },
    { map: [at(svc('session-cache'), locked.port()), at('192.0.2.17:6390', plain[0].port())] },
  );
  const session = await listener('session-cache').client();
  assert.equal(await session.ask('GET', 'k'), NOAUTH);
  const legacy = await listener('legacy-redis').client();
  await ready(legacy, 'GET', 'k');
  assert.equal(await legacy.ask('SET', 'k', 'v'), '+OK\r\n');
  assert.notEqual(listener('cart-cache').port, listener('session-cache').port);
});
