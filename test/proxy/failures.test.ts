/** What clients see when servers fail, and what the events say was behind it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'node:test';
import { bulk } from '../helpers/client.js';
import { clusterNode, clusterSlots, fakeRedis } from '../helpers/fake-redis.js';
import { startProxy } from '../helpers/proxy.js';
import { until } from '../helpers/until.js';

const FAILURE = '-upstream failure\r\n';

/** A server that says it is no cluster, and answers the rest with `answer`. */
function single(answer: Parameters<typeof clusterNode>[1]): Parameters<typeof clusterNode>[1] {
  return clusterNode(() => '-ERR This instance has cluster support disabled\r\n', answer);
}

test('a server that hangs takes every request on its connection along, and the event says so', async (t) => {
  const node = await fakeRedis(
    t,
    single((argv) => (argv[0] === 'GET' ? null : '+OK\r\n')),
  );
  const proxy = await startProxy(t, { seeds: [node.port], settings: { opTimeoutMs: 100 } });
  const [a, b] = [await proxy.client(), await proxy.client()];
  await a.ask('SET', 'k', 'v');
  const replies = await Promise.all([a.ask('GET', 'a'), a.ask('GET', 'b'), b.ask('GET', 'c')]);
  assert.deepEqual(replies, [FAILURE, FAILURE, FAILURE]);
  const event = await proxy.event((e) => e.command.name === 'GET');
  assert.deepEqual(event.outcome, {
    kind: 'reply',
    cause: { code: 'op-timeout', address: node.address, afterMs: 100, others: 2 },
  });
  // The next request opens a new connection.
  assert.equal(await a.ask('SET', 'k', 'v'), '+OK\r\n');
});

test('op_timeout starts anew with each reply', async (t) => {
  const waiting: (() => void)[] = [];
  const node = await fakeRedis(
    t,
    single((_argv, socket) => {
      waiting.push(() => socket.write('+OK\r\n'));
      return null;
    }),
  );
  const opTimeoutMs = 400;
  const proxy = await startProxy(t, { seeds: [node.port], settings: { opTimeoutMs } });
  const client = await proxy.client();
  // Three replies, together later than the timeout. On a machine that stalled longer than that in between, once more.
  for (let longest = opTimeoutMs; longest >= opTimeoutMs; ) {
    waiting.length = 0;
    longest = 0;
    const replies = client.pipeline([
      ['SET', 'a', '1'],
      ['SET', 'b', '1'],
      ['SET', 'c', '1'],
    ]);
    await until(() => waiting.length === 3);
    for (const answer of waiting) {
      const from = performance.now();
      await new Promise((resolve) => setTimeout(resolve, opTimeoutMs * 0.6));
      answer();
      longest = Math.max(longest, performance.now() - from);
    }
    if (longest >= opTimeoutMs) await replies;
    else assert.deepEqual(await replies, ['+OK\r\n', '+OK\r\n', '+OK\r\n']);
  }
});

test('a server that refuses connections', async (t) => {
  const node = await fakeRedis(
    t,
    single(() => '+OK\r\n'),
  );
  const proxy = await startProxy(t, { seeds: [node.port] });
  const client = await proxy.client();
  assert.equal(await client.ask('SET', 'a', '1'), '+OK\r\n');
  await node.close();
  await until(() => proxy.others.some((e) => e.type === 'upstream' && e.state === 'closed'));
  assert.equal(await client.ask('SET', 'a', '1'), FAILURE);
  const event = await proxy.event((e) => e.seq === 2);
  assert.equal(event.outcome.kind === 'reply' && event.outcome.cause?.code, 'refused');
  const states = (): string[] =>
    proxy.others.flatMap((other) => (other.type === 'upstream' ? [other.state] : []));
  await until(() => states().length >= 3, 'what came of the second connection');
  assert.deepEqual(states().slice(0, 3), ['ready', 'closed', 'failed']);
});

