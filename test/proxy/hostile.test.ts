/** Hostile bytes from both sides: nothing crashes, memory does not grow, and nobody else notices. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';
import { seededRng } from '../../src/mesh/rng.js';
import { encodeRequest } from '../../src/resp/encode.js';
import { bulk } from '../helpers/client.js';
import { clusterNode, clusterSlots, fakeRedis } from '../helpers/fake-redis.js';
import { startProxy } from '../helpers/proxy.js';

const ROUNDS = 400;
const MIB = 1024 * 1024;

const SEEDS: readonly string[] = [
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n',
  '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n',
  'SET "a b" c\r\n',
  '*1\r\n$536870912\r\n',
  '*2000000\r\n$1\r\n',
  '*1\r\n$-1\r\n*-1\r\n*0\r\n:5\r\n+x\r\n',
  '$5\r\nhello\r\n%2\r\n+a\r\n:1\r\n+b\r\n_\r\n',
  `${'*1\r\n'.repeat(40)}`,
  '|1\r\n+a\r\n+b\r\n+OK\r\n~1\r\n>1\r\n,inf\r\n(123\r\n#t\r\n=5\r\ntxt:a\r\n!3\r\nERR\r\n',
  '-MOVED 1 127.0.0.1:1\r\n-ASK 99999 [::1]:70000\r\n-CLUSTERDOWN\r\n',
  'MULTI\r\nSET a 1\r\nWATCH\r\nEXEC\r\nDISCARD\r\nHELLO 3\r\nAUTH\r\nQUIT extra\r\n',
];

/** Bytes that look like RESP, damaged: cut, doubled, bytes changed, or plain noise. */
function hostile(round: number): Buffer {
  const rng = seededRng(round);
  const parts = Array.from({ length: 1 + rng.below(4) }, () => {
    const bytes = Buffer.from(SEEDS[rng.below(SEEDS.length)] ?? '');
    for (let i = rng.below(4); i > 0; i--) bytes[rng.below(bytes.length)] = rng.below(256);
    return bytes.subarray(0, rng.below(3) === 0 ? rng.below(bytes.length) : bytes.length);
  });
  const noise =
    rng.below(4) === 0
      ? Buffer.from(Array.from({ length: rng.below(200) }, () => rng.below(256)))
      : Buffer.alloc(0);
  return Buffer.concat([...parts, noise]);
}

function memory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('hostile clients', async (t) => {
  const node = await fakeRedis(
    t,
    clusterNode(
      () => '-ERR This instance has cluster support disabled\r\n',
      (argv) => bulk(argv[1] ?? ''),
    ),
  );
  const proxy = await startProxy(t, { seeds: [node.port] });
  const honest = await proxy.client();
  let before = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const socket = connect({ port: proxy.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.resume();
    await once(socket, 'connect');
    socket.write(hostile(round));
    assert.equal(await honest.ask('GET', `round:${round}`), bulk(`round:${round}`));
    if (round % 2) socket.destroy();
    else socket.resetAndDestroy();
    proxy.commands.length = 0;
    if (round === ROUNDS / 2) before = memory();
  }
  assert.ok(memory() - before < 40 * MIB, `grown by ${Math.round((memory() - before) / MIB)} MiB`);
});

test('a hostile server', async (t) => {
  const rounds = { n: 0 };
  const evil = await fakeRedis(
    t,
    clusterNode(
      () => slots(),
      () => hostile(rounds.n++),
    ),
  );
  const good = await fakeRedis(
    t,
    clusterNode(
      () => slots(),
      (argv) => bulk(argv[1] ?? ''),
    ),
  );
  const slots = (): string => clusterSlots([[evil.port], [good.port]]);
  const proxy = await startProxy(t, {
    seeds: [good.port],
    settings: { enableRedirection: true, opTimeoutMs: 5000 },
  });
  const honest = await proxy.client();
  let before = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const victim = await proxy.client();
    victim.write(encodeRequest(round % 3 ? ['GET', 'b'] : ['MGET', 'b', 'a', 'b']));
    // `a` is the good server's: whatever the other sends, its clients are served.
    assert.equal(await honest.ask('GET', 'a'), bulk('a'));
    victim.close();
    proxy.commands.length = 0;
    if (round === ROUNDS / 2) before = memory();
  }
  assert.ok(memory() - before < 40 * MIB, `grown by ${Math.round((memory() - before) / MIB)} MiB`);
});

test('a server that announces much and sends little', async (t) => {
  const node = await fakeRedis(
    t,
    clusterNode(
      () => '-ERR This instance has cluster support disabled\r\n',
      (argv) => (argv[0] === 'GET' ? '$536870912\r\nabc' : '*2000000\r\n*2000000\r\n'),
    ),
  );
  const proxy = await startProxy(t, { seeds: [node.port], settings: { opTimeoutMs: 100 } });
  const before = memory();
  for (let round = 0; round < 20; round++) {
    const client = await proxy.client();
    assert.equal(await client.ask(round % 2 ? 'GET' : 'LRANGE', 'k'), '-upstream failure\r\n');
  }
  assert.ok(memory() - before < 40 * MIB);
});
