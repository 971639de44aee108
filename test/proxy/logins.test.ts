/** Logins on both sides of the proxy, on real servers with passwords and users: who is let in, what is said, and who said it. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { OtherEvent } from '../../src/events/event.js';
import { errorSaidBy } from '../../src/events/said.js';
import { parseAddressMap } from '../../src/mesh/address-map.js';
import {
  DEFAULT_BALANCER,
  type MeshConfig,
  plainRoute,
  type Upstream,
  upstreamOf,
} from '../../src/mesh/config.js';
import type { Access, Login } from '../../src/proxy/dial.js';
import { bulk } from '../helpers/client.js';
import { ask, sharedServer } from '../helpers/cluster.js';
import { fakeRedis } from '../helpers/fake-redis.js';
import { bootstrap, listener, load } from '../helpers/mesh-files.js';
import { startProxy, type TestProxy } from '../helpers/proxy.js';
import { until } from '../helpers/until.js';

const locked = sharedServer([
  ...['--requirepass', 'server-s3cret'],
  ...['--user', 'app', 'on', '>app-s3cret', '~app:*', '+@all'],
]);
const open = sharedServer();

const OK = '+OK\r\n';
const NOAUTH = '-NOAUTH Authentication required.\r\n';
const WRONG = '-ERR invalid password\r\n';
const WRONG_PAIR = '-WRONGPASS invalid username-password pair\r\n';

/** One server that is not asked what it is, so that its refusals reach the client, as in Envoy. */
function alone(port: number): Partial<Upstream> {
  const address = `127.0.0.1:${port}`;
  return {
    kind: 'hosts',
    hostSet: {
      hosts: [{ address, weight: 1, hashKey: null, hostname: null }],
      resolve: 'static',
      balancer: DEFAULT_BALANCER,
    },
  };
}

function before(
  t: TestContext,
  login: Login | null,
  more: Partial<Access> = {},
): Promise<TestProxy> {
  return startProxy(t, {
    seeds: [locked.port()],
    upstream: alone(locked.port()),
    access: { tls: null, login, ...more },
  });
}

const logs = ({ others }: TestProxy): Extract<OtherEvent, { type: 'log' }>[] =>
  others.filter((event) => event.type === 'log');

/** Who said what the `n`-th command was answered with. */
async function said(proxy: TestProxy, n: number): Promise<ReturnType<typeof errorSaidBy>> {
  return errorSaidBy(await proxy.event((event) => event.seq === n));
}

test('a listener with passwords: nothing before the login but what needs none, either password will do', async (t) => {
  const proxy = await startProxy(t, {
    seeds: [open.port()],
    settings: { downstreamAuth: { username: null, passwords: 2 } },
    credentials: { username: null, passwords: ['old', 'new'] },
  });
  const client = await proxy.client();
  assert.equal(await client.ask('GET', 'k'), NOAUTH);
  assert.equal(await client.ask('PING'), NOAUTH);
  assert.match(await client.ask('NOSUCH'), /^-ERR unknown command/);
  assert.equal(await client.ask('AUTH'), '-invalid request\r\n');
  assert.equal(await client.ask('AUTH', 'wrong'), WRONG);
  assert.equal(await client.ask('AUTH', 'new'), OK);
  assert.equal(await client.ask('SET', 'k', 'v'), OK);
  assert.equal(await client.ask('AUTH', 'old', 'ignored', 'ignored'), OK);
  assert.equal(await client.ask('AUTH', 'default', 'old'), OK);
  assert.equal(await client.ask('AUTH', 'somebody', 'old'), WRONG_PAIR);
  assert.equal(await client.ask('GET', 'k'), NOAUTH);
  const other = await proxy.client();
  assert.match(await other.ask('HELLO', '2', 'AUTH', 'default', 'new'), /^\*14\r\n/);
  assert.equal(await other.ask('GET', 'k'), bulk('v'));
  const refused = await proxy.client();
  assert.equal(await refused.ask('HELLO', '2', 'AUTH', 'default', 'x'), WRONG_PAIR);
  assert.equal(await refused.ask('GET', 'k'), NOAUTH);
  for (const n of [1, 2, 3, 4, 5, 10, 11, 14, 15])
    assert.equal(await said(proxy, n), 'proxy', `${n}`);
  for (const n of [6, 7, 12, 13]) assert.equal(await said(proxy, n), null, `${n}`);
  assert.doesNotMatch(
    JSON.stringify(proxy.commands.map((event) => event.args.map((arg) => arg.bytes?.toString()))),
    /old|wrong/,
  );
});