test('a server that closes in the middle of things', async (t) => {
  const node = await fakeRedis(
    t,
    single((argv, socket) => {
      if (argv[0] !== 'GET') return '+OK\r\n';
      socket.end();
      return null;
    }),
  );
  const proxy = await startProxy(t, { seeds: [node.port] });
  const client = await proxy.client();
  const replies = await client.pipeline([
    ['SET', 'a', '1'],
    ['GET', 'a'],
    ['SET', 'b', '1'],
  ]);
  assert.deepEqual(replies, ['+OK\r\n', FAILURE, FAILURE]);
  const event = await proxy.event((e) => e.seq === 2);
  assert.deepEqual(event.outcome, {
    kind: 'reply',
    cause: { code: 'closed', address: node.address, others: 1 },
  });
});

for (const [name, bytes] of [
  ['an unknown type byte', '^what\r\n'],
  ['a bulk that does not end where it says', '$3\r\nabcde\r\n'],
  ['a reply nobody asked for', '+OK\r\n+OK\r\n'],
] as const) {
  test(`a server that sends ${name} loses its connection`, async (t) => {
    const node = await fakeRedis(
      t,
      single((argv) => (argv[0] === 'GET' ? bytes : '+OK\r\n')),
    );
    const proxy = await startProxy(t, { seeds: [node.port] });
    const client = await proxy.client();
    const reply = await client.ask('GET', 'a');
    await until(() =>
      proxy.others.some((e) => e.type === 'upstream' && e.cause?.code === 'protocol'),
    );
    assert.ok(reply === FAILURE || reply === '+OK\r\n');
    assert.equal(await client.ask('SET', 'a', '1'), '+OK\r\n');
  });
}

test('a frame torn at every byte is one frame', async (t) => {
  const reply = '*4\r\n$5\r\nhello\r\n:12\r\n*2\r\n$-1\r\n+x\r\n$0\r\n\r\n';
  const node = await fakeRedis(
    t,
    single((argv, socket) => {
      if (argv[0] !== 'LRANGE') return '+OK\r\n';
      socket.setNoDelay(true);
      let at = 0;
      const next = (): void => {
        socket.write(reply.slice(at, ++at));
        if (at < reply.length) setImmediate(next);
      };
      next();
      return null;
    }),
  );
  const proxy = await startProxy(t, { seeds: [node.port] });
  const client = await proxy.client();
  assert.equal(await client.ask('LRANGE', 'l', '0', '-1'), reply);
});

test('replies are converted only where Envoy converts them', async (t) => {
  const said: Record<string, string> = {
    nullarray: '*-1\r\n',
    nested: '*2\r\n*-1\r\n$1\r\nx\r\n',
    map: '%2\r\n+a\r\n:1\r\n+b\r\n#t\r\n',
    set: '~1\r\n,1.5\r\n',
    error: '!7\r\nERR a\nb\r\n',
    verbatim: '=5\r\ntxt:x\r\n',
    attribute: '|1\r\n+k\r\n+v\r\n+OK\r\n',
    null3: '_\r\n',
    big: '(123456789012345678901234567890\r\n',
  };
  const node = await fakeRedis(
    t,
    single((argv) => said[argv[1] ?? ''] ?? '+OK\r\n'),
  );
  const proxy = await startProxy(t, { seeds: [node.port] });
  const client = await proxy.client();
  const expected: Record<string, string> = {
    nullarray: '$-1\r\n',
    nested: '*2\r\n$-1\r\n$1\r\nx\r\n',
    map: '*4\r\n+a\r\n:1\r\n+b\r\n:1\r\n',
    set: '*1\r\n$3\r\n1.5\r\n',
    error: '-ERR a b\r\n',
    verbatim: '$1\r\nx\r\n',
    attribute: '+OK\r\n',
    null3: '$-1\r\n',
    big: `$30\r\n123456789012345678901234567890\r\n`,
  };
  for (const [key, reply] of Object.entries(expected))
    assert.equal(await client.ask('GET', key), reply, key);
  const old = await startProxy(t, { seeds: [node.port], upstream: { envoy: 39 } });
  const client39 = await old.client();
  assert.equal(await client39.ask('GET', 'map'), FAILURE);
});

