/** `--open`: what the mesh refuses is forwarded as a good cluster client would, on a real Redis Cluster. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { isOpened } from '../../src/mesh/decision.js';
import { slotOf } from '../../src/mesh/place.js';
import { bulk } from '../helpers/client.js';
import { ask, sharedCluster } from '../helpers/cluster.js';
import { startProxy, type TestProxy } from '../helpers/proxy.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();

function open(t: test.TestContext): Promise<TestProxy> {
  return startProxy(t, { seeds: [cluster().nodes[0]?.port ?? 0], settings: { open: true } });
}

function ownerOf(key: string): number {
  return cluster().nodes[Math.floor((slotOf(Buffer.from(key)) * 3) / 16384)]?.port ?? 0;
}

/** An array of bulk strings and, for the last of an acknowledgement, a number. */
function array(...items: (string | number)[]): string {
  return `*${items.length}\r\n${items.map((item) => (typeof item === 'number' ? `:${item}\r\n` : bulk(item))).join('')}`;
}

test('a command that waits does so on a connection of its own, and is marked', async (t) => {
  const proxy = await open(t);
  const [waiter, other] = [await proxy.client(), await proxy.client()];
  const popped = waiter.pipeline([['BLPOP', 'queue', '0'], ['PING']]);
  await until(async () =>
    String(await ask(ownerOf('queue'), ['INFO', 'clients'])).includes('blocked_clients:1'),
  );
  for (let i = 0; i < 20; i++) assert.equal(await other.ask('GET', '{queue}x'), '$-1\r\n');
  await other.ask('RPUSH', 'queue', 'job');
  assert.deepEqual(await popped, [array('queue', 'job'), '+PONG\r\n']);
  const event = await proxy.event((e) => e.command.name === 'BLPOP');
  assert.ok(isOpened(event.decision));
});

test('a client that leaves while it waits takes nothing with it', async (t) => {
  const proxy = await open(t);
  const [waiter, other] = [await proxy.client(), await proxy.client()];
  waiter.write('BLPOP left 0\r\nPING\r\n');
  await until(async () =>
    String(await ask(ownerOf('left'), ['INFO', 'clients'])).includes('blocked_clients:1'),
  );
  waiter.write('PING\r\n');
  waiter.close();
  await until(async () =>
    String(await ask(ownerOf('left'), ['INFO', 'clients'])).includes('blocked_clients:0'),
  );
  await other.ask('RPUSH', 'left', 'job');
  assert.equal(await other.ask('LLEN', 'left'), ':1\r\n');
});

test('what is sent before a command that waits is done before it', async (t) => {
  const proxy = await open(t);
  const client = await proxy.client();
  const replies = await client.pipeline([
    ['RPUSH', 'before', 'x'],
    ['BLPOP', 'before', '0'],
    ['LLEN', 'before'],
  ]);
  assert.deepEqual(replies, [':1\r\n', array('before', 'x'), ':0\r\n']);
});