test('a listener with a user and a password: both, or the password alone', async (t) => {
  const proxy = await startProxy(t, {
    seeds: [open.port()],
    settings: { downstreamAuth: { username: 'app', passwords: 1 } },
    credentials: { username: 'app', passwords: ['pw'] },
  });
  const client = await proxy.client();
  assert.equal(await client.ask('AUTH', 'default', 'pw'), WRONG_PAIR);
  const user = async (): Promise<string | null | undefined> =>
    (await proxy.handle.clients())[0]?.user;
  assert.equal(await user(), null);
  assert.equal(await client.ask('AUTH', 'app', 'pw'), OK);
  assert.equal(await user(), 'app');
  assert.equal(await client.ask('PING'), '+PONG\r\n');
  assert.equal(await client.ask('AUTH', 'app', 'nope'), WRONG_PAIR);
  assert.equal(await client.ask('PING'), NOAUTH);
  assert.equal(await client.ask('AUTH', 'pw'), OK);
});

test('the proxy logs in at a server by password, or as a user, whose rights are its own', async (t) => {
  const byPassword = await before(t, { username: null, password: 'server-s3cret' });
  assert.equal(await (await byPassword.client()).ask('SET', 'any', '1'), OK);
  const asUser = await before(t, { username: 'app', password: 'app-s3cret' });
  const client = await asUser.client();
  assert.equal(await client.ask('SET', 'app:k', '1'), OK);
  assert.match(await client.ask('SET', 'other', '1'), /^-NOPERM/);
  assert.equal(await said(asUser, 1), null);
  assert.equal(await said(asUser, 2), 'server');
  assert.deepEqual(
    [...logs(byPassword), ...logs(asUser)].filter(({ level }) => level !== 'info'),
    [],
  );
});

test('a wrong login: Envoy throws the reply away, here it is told once, and commands get what the server says', async (t) => {
  const proxy = await before(t, { username: 'app', password: 'wr0ng-s3cret' });
  const client = await proxy.client();
  assert.equal(await client.ask('GET', 'app:k'), NOAUTH);
  assert.equal(await said(proxy, 1), 'server');
  const refusals = (): string[] =>
    logs(proxy).flatMap(({ level, text }) => (level === 'warning' ? [text] : []));
  await until(() => refusals().length > 0);
  assert.match(
    refusals()[0] ?? '',
    /^127\.0\.0\.1:\d+ \(redis\) refused the proxy's login: WRONGPASS/,
  );
  // Each transaction has a connection of its own, which logs in again, and is refused again.
  await client.ask('MULTI');
  assert.equal(await client.ask('SET', 'app:k', '1'), NOAUTH);
  await client.ask('DISCARD');
  await proxy.event((event) => event.command.name === 'DISCARD');
  assert.equal(refusals().length, 1);
  assert.doesNotMatch(JSON.stringify(proxy.others), /s3cret/);
});