test('MOVED goes to the client as it is, unless redirection is on', async (t) => {
  const other = await fakeRedis(
    t,
    single((argv) => bulk(`other ${argv[1]}`)),
  );
  const node = await fakeRedis(
    t,
    single(() => `-MOVED 1 ${other.address}\r\n`),
  );
  const off = await startProxy(t, { seeds: [node.port] });
  assert.equal(await (await off.client()).ask('GET', 'a'), `-MOVED 1 ${other.address}\r\n`);
  const on = await startProxy(t, { seeds: [node.port], settings: { enableRedirection: true } });
  assert.equal(await (await on.client()).ask('GET', 'a'), bulk('other a'));
  const event = await on.event((e) => e.command.name === 'GET');
  assert.deepEqual(
    event.attempts.map((a) => [a.kind, a.address]),
    [
      ['decided', node.address],
      ['MOVED', other.address],
    ],
  );
});

test('ASK is followed with asking first, its answer kept back; each key of an MGET by itself', async (t) => {
  const other = await fakeRedis(
    t,
    single((argv) => (argv[0] === 'asking' ? '+OK\r\n' : bulk(`asked ${argv[1]}`))),
  );
  const node = await fakeRedis(
    t,
    single((argv) => (argv[1] === 'a' ? `-ASK 15495 ${other.address}\r\n` : bulk('here'))),
  );
  const proxy = await startProxy(t, { seeds: [node.port], settings: { enableRedirection: true } });
  const client = await proxy.client();
  assert.equal(await client.ask('GET', 'a'), bulk('asked a'));
  assert.deepEqual(other.heard, [['asking'], ['GET', 'a']]);
  assert.equal(
    await client.ask('MGET', 'b', 'a', 'c'),
    `*3\r\n${bulk('here')}${bulk('asked a')}${bulk('here')}`,
  );
  const event = await proxy.event((e) => e.command.name === 'MGET');
  assert.deepEqual(
    event.attempts.map((a) => `${a.part} ${a.kind}`),
    ['0 decided', '1 decided', '1 ASK', '2 decided'],
  );
});

test('redirects that cannot be followed reach the client unchanged', async (t) => {
  const errors = [
    'MOVED 1 host.name:6379',
    'MOVED 1 127.0.0.1',
    'MOVED 1',
    'MOVED 1 127.0.0.1:1 x',
    'ASK 1 :6379',
    'TRYAGAIN x',
  ];
  const node = await fakeRedis(
    t,
    single((argv) => `-${argv[1]}\r\n`),
  );
  const proxy = await startProxy(t, { seeds: [node.port], settings: { enableRedirection: true } });
  const client = await proxy.client();
  for (const error of errors) assert.equal(await client.ask('GET', error), `-${error}\r\n`);
  assert.equal(await client.ask('GET', 'CLUSTERDOWN Hash slot not served'), FAILURE);
  const off = await startProxy(t, { seeds: [node.port] });
  assert.equal(await (await off.client()).ask('GET', 'CLUSTERDOWN x'), '-CLUSTERDOWN x\r\n');
});

test('redirects to unknown servers are limited', async (t) => {
  const target = await fakeRedis(
    t,
    single(() => '+target\r\n'),
  );
  const node = await fakeRedis(
    t,
    single(() => `-MOVED 1 ${target.address}\r\n`),
  );
  const proxy = await startProxy(t, {
    seeds: [node.port],
    settings: { enableRedirection: true, maxUpstreamUnknownConnections: 0 },
  });
  assert.equal(await (await proxy.client()).ask('GET', 'a'), `-MOVED 1 ${target.address}\r\n`);
});

test('a redirect asks for the topology at once, then not again for the interval', async (t) => {
  let asked = 0;
  const node = await fakeRedis(t, (argv) => {
    if (argv.join(' ').toUpperCase() === 'CLUSTER SLOTS') {
      asked++;
      return clusterSlots([[node.port]]);
    }
    return argv[0] === 'PING'
      ? '+PONG\r\n'
      : `-MOVED 1 127.0.0.1:${argv[1] === 'x' ? target.port : node.port}\r\n`;
  });
  const target = await fakeRedis(t, () => '+target\r\n');
  const refresh = {
    rateMs: 3_600_000,
    timeoutMs: 1000,
    redirectIntervalMs: 3_600_000,
    redirectThreshold: 2,
    failureThreshold: 0,
    degradedThreshold: 0,
  };
  const proxy = await startProxy(t, {
    seeds: [node.port],
    settings: { enableRedirection: true },
    upstream: { refresh },
  });
  const client = await proxy.client();
  await client.ask('GET', 'x');
  assert.equal(asked, 1);
  for (let i = 0; i < 10; i++) await client.ask('GET', 'x');
  await until(() => asked === 2);
  for (let i = 0; i < 10; i++) await client.ask('GET', 'x');
  assert.equal(asked, 2);
});