test('streams: XREAD finds its keys, XGROUP and XINFO too', async (t) => {
  const proxy = await open(t);
  const client = await proxy.client();
  await client.ask('XADD', 'stream', '1-1', 'f', 'v');
  assert.match(
    await client.ask('XREAD', 'COUNT', '1', 'STREAMS', 'stream', '0'),
    /stream[\s\S]*1-1/,
  );
  assert.equal(await client.ask('XGROUP', 'CREATE', 'stream', 'g', '0'), '+OK\r\n');
  assert.match(await client.ask('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'stream', '>'), /1-1/);
  assert.match(await client.ask('XINFO', 'STREAM', 'stream'), /length/);
  const waiting = client.ask('XREAD', 'BLOCK', '0', 'STREAMS', 'stream', '$');
  await until(async () =>
    String(await ask(ownerOf('stream'), ['INFO', 'clients'])).includes('blocked_clients:1'),
  );
  await ask(ownerOf('stream'), ['XADD', 'stream', '2-1', 'f', 'v']);
  assert.match(await waiting, /2-1/);
});

test('several keys in several slots get the server’s own CROSSSLOT', async (t) => {
  const proxy = await open(t);
  const client = await proxy.client();
  assert.equal(
    await client.ask('SINTERCARD', '2', 'a', 'b'),
    "-CROSSSLOT Keys in request don't hash to the same slot\r\n",
  );
  assert.equal(await client.ask('SINTERCARD', '2', '{a}1', '{a}2'), ':0\r\n');
  assert.equal(await client.ask('EVAL', 'return 1', '0'), ':1\r\n');
  assert.equal(await client.ask('EVAL_RO', 'return KEYS[1]', '1', 'k'), bulk('k'));
});

test('keyless commands go where Redis’s own tips say', async (t) => {
  const proxy = await open(t);
  const client = await proxy.client();
  await client.ask('FLUSHALL');
  await client.pipeline(Array.from({ length: 20 }, (_, i) => ['SET', `size:${i}`, '1']));
  assert.equal(await client.ask('DBSIZE'), ':20\r\n');
  const library = '#!lua name=lib\nredis.register_function("f", function(keys) return keys[1] end)';
  assert.equal(await client.ask('FUNCTION', 'LOAD', library), bulk('lib'));
  assert.equal(await client.ask('FCALL', 'f', '1', 'somewhere'), bulk('somewhere'));
  assert.equal(await client.ask('FUNCTION', 'FLUSH'), '+OK\r\n');
  assert.match(await client.ask('COMMAND', 'COUNT'), /^:\d+/);
  assert.match(await client.ask('MEMORY', 'USAGE', 'size:1'), /^:\d+/);
  assert.equal(await client.ask('READONLY'), '+OK\r\n');
  assert.match(await client.ask('SHUTDOWN'), /^-ERR rmtop: SHUTDOWN acts on one server/);
  assert.match(await client.ask('CLIENT', 'REPLY', 'OFF'), /^-ERR rmtop: CLIENT REPLY/);
  assert.equal(await client.ask('CLIENT', 'SETNAME', 'me'), '+OK\r\n');
  assert.equal(await client.ask('CLIENT', 'GETNAME'), bulk('me'));
});

test('WAIT counts the replicas that have the client’s writes', async (t) => {
  const proxy = await open(t);
  const client = await proxy.client();
  await client.ask('SET', 'waited', '1');
  assert.equal(await client.ask('WAIT', '1', '5000'), ':1\r\n');
  const index = cluster().nodes.findIndex((node) => node.port === ownerOf('waited'));
  const replica = cluster().nodes[index + 3];
  replica?.freeze();
  await client.ask('SET', 'waited', '2');
  const reply = await client.ask('WAIT', '1', '200');
  replica?.thaw();
  assert.equal(reply, ':0\r\n');
});

test('channels and patterns, counted for the client; messages between replies', async (t) => {
  const proxy = await open(t);
  const [subscriber, publisher] = [await proxy.client(), await proxy.client()];
  subscriber.write('SUBSCRIBE one two\r\n');
  assert.equal(await subscriber.next(), array('subscribe', 'one', 1));
  assert.equal(await subscriber.next(), array('subscribe', 'two', 2));
  assert.equal(await subscriber.ask('PSUBSCRIBE', 'p*'), array('psubscribe', 'p*', 3));
  const channels = async (): Promise<number | undefined> =>
    (await proxy.handle.clients()).find((each) => each.connection === 1)?.channels;
  assert.equal(await channels(), 3);
  assert.match(await subscriber.ask('GET', 'x'), /^-ERR Can't execute 'get'/);
  assert.equal(await subscriber.ask('PING', 'hi'), array('pong', 'hi'));
  await publisher.ask('PUBLISH', 'one', 'm1');
  assert.equal(await subscriber.next(), array('message', 'one', 'm1'));
  await publisher.ask('PUBLISH', 'pat', 'm2');
  assert.equal(await subscriber.next(), array('pmessage', 'p*', 'pat', 'm2'));
  assert.equal(await subscriber.ask('UNSUBSCRIBE', 'one'), array('unsubscribe', 'one', 2));
  assert.equal(await subscriber.ask('PUNSUBSCRIBE'), array('punsubscribe', 'p*', 1));
  assert.equal(await subscriber.ask('UNSUBSCRIBE'), array('unsubscribe', 'two', 0));
  assert.equal(await channels(), 0);
  assert.equal(await subscriber.ask('SET', 'after', '1'), '+OK\r\n');
});

test('sharded channels, on the nodes that own them', async (t) => {
  const proxy = await open(t);
  const [subscriber, publisher] = [await proxy.client(), await proxy.client()];
  const channels = ['a', 'b', 'c'];
  for (const [i, channel] of channels.entries()) {
    assert.equal(await subscriber.ask('SSUBSCRIBE', channel), array('ssubscribe', channel, i + 1));
  }
  for (const channel of channels) {
    assert.equal(await publisher.ask('SPUBLISH', channel, 'm'), ':1\r\n');
    assert.equal(await subscriber.next(), array('smessage', channel, 'm'));
  }
  assert.equal(await subscriber.ask('SUNSUBSCRIBE', 'b'), array('sunsubscribe', 'b', 2));
  subscriber.write('SUNSUBSCRIBE\r\n');
  assert.equal(await subscriber.next(), array('sunsubscribe', 'a', 1));
  assert.equal(await subscriber.next(), array('sunsubscribe', 'c', 0));
});

test('RESP3 by HELLO 3: typed replies, and pushes between commands', async (t) => {
  const proxy = await open(t);
  const [client, publisher] = [await proxy.client(), await proxy.client()];
  assert.match(await client.ask('HELLO', '3'), /^%7\r\n\$6\r\nserver/);
  await client.ask('HSET', 'hash', 'f', 'v');
  assert.equal(await client.ask('HGETALL', 'hash'), `%1\r\n${bulk('f')}${bulk('v')}`);
  assert.equal(await client.ask('GET', 'nothing'), '_\r\n');
  assert.equal(
    await client.ask('SUBSCRIBE', 'news'),
    `>3\r\n${bulk('subscribe')}${bulk('news')}:1\r\n`,
  );
  await publisher.ask('PUBLISH', 'news', 'hello');
  assert.equal(await client.next(), `>3\r\n${bulk('message')}${bulk('news')}${bulk('hello')}`);
  assert.equal(await client.ask('HGETALL', 'hash'), `%1\r\n${bulk('f')}${bulk('v')}`);
  assert.equal(await publisher.ask('HGETALL', 'hash'), `*2\r\n${bulk('f')}${bulk('v')}`);
  assert.equal(await client.ask('RESET'), '+RESET\r\n');
  assert.equal(await client.ask('GET', 'nothing'), '$-1\r\n');
});

test('MONITOR streams lines until the client leaves', async (t) => {
  const proxy = await open(t);
  const monitor = await proxy.client();
  assert.equal(await monitor.ask('MONITOR'), '+OK\r\n');
  const event = await proxy.event((e) => e.command.name === 'MONITOR');
  const port = Number(event.attempts[0]?.address.split(':')[1]);
  await ask(port, ['ECHO', 'seen by monitor']);
  await until(async () => (await monitor.next()).includes('seen by monitor'));
});

test('inside MULTI, what the mesh refuses is queued by the node', async (t) => {
  const proxy = await open(t);
  const client = await proxy.client();
  const replies = await client.pipeline([
    ['MULTI'],
    ['SET', '{m}a', '1'],
    ['EXISTS', '{m}a'],
    ['EVAL', 'return 7', '1', '{m}a'],
    ['EXEC'],
  ]);
  assert.deepEqual(replies, [
    '+OK\r\n',
    '+QUEUED\r\n',
    '+QUEUED\r\n',
    '+QUEUED\r\n',
    '*3\r\n+OK\r\n:1\r\n:7\r\n',
  ]);
});

test('a command nobody knows goes to the owner of its first argument, and the server says so', async (t) => {
  const proxy = await open(t);
  const client = await proxy.client();
  assert.match(await client.ask('JSON.GET', 'doc', '$'), /^-ERR unknown command 'JSON.GET'/);
  const event = await proxy.event((e) => e.command.name === 'JSON.GET');
  assert.equal(event.attempts[0]?.address, `127.0.0.1:${ownerOf('doc')}`);
});
