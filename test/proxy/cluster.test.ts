/** The proxy in front of a real Redis Cluster, in its default settings: what goes where, and what comes back. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { slotOf } from '../../src/mesh/place.js';
import { bulk } from '../helpers/client.js';
import { ask, sharedCluster } from '../helpers/cluster.js';
import { startProxy } from '../helpers/proxy.js';

const { cluster } = sharedCluster();
const seeds = (): number[] => [cluster().nodes[0]?.port ?? 0];

/** Port of the primary that owns `key`. */
function ownerOf(key: string): number {
  return cluster().nodes[Math.floor((slotOf(Buffer.from(key)) * 3) / 16384)]?.port ?? 0;
}

test('a key is read and written where its slot is', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  assert.equal(await client.ask('SET', 'foo', 'bar'), '+OK\r\n');
  assert.equal(await client.ask('GET', 'foo'), bulk('bar'));
  assert.equal(await ask(ownerOf('foo'), ['GET', 'foo']), 'bar');
  const event = await proxy.event((e) => e.command.name === 'GET');
  assert.equal(event.attempts[0]?.address, `127.0.0.1:${ownerOf('foo')}`);
  assert.equal(event.seq, 2);
  assert.deepEqual(event.outcome, { kind: 'reply', cause: null });
  assert.equal(event.reply.bytes.toString(), bulk('bar'));
});

test('a command before the topology is known waits for it', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  assert.equal(await client.ask('ECHO', 'first'), bulk('first'));
});

test('MGET and MSET are split per key and put together in the order of the arguments', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  assert.equal(await client.ask('MSET', 'a', '1', 'b', '2', 'c', '3', '{a}x', '4'), '+OK\r\n');
  assert.equal(
    await client.ask('mget', 'a', 'b', 'none', 'c', '{a}x', 'a'),
    `*6\r\n${bulk('1')}${bulk('2')}$-1\r\n${bulk('3')}${bulk('4')}${bulk('1')}`,
  );
  const event = await proxy.event((e) => e.command.name === 'MGET');
  assert.equal(event.attempts.length, 6);
  await client.ask('LPUSH', 'list', 'x');
  assert.equal(
    await client.ask('MGET', 'a', 'list'),
    `*2\r\n${bulk('1')}-WRONGTYPE Operation against a key holding the wrong kind of value\r\n`,
  );
  assert.equal(await client.ask('EXISTS', 'a', 'b', 'none', 'a'), ':3\r\n');
  assert.equal(await client.ask('del', 'a', 'b', 'list', 'none'), ':3\r\n');
  assert.equal(
    await client.ask('MSET', 'a', '1', 'b'),
    "-wrong number of arguments for 'MSET' command\r\n",
  );
});

test('a large pipeline over all slots comes back in order', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  const keys = Array.from({ length: 2000 }, (_, i) => `order:${i}`);
  await client.pipeline(keys.map((key) => ['SET', key, `value of ${key}`]));
  const replies = await client.pipeline(keys.map((key) => ['GET', key]));
  assert.deepEqual(
    replies,
    keys.map((key) => bulk(`value of ${key}`)),
  );
  const last = await proxy.event((e) => e.seq === 4000);
  assert.ok(last.burst.size >= 1);
});

test('scripts go to the owner of their third argument', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  const script = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])";
  assert.equal(await client.ask('EVAL', script, '1', 'script:key', 'v'), bulk('v'));
  assert.equal(await ask(ownerOf('script:key'), ['GET', 'script:key']), 'v');
  assert.equal(
    await client.ask('EVAL', 'return 1', '0'),
    "-wrong number of arguments for 'EVAL' command\r\n",
  );
  assert.equal(await client.ask('OBJECT', 'ENCODING', 'script:key'), bulk('embstr'));
});