test('fragments: what fails in its place, and what counts as an error', async (t) => {
  const node = await fakeRedis(
    t,
    single((argv, socket) => {
      if (argv[1] === 'int') return ':5\r\n';
      if (argv[1] === 'die') {
        socket.destroy();
        return null;
      }
      return argv[0] === 'get' ? bulk('v') : argv[0] === 'set' ? '+OK\r\n' : ':1\r\n';
    }),
  );
  const proxy = await startProxy(t, { seeds: [node.port] });
  const client = await proxy.client();
  assert.equal(
    await client.ask('MGET', 'a', 'int'),
    `*2\r\n${bulk('v')}-upstream protocol error\r\n`,
  );
  assert.equal(await client.ask('MSET', 'a', '1', 'int', '2'), '-finished with 1 error(s)\r\n');
  assert.equal(await client.ask('DEL', 'a', 'die'), '-finished with 1 error(s)\r\n');
  assert.deepEqual(
    node.heard.find((argv) => argv[1] === 'die'),
    ['DEL', 'die'],
  );
  const event = await proxy.event((e) => e.command.name === 'DEL');
  assert.equal(event.outcome.kind === 'reply' && event.outcome.cause?.code, 'closed');
});

test('nothing listens at the seed: no upstream host, and a log line that says what to do', async (t) => {
  const gone = createServer();
  gone.listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const address = gone.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  await new Promise((resolve) => gone.close(resolve));
  const proxy = await startProxy(t, { seeds: [port] });
  const client = await proxy.client();
  assert.equal(await client.ask('GET', 'a'), '-no upstream host\r\n');
  await until(() =>
    proxy.others.some(
      (e) => e.type === 'log' && e.level === 'error' && /refused/.test(e.text) && e.next !== null,
    ),
  );
});

test('slots without an owner belong to the first shard, as in Envoy’s table', async (t) => {
  const node = await fakeRedis(
    t,
    clusterNode(
      () => `*1\r\n*3\r\n:0\r\n:100\r\n*2\r\n$9\r\n127.0.0.1\r\n:${node.port}\r\n`,
      () => '+here\r\n',
    ),
  );
  const proxy = await startProxy(t, { seeds: [node.port] });
  assert.equal(await (await proxy.client()).ask('GET', 'foo'), '+here\r\n');
  const event = await proxy.event((e) => e.command.name === 'GET');
  const action = event.decision.action;
  assert.equal(action.kind === 'forward' && action.parts[0]?.why[1]?.code, 'uncovered');
});

for (const [name, reply] of [
  ['an empty array', '*0\r\n'],
  ['a range without servers', '*1\r\n*2\r\n:0\r\n:1\r\n'],
  ['an empty host', '*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$0\r\n\r\n:6379\r\n'],
  ['a null host', '*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$-1\r\n:6379\r\n'],
  ['no array', '+OK\r\n'],
] as const) {
  test(`a CLUSTER SLOTS reply with ${name} is refused whole`, async (t) => {
    const node = await fakeRedis(
      t,
      clusterNode(
        () => reply,
        () => '+here\r\n',
      ),
    );
    const proxy = await startProxy(t, { seeds: [node.port] });
    assert.equal(await (await proxy.client()).ask('GET', 'foo'), '-no upstream host\r\n');
    await until(() => proxy.others.some((e) => e.type === 'log' && /CLUSTER SLOTS/.test(e.text)));
  });
}

