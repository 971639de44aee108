/** A core in a thread of its own: what its consumers do here leaves turns for everything else, and nothing is lost at the end. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { KIND_COMMAND } from '../../src/events/block.js';
import { Block } from '../../src/events/reader.js';
import { readEvents } from '../../src/events/subscribe.js';
import { parseAddressMap } from '../../src/mesh/address-map.js';
import { singleUpstreamConfig } from '../../src/mesh/config.js';
import type { ProxyOptions } from '../../src/proxy/proxy.js';
import { createThreadedProxy } from '../../src/proxy/thread.js';
import { TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';
import { until } from '../helpers/until.js';

const { port } = sharedServer();

const options = (): ProxyOptions => ({
  config: singleUpstreamConfig([`127.0.0.1:${port()}`]),
  listen: { host: '127.0.0.1', port: 0 },
  dialling: { map: parseAddressMap([]), access: {} },
  credentials: null,
  keep: { value: 1_048_576, record: 8_388_608 },
  hashes: false,
  seed: 1,
});

test('blocks that take long to deal with are dealt with one a turn, and all of them before the end', async (t) => {
  const proxy = await createThreadedProxy(options());
  t.after(() => proxy.close());
  let turn = 0;
  let commands = 0;
  let running = true;
  const next = (): void => {
    turn++;
    if (running) setImmediate(next);
  };
  next();
  const turns: number[] = [];
  proxy.subscribe({
    lossless: true,
    behind: false,
    accept(block, used) {
      turns.push(turn);
      const untilMs = performance.now() + 12;
      while (performance.now() < untilMs);
      new Block(block, used).walk((_kind, _offset) => commands++);
      return true;
    },
  });
  const client = await TestClient.connect(proxy.address.port);
  t.after(() => client.close());
  const value = 'v'.repeat(4096);
  const replies = await client.pipeline(
    Array.from({ length: 2000 }, (_, i) => ['SET', `key:${i}`, value]),
  );
  assert.equal(replies.length, 2000);
  await proxy.close(1000);
  running = false;
  assert.ok(commands >= 2000, `${commands} of 2000 commands came`);
  assert.ok(turns.length > 20, 'there were blocks enough to be a burden');
  // What is left when the proxy closes is dealt with at once.
  const last = turns.at(-1);
  const earlier = turns.filter((each) => each !== last);
  assert.equal(new Set(earlier).size, earlier.length, 'two blocks in one turn');
});

test('a consumer is told how full the ring before it is, and that it is empty again', async (t) => {
  const proxy = await createThreadedProxy(options());
  t.after(() => proxy.close());
  const shares: number[] = [];
  let isSlow = true;
  proxy.subscribe({
    lossless: false,
    behind: false,
    pressure: (share) => shares.push(share),
    accept() {
      const untilMs = performance.now() + (isSlow ? 50 : 0);
      while (performance.now() < untilMs);
      return true;
    },
  });
  const client = await TestClient.connect(proxy.address.port);
  t.after(() => client.close());
  const value = 'v'.repeat(32_768);
  const many = Array.from({ length: 400 }, (_, i) => ['SET', `key:${i}`, value]);
  const isFull = (): boolean => shares.some((share) => share > 0.5);
  while (!isFull()) await client.pipeline(many);
  isSlow = false;
  await client.ask('PING');
  await until(() => shares.at(-1) === 0, 'the ring is empty');
  assert.ok(shares.every((share) => share >= 0 && share <= 1));
});

test('how its clients stand is told by a proxy in a thread, too: nothing in flight, in MULTI, waiting', async (t) => {
  const proxy = await createThreadedProxy(options());
  t.after(() => proxy.close());
  assert.deepEqual(await proxy.clients(), []);
  const client = await TestClient.connect(proxy.address.port);
  t.after(() => client.close());
  await client.ask('PING');
  const idle = { connection: 1, user: 'default', multi: false, channels: 0, inFlight: 0 };
  assert.deepEqual(await proxy.clients(), [idle]);
  assert.equal(await client.ask('MULTI'), '+OK\r\n');
  assert.deepEqual(await proxy.clients(), [{ ...idle, multi: true }]);
});

test('a client is closed by its number, once; the others are served on', async (t) => {
  const proxy = await createThreadedProxy(options());
  t.after(() => proxy.close());
  const ends: {
    readonly connection: number;
    readonly by: string;
    readonly error: string | null;
  }[] = [];
  readEvents(proxy, (event) => {
    if (event.type !== 'session-closed') return;
    ends.push({ connection: event.connection, by: event.by, error: event.error });
  });
  const first = await TestClient.connect(proxy.address.port);
  t.after(() => first.close());
  assert.match(await first.ask('SET', 'closing', '1'), /OK/);
  const second = await TestClient.connect(proxy.address.port);
  t.after(() => second.close());
  assert.match(await second.ask('SET', 'closing', '2'), /OK/);
  assert.equal(await proxy.closeClient(1), true);
  await first.closed;
  await until(() => ends.length > 0, 'its event');
  assert.deepEqual(ends, [{ connection: 1, by: 'rmtop', error: 'closed by hand' }]);
  assert.equal(await proxy.closeClient(1), false, 'it is gone');
  assert.equal(await proxy.closeClient(99), false, 'it never was');
  assert.match(await second.ask('GET', 'closing'), /2/);
  assert.equal((await proxy.totals()).clients, 1);
});

test('replies that say there is nothing are counted by command', async (t) => {
  const proxy = await createThreadedProxy(options());
  t.after(() => proxy.close());
  const client = await TestClient.connect(proxy.address.port);
  t.after(() => client.close());
  await client.ask('SET', 'nil:there', '-1');
  const none = '$-1\r\n';
  assert.equal(await client.ask('GET', 'nil:none'), none);
  assert.equal(await client.ask('GET', 'nil:there'), '$2\r\n-1\r\n');
  assert.equal(await client.ask('LPOP', 'nil:none'), none);
  // An array with nothing in it is no nil, nor is one whose elements are.
  assert.equal(await client.ask('MGET', 'nil:none'), `*1\r\n${none}`);
  const { all, commands } = await proxy.totals();
  assert.equal(all.nils, 2);
  const nils = Object.entries(commands).map(([name, tally]) => [name, tally.nils]);
  assert.deepEqual(Object.fromEntries(nils), { SET: 0, GET: 1, LPOP: 1, MGET: 0 });
});

test('one that must lose nothing and is behind slows the clients down, and then gets everything', async (t) => {
  const proxy = await createThreadedProxy(options());
  t.after(() => proxy.close());
  let commands = 0;
  let blocks = 0;
  const consumer = {
    lossless: true,
    behind: true,
    accept(block: ArrayBuffer, used: number) {
      blocks++;
      new Block(block, used).walk((kind) => {
        if (kind === KIND_COMMAND) commands++;
      });
      return true;
    },
  };
  proxy.subscribe(consumer);
  const client = await TestClient.connect(proxy.address.port);
  t.after(() => client.close());
  const value = 'v'.repeat(4096);
  const count = 8000;
  const all = client.pipeline(Array.from({ length: count }, () => ['SET', 'key', value]));
  // 16 blocks that are not acknowledged are enough to make the core read no more.
  await until(() => blocks > 16, 'enough blocks');
  // Time for the core to go on, if it would: each of these is a way there and back.
  for (let i = 0; i < 200; i++) await proxy.totals();
  assert.ok(commands < count, `${commands} commands came although their reader is behind`);
  consumer.behind = false;
  assert.equal((await all).length, count);
  await proxy.close(1000);
  assert.equal(commands, count);
});