test('the commands for all shards are merged as Envoy merges them', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  assert.equal(await client.ask('FLUSHALL'), '+OK\r\n');
  await client.pipeline(Array.from({ length: 30 }, (_, i) => ['SET', `k${i}`, 'v']));
  assert.equal((await client.ask('KEYS', 'k*')).split('\r\n')[0], '*30');
  assert.match(await client.ask('CONFIG', 'GET', 'maxmemory'), /^\*6\r\n/);
  assert.equal(await client.ask('CONFIG', 'SET', 'slowlog-max-len', '64'), '+OK\r\n');
  assert.equal(
    await client.ask('CONFIG', 'HELP'),
    '-ERR unsupported cluster scope command or invalid arguments\r\n',
  );
  // On a busy machine a server finds something slow.
  assert.equal(await client.ask('CONFIG', 'SET', 'slowlog-log-slower-than', '-1'), '+OK\r\n');
  assert.equal(await client.ask('SLOWLOG', 'RESET'), '+OK\r\n');
  assert.equal(await client.ask('SLOWLOG', 'LEN'), ':0\r\n');
  assert.match(await client.ask('ROLE'), /^\*3\r\n\*3\r\n\$6\r\nmaster/);
  assert.equal(
    await client.ask('SCRIPT', 'LOAD', 'return 1'),
    bulk('e0e1f9fabfc9d4800c877a703b823ac0578ff8db'),
  );
  assert.match(await client.ask('SCAN', '0', 'COUNT', '1000'), /^\*6\r\n/);
  const info = await client.ask('INFO');
  assert.match(info, /# Server\r\nredis_version:/);
  assert.match(info, /redis_mode:cluster\r\n/);
  assert.match(info, /# Keyspace\r\ndb0:keys=30,expires=0,avg_ttl=0\r\n/);
  assert.equal(await client.ask('INFO', 'everything'), '$0\r\n\r\n');
  assert.match(await client.ask('INFO', 'memory'), /^\$\d+\r\n# Memory\r\nused_memory:/);
  assert.match(await client.ask('INFO.SHARD', '1', 'server'), /redis_version/);
  assert.equal(await client.ask('INFO.SHARD', '3'), '-ERR shard_id 3 out of range (0-2)\r\n');
  assert.match(await client.ask('CLUSTER', 'INFO'), /cluster_state:ok/);
  assert.match(await client.ask('RANDOMKEY'), /^\$\d\r\nk\d/);
});

test('a transaction runs on a connection of its own, at the node of its first key', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  assert.equal(await client.ask('MULTI'), '+OK\r\n');
  assert.equal(await client.ask('SET', '{tx}a', '1'), '+QUEUED\r\n');
  assert.equal(await client.ask('PING'), '+PONG\r\n');
  assert.equal(await client.ask('MSET', '{tx}a', '5', '{tx}b', '6'), '+QUEUED\r\n');
  assert.equal(
    await client.ask('EXISTS', '{tx}a'),
    "-'EXISTS' command is not supported within transaction\r\n",
  );
  assert.equal(await client.ask('MULTI'), '-MULTI calls can not be nested\r\n');
  assert.equal(await client.ask('GET', '{tx}a'), '+QUEUED\r\n');
  assert.equal(await client.ask('EXEC'), `*3\r\n+OK\r\n+OK\r\n${bulk('5')}`);
  assert.equal(await client.ask('EXEC'), '-EXEC without MULTI\r\n');
  assert.equal(await client.ask('GET', '{tx}b'), bulk('6'));
  const queued = await proxy.event((e) => e.command.session.multi && e.command.name === 'GET');
  assert.equal(queued.command.session.pinned, `127.0.0.1:${ownerOf('{tx}')}`);
});

test('transactions without a key, and those that are discarded', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  assert.deepEqual(await client.pipeline([['MULTI'], ['EXEC']]), ['+OK\r\n', '*0\r\n']);
  assert.deepEqual(await client.pipeline([['MULTI'], ['UNWATCH'], ['DISCARD']]), [
    '+OK\r\n',
    '+QUEUED\r\n',
    '+OK\r\n',
  ]);
  assert.deepEqual(
    await client.pipeline([['MULTI'], ['SET', 'gone', '1'], ['DISCARD'], ['GET', 'gone']]),
    ['+OK\r\n', '+QUEUED\r\n', '+OK\r\n', '$-1\r\n'],
  );
  assert.equal(await client.ask('DISCARD'), '-DISCARD without MULTI\r\n');
});

test('a key of another slot in a transaction gets the node’s own MOVED', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds(), settings: { enableRedirection: true } });
  const client = await proxy.client();
  const replies = await client.pipeline([
    ['MULTI'],
    ['SET', 'a', '1'],
    ['SET', 'b', '1'],
    ['EXEC'],
  ]);
  assert.equal(replies[1], '+QUEUED\r\n');
  assert.match(replies[2] ?? '', /^-MOVED 3300 /);
  assert.match(replies[3] ?? '', /^-EXECABORT/);
});

test('WATCH stores the key, so that MULTI goes to its node; it protects nothing', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  assert.equal(await client.ask('SET', 'watched', '1'), '+OK\r\n');
  assert.equal(await client.ask('WATCH', 'watched'), '+OK\r\n');
  assert.equal(await client.ask('MULTI'), '+OK\r\n');
  await ask(ownerOf('watched'), ['SET', 'watched', 'changed']);
  assert.equal(await client.ask('INCR', 'watched2{watched}'), '+QUEUED\r\n');
  assert.equal(await client.ask('EXEC'), '*1\r\n:1\r\n');
});