test('REPLICA without replicas leaves nobody', async (t) => {
  const node = await fakeRedis(
    t,
    clusterNode(
      () => clusterSlots([[node.port]]),
      () => '+here\r\n',
    ),
  );
  const proxy = await startProxy(t, { seeds: [node.port], settings: { readPolicy: 'REPLICA' } });
  const client = await proxy.client();
  assert.equal(await client.ask('GET', 'foo'), '-no upstream host\r\n');
  assert.equal(await client.ask('SET', 'foo', '1'), '+here\r\n');
  assert.ok(node.heard.some((argv) => argv[0] === 'readonly' && argv.length === 1));
});

test('the login comes first, in lower case, then readonly; the client’s own AUTH is never passed on', async (t) => {
  const node = await fakeRedis(
    t,
    single(() => '+OK\r\n'),
  );
  const proxy = await startProxy(t, {
    seeds: [node.port],
    settings: { readPolicy: 'ANY' },
    access: { tls: null, login: { username: 'app', password: 'secret-word' } },
  });
  const client = await proxy.client();
  assert.equal(
    await client.ask('AUTH', 'mine'),
    '-ERR Client sent AUTH, but no password is set\r\n',
  );
  assert.equal(await client.ask('SET', 'a', '1'), '+OK\r\n');
  const words = node.heard.map((argv) => argv.join(' '));
  const at = words.indexOf('readonly');
  assert.deepEqual(words.slice(at - 1, at + 2), ['auth app secret-word', 'readonly', 'SET a 1']);
  assert.ok(!words.some((line) => line.includes('mine')));
  assert.ok(!JSON.stringify(proxy.others).includes('secret-word'));
});

test('a RESP3 listener: NOPROTO before HELLO 3, HELLO 3 to the servers, requests held until it is answered', async (t) => {
  const greeting = '%1\r\n$5\r\nproto\r\n:3\r\n';
  const node = await fakeRedis(
    t,
    single((argv) =>
      argv[0] === 'HELLO' ? greeting : argv[0] === 'GET' ? '_\r\n' : '%1\r\n+a\r\n:1\r\n',
    ),
  );
  const proxy = await startProxy(t, { seeds: [node.port], settings: { protocolVersion: 3 } });
  const client = await proxy.client();
  assert.equal(await client.ask('GET', 'a'), '-NOPROTO unsupported protocol version\r\n');
  assert.equal(await client.ask('NOSUCH'), '-NOPROTO unsupported protocol version\r\n');
  assert.equal(await client.ask('HELLO', '2'), '-NOPROTO unsupported protocol version\r\n');
  assert.match(await client.ask('HELLO', '3'), /^%7\r\n/);
  assert.equal(await client.ask('GET', 'a'), '_\r\n');
  assert.equal(await client.ask('HGETALL', 'h'), '%1\r\n+a\r\n:1\r\n');
  const words = node.heard.map((argv) => argv.join(' '));
  assert.ok(words.indexOf('HELLO 3') < words.indexOf('GET a'));
});

test('a server that refuses HELLO 3 fails what was held', async (t) => {
  const node = await fakeRedis(
    t,
    single(() => '-NOPROTO no\r\n'),
  );
  const proxy = await startProxy(t, { seeds: [node.port], settings: { protocolVersion: 3 } });
  const client = await proxy.client();
  await client.ask('HELLO', '3');
  assert.equal(await client.ask('GET', 'a'), FAILURE);
  const event = await proxy.event((e) => e.command.name === 'GET');
  assert.equal(event.outcome.kind === 'reply' && event.outcome.cause?.code, 'handshake');
});

test('a client that leaves does not disturb the others on the shared connection', async (t) => {
  const release: (() => void)[] = [];
  const node = await fakeRedis(
    t,
    single((argv, socket) => {
      release.push(() => socket.write(bulk(argv[1] ?? '')));
      return null; // until the test says so: a server answers in order
    }),
  );
  const proxy = await startProxy(t, { seeds: [node.port] });
  const [a, b] = [await proxy.client(), await proxy.client()];
  a.write('GET slow\r\n');
  await until(() => release.length === 1);
  const reply = b.ask('GET', 'quick');
  a.socket.resetAndDestroy();
  await proxy.event((e) => e.outcome.kind === 'client-closed');
  await until(() => release.length === 2);
  for (const answer of release) answer();
  assert.equal(await reply, bulk('quick'));
});
