/** Large values, slow readers and slow senders: memory stays small and nobody else is held up. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { encodeRequest } from '../../src/resp/encode.js';
import { bulk } from '../helpers/client.js';
import { ask, sharedServer } from '../helpers/cluster.js';
import { startProxy, type TestProxy } from '../helpers/proxy.js';
import { until } from '../helpers/until.js';

const { port } = sharedServer();
const MIB = 1024 * 1024;
const LARGE = 192 * MIB;

/** Bytes of this process that are not the collector's: buffers of sockets, chunks, stores. */
function bufferBytes(): number {
  const { external, arrayBuffers, heapUsed } = process.memoryUsage();
  return Math.max(external, arrayBuffers) + heapUsed;
}

/** Watches memory while `work` runs; gives the most that was added. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const before = bufferBytes();
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, bufferBytes() - before);
  }, 20);
  await work();
  clearInterval(timer);
  return most;
}

async function open(proxy: TestProxy): Promise<Socket> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket;
}

/** Sends SET key of `bytes` bytes in pieces, each as soon as the one before is taken. */
async function sendLarge(socket: Socket, key: string, bytes: number): Promise<void> {
  const piece = Buffer.alloc(MIB, 'x');
  socket.write(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${bytes}\r\n`);
  for (let sent = 0; sent < bytes; sent += piece.length) {
    if (!socket.write(piece)) await once(socket, 'drain');
  }
  socket.write('\r\n');
}

test('a large value flows in and out without being held', async (t) => {
  const proxy = await startProxy(t, { seeds: [port()] });
  const socket = await open(proxy);
  t.after(() => socket.destroy());
  const grown = await growthDuring(async () => {
    await sendLarge(socket, 'large', LARGE);
    const [reply] = (await once(socket, 'data')) as [Buffer];
    assert.equal(reply.toString(), '+OK\r\n');
    socket.write(encodeRequest(['GET', 'large']));
    let got = 0;
    const hash = createHash('sha256');
    const expected = LARGE + `$${LARGE}\r\n`.length + 2;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      got += chunk.length;
      hash.update(chunk);
      if (got >= expected) break;
    }
    assert.equal(got, expected);
  });
  assert.ok(grown < 64 * MIB, `held ${Math.round(grown / MIB)} MiB`);
  assert.equal(await ask(port(), ['STRLEN', 'large']), LARGE);
  const set = await proxy.event((e) => e.command.name === 'SET');
  const value = set.args[2];
  assert.equal(value?.kind === 'cut' && value.total, LARGE);
  assert.equal(
    value?.kind === 'cut' && value.sha256,
    createHash('sha256').update(Buffer.alloc(LARGE, 'x')).digest('hex'),
  );
  assert.equal(
    set.request.total,
    LARGE + `*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$${LARGE}\r\n\r\n`.length,
  );
});

test('arguments behind the large one, and commands behind the command', async (t) => {
  const proxy = await startProxy(t, { seeds: [port()] });
  const client = await proxy.client();
  const value = Buffer.alloc(3 * MIB, 'v');
  const replies = client.pipeline([
    ['SET', 'first', '1'],
    ['SET', 'ex', value, 'EX', '100'],
    ['TTL', 'ex'],
    ['GETRANGE', 'ex', '0', '2'],
  ]);
  assert.deepEqual(await replies, ['+OK\r\n', '+OK\r\n', ':100\r\n', bulk('vvv')]);
  const set = await proxy.event((e) => e.seq === 2);
  assert.deepEqual(
    set.args.map((arg) => (arg.kind === 'whole' ? arg.bytes.toString() : arg.kind)),
    ['SET', 'ex', 'cut', 'EX', '100'],
  );
});

test('large requests that are refused, malformed, or left by their client', async (t) => {
  const proxy = await startProxy(t, { seeds: [port()] });
  const client = await proxy.client();
  const value = Buffer.alloc(2 * MIB, 'v');
  assert.match(await client.ask('NOSUCH', 'k', value), /^-ERR unknown command 'NOSUCH'/);
  assert.equal(await client.ask('MSET', 'a', value, 'b', value), '+OK\r\n');
  assert.equal(await client.ask('ECHO', 'still here'), bulk('still here'));
  const bad = await proxy.client();
  bad.write(
    Buffer.concat([
      Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${value.length}\r\n`),
      value,
      Buffer.from('xx'),
    ]),
  );
  assert.equal(await bad.next(), '-downstream protocol error\r\n');
  const leaver = await proxy.client();
  leaver.write(`*3\r\n$3\r\nSET\r\n$5\r\nnever\r\n$${value.length}\r\nabc`);
  await until(() =>
    proxy.others.some((e) => e.type === 'upstream' && e.own && e.state === 'ready'),
  );
  leaver.close();
  await proxy.event((e) => e.outcome.kind === 'client-closed');
  assert.equal(await ask(port(), ['EXISTS', 'never']), 0);
});