test('what the proxy answers and refuses by itself', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  const cases: [string[], string][] = [
    [['PING', 'x'], '+PONG\r\n'],
    [['ECHO', 'x'], bulk('x')],
    [['ECHO'], '-invalid request\r\n'],
    [['GET'], '-invalid request\r\n'],
    [['BLPOP', 'k', '0'], "-ERR unknown command 'BLPOP', with args beginning with: k\r\n"],
    [['DBSIZE'], "-ERR unknown command 'DBSIZE', with args beginning with: \r\n"],
    [['HELLO', '3'], '-NOPROTO unsupported protocol version\r\n'],
    [['CLIENT', 'SETNAME', 'x'], '+OK\r\n'],
    [['CLIENT', 'LIST'], "-ERR CLIENT subcommand 'LIST' is not supported by the proxy\r\n"],
    [['AUTH', 'p'], '-ERR Client sent AUTH, but no password is set\r\n'],
    [['SCAN'], "-ERR wrong number of arguments for 'SCAN' command\r\n"],
    [['CLUSTER', 'RESET'], "-ERR cluster subcommand 'reset' is not supported\r\n"],
  ];
  for (const [argv, reply] of cases) assert.equal(await client.ask(...argv), reply, argv.join(' '));
  assert.match(
    await client.ask('HELLO', '2'),
    /^\*14\r\n\$6\r\nserver\r\n\$17\r\nenvoy-redis-proxy/,
  );
  assert.equal(await client.ask('QUIT'), '+OK\r\n');
  await client.closed;
});

test('inline commands, and requests that are none', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  client.write('SET inline "a b"\r\nGET inline\r\n\r\n*1\r\n:5\r\n*0\r\nPING\r\n');
  assert.equal(await client.next(), '+OK\r\n');
  assert.equal(await client.next(), bulk('a b'));
  assert.equal(await client.next(), '-invalid request\r\n');
  assert.equal(await client.next(), '-invalid request\r\n');
  assert.equal(await client.next(), '-invalid request\r\n');
  assert.equal(await client.next(), '+PONG\r\n');
  client.write('PING\r\n^oops\r\nPING\r\n');
  assert.equal(await client.next(), '+PONG\r\n');
  assert.equal(await client.next(), '-downstream protocol error\r\n');
  assert.equal(await client.next(), '(closed)');
});

test('a client that has sent everything and closes its side still gets its replies', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = await proxy.client();
  client.socket.end('SET half open\r\nGET half\r\n');
  assert.equal(await client.next(), '+OK\r\n');
  assert.equal(await client.next(), bulk('open'));
  await client.closed;
});

for (const policy of ['MASTER', 'PREFER_MASTER', 'REPLICA', 'PREFER_REPLICA', 'ANY'] as const) {
  test(`read policy ${policy} chooses the nodes it says, and reads from them`, async (t) => {
    const proxy = await startProxy(t, { seeds: seeds(), settings: { readPolicy: policy } });
    const client = await proxy.client();
    await client.ask('SET', 'foo', 'policy');
    const replica =
      cluster().nodes[3 + cluster().nodes.findIndex((node) => node.port === ownerOf('foo'))]
        ?.port ?? 0;
    // The replica has the value when it has the primary's offset; until then it may answer with the old one.
    while ((await ask(ownerOf('foo'), ['WAIT', '1', '100'])) === 0);
    const replies = await client.pipeline(Array.from({ length: 40 }, () => ['GET', 'foo']));
    assert.deepEqual(new Set(replies), new Set([bulk('policy')]));
    await proxy.event((e) => e.seq === 41);
    const used = new Set(
      proxy.commands.filter((e) => e.command.name === 'GET').map((e) => e.attempts[0]?.address),
    );
    const [p, r] = [`127.0.0.1:${ownerOf('foo')}`, `127.0.0.1:${replica}`];
    const expected = {
      MASTER: [p],
      PREFER_MASTER: [p],
      REPLICA: [r],
      PREFER_REPLICA: [r],
      ANY: [p, r],
    }[policy];
    assert.deepEqual([...used].sort(), expected.sort());
    const write = proxy.commands.find((e) => e.command.name === 'SET');
    assert.equal(write?.attempts[0]?.address, p);
  });
}

test('a write that Envoy takes for a read comes back from the replica as MOVED', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds(), settings: { readPolicy: 'REPLICA' } });
  const client = await proxy.client();
  assert.match(await client.ask('GETSET', 'foo', 'x'), /^-MOVED 12182 /);
});