test('no login where the server wants one, and one where it knows none', async (t) => {
  const without = await before(t, null);
  assert.equal(await (await without.client()).ask('GET', 'k'), NOAUTH);
  assert.equal(await said(without, 1), 'server');
  const needless = await startProxy(t, {
    seeds: [open.port()],
    upstream: alone(open.port()),
    access: { tls: null, login: { username: null, password: 'needless-s3cret' } },
  });
  assert.equal(await (await needless.client()).ask('PING'), '+PONG\r\n');
  assert.equal(await (await needless.client()).ask('SET', 'k', '1'), OK);
  await until(() =>
    logs(needless).some(({ text }) => /refused the proxy's login: (ERR|WRONGPASS)/.test(text)),
  );
  assert.doesNotMatch(JSON.stringify(needless.others), /s3cret/);
});

test('a server that says the password back is not quoted with it', async (t) => {
  const node = await fakeRedis(t, (argv) =>
    argv[0] === 'auth' ? `-ERR no such password: ${argv[1]}\x1b[2J\r\n` : '+OK\r\n',
  );
  const proxy = await startProxy(t, {
    seeds: [node.port],
    upstream: alone(node.port),
    access: { tls: null, login: { username: null, password: 'echoed-s3cret' } },
  });
  assert.equal(await (await proxy.client()).ask('SET', 'k', '1'), OK);
  await until(() => logs(proxy).some(({ text }) => /no such password: \*\*\*\?\[2J/.test(text)));
  assert.doesNotMatch(JSON.stringify(proxy.others), /s3cret/);
});

test('discovery that is refused tells what the server said to the login', async (t) => {
  const proxy = await startProxy(t, {
    seeds: [locked.port()],
    access: { tls: null, login: { username: null, password: 'wr0ng-s3cret' } },
  });
  await until(() =>
    logs(proxy).some(({ text }) =>
      /refuses CLUSTER SLOTS: NOAUTH.*; it refused the proxy's login: WRONGPASS/.test(text),
    ),
  );
  assert.equal(await (await proxy.client()).ask('GET', 'k'), '-no upstream host\r\n');
  assert.equal(await said(proxy, 1), 'proxy');
  assert.doesNotMatch(JSON.stringify(proxy.others), /s3cret/);
});

test('each upstream has its login, and a server of it may have its own; that of clients goes nowhere', async (t) => {
  const port = locked.port();
  const address = `127.0.0.1:${port}`;
  const wrong: Login = { username: null, password: 'nope' };
  const right: Login = { username: 'app', password: 'app-s3cret' };
  const upstream = (at: number): Upstream => upstreamOf([`127.0.0.1:${at}`], alone(at));
  const config = (base: MeshConfig): MeshConfig => ({
    ...base,
    routes: [plainRoute('app:', 'locked'), plainRoute(null, 'free')],
    upstreams: { locked: upstream(port), free: upstream(open.port()) },
  });
  const proxy = await startProxy(t, {
    seeds: [port],
    config,
    settings: { downstreamAuth: { username: null, passwords: 1 } },
    credentials: { username: null, passwords: ['clients-s3cret'] },
  });
  await proxy.handle.reconfigure(proxy.handle.config, {
    dialling: {
      map: parseAddressMap([]),
      access: {
        locked: { tls: null, login: wrong, byAddress: { [address]: right } },
        free: { tls: null, login: null },
      },
    },
  });
  const client = await proxy.client();
  assert.equal(await client.ask('AUTH', 'clients-s3cret'), OK);
  assert.equal(await client.ask('SET', 'app:k', '1'), OK);
  assert.equal(await client.ask('SET', 'k', '2'), OK);
  assert.equal(await ask(open.port(), ['GET', 'k']), '2');
});

test('errors of several servers: one of theirs passed on is theirs, what Envoy makes of them is its own', async (t) => {
  const proxy = await before(t, { username: 'app', password: 'app-s3cret' });
  const client = await proxy.client();
  assert.equal(
    await client.ask('MSET', 'app:a', '1', 'other', '2'),
    '-finished with 1 error(s)\r\n',
  );
  assert.equal(await said(proxy, 1), 'proxy');
  assert.match(await client.ask('MGET', 'app:a', 'other'), /^\*2\r\n\$1\r\n1\r\n-NOPERM/);
  assert.equal(await said(proxy, 2), null);
  assert.match(await client.ask('SCRIPT', 'KILL'), /^-NOTBUSY/);
  assert.equal(await said(proxy, 3), 'server');
});

test("the mesh's files: a Secret's newline is part of the password for Envoy, and is said to be", async (t) => {
  const cluster = (password: string): string =>
    `{name: a, type: STATIC, lb_policy: MAGLEV, typed_extension_protocol_options: {envoy.filters.network.redis_proxy: {"@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProtocolOptions, auth_username: {inline_string: app}, auth_password: {inline_string: "${password}"}}}, load_assignment: {cluster_name: a, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ${locked.port()}}}}}]}]}}`;
  const started = async (password: string): Promise<{ proxy: TestProxy; codes: string[] }> => {
    const mesh = load(
      bootstrap('prefix_routes: {catch_all_route: {cluster: a}}', [cluster(password)]),
    );
    const { config, access } = listener(mesh);
    const proxy = await startProxy(t, { seeds: [locked.port()], config: () => config });
    await proxy.handle.reconfigure(config, {
      dialling: {
        map: parseAddressMap([]),
        access: { a: { tls: null, login: access.a?.login ?? null } },
      },
    });
    return { proxy, codes: mesh.diagnostics.map(({ code }) => code) };
  };
  const good = await started('app-s3cret');
  assert.equal(await (await good.proxy.client()).ask('SET', 'app:k', '1'), OK);
  assert.ok(!good.codes.includes('ENVOY-WHITESPACE'));
  const trap = await started('app-s3cret\\n');
  assert.equal(await (await trap.proxy.client()).ask('SET', 'app:k', '1'), NOAUTH);
  assert.ok(trap.codes.includes('ENVOY-WHITESPACE'));
  await until(() => logs(trap.proxy).some(({ text }) => /refused the proxy's login/.test(text)));
  assert.doesNotMatch(JSON.stringify(trap.proxy.others), /s3cret/);
});