test('a client that sends slowly holds nobody up', async (t) => {
  const proxy = await startProxy(t, { seeds: [port()] });
  const [slow, quick] = [await proxy.client(), await proxy.client()];
  slow.write(`*3\r\n$3\r\nSET\r\n$4\r\nslow\r\n$${MIB}\r\n`);
  for (let i = 0; i < 200; i++) {
    slow.write('x');
    assert.equal(await quick.ask('INCR', 'counter:quick'), `:${i + 1}\r\n`);
  }
  slow.write(Buffer.concat([Buffer.alloc(MIB - 200, 'x'), Buffer.from('\r\n')]));
  assert.equal(await slow.next(), '+OK\r\n');
});

test('a client that does not read its large reply holds nobody up, and costs a few MiB', async (t) => {
  const proxy = await startProxy(t, { seeds: [port()] });
  const writer = await open(proxy);
  await sendLarge(writer, 'unread', LARGE);
  await once(writer, 'data');
  writer.destroy();
  const quick = await proxy.client();
  const deaf = await open(proxy);
  t.after(() => deaf.destroy());
  const grown = await growthDuring(async () => {
    deaf.pause();
    deaf.write(encodeRequest(['GET', 'unread']));
    // These come behind the large reply on the shared connection: they must not wait for the deaf client.
    const replies = await quick.pipeline(
      Array.from({ length: 50 }, () => ['INCR', 'counter:deaf']),
    );
    assert.equal(replies.at(-1), ':50\r\n');
    for (let i = 0; i < 200; i++)
      assert.equal(await quick.ask('INCR', 'counter:deaf'), `:${51 + i}\r\n`);
  });
  assert.ok(grown < 64 * MIB, `held ${Math.round(grown / MIB)} MiB`);
  // And when it reads after all, it gets everything.
  deaf.resume();
  let got = 0;
  for await (const chunk of deaf as AsyncIterable<Buffer>) {
    got += chunk.length;
    if (got >= LARGE + 14) break;
  }
  assert.equal(got, LARGE + `$${LARGE}\r\n`.length + 2);
});

test('a client that reads nothing is not read from either', async (t) => {
  const proxy = await startProxy(t, { seeds: [port()] });
  const deaf = await open(proxy);
  t.after(() => deaf.destroy());
  await ask(port(), ['SET', 'medium', 'm'.repeat(30_000)]);
  deaf.pause();
  const request = encodeRequest(['GET', 'medium']);
  const grown = await growthDuring(async () => {
    for (let i = 0; i < 100; i++)
      deaf.write(Buffer.concat(Array.from({ length: 200 }, () => request)));
    const quick = await proxy.client();
    for (let i = 0; i < 300; i++) await quick.ask('PING');
  });
  assert.ok(grown < 100 * MIB, `held ${Math.round(grown / MIB)} MiB`);
  const { all } = await proxy.handle.totals();
  assert.ok(all.calls < 20_000, 'it was read from although it does not read');
  let got = 0;
  deaf.resume();
  const expected = 20_000 * (30_000 + '$30000\r\n\r\n'.length);
  for await (const chunk of deaf as AsyncIterable<Buffer>) {
    got += chunk.length;
    if (got >= expected) break;
  }
  assert.equal(got, expected);
});
