/** The demo's application: the same seed makes every client do the same, and it stops and reconnects as it should. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startTraffic } from '../../bin/demo/traffic.js';
import { type FakeRedis, fakeRedis } from '../helpers/fake-redis.js';
import { until } from '../helpers/until.js';

const COUNT = 60;
const NAMES = ['api-1', 'jobs', 'web-2', 'worker'];

/** A server that keeps what each client says, by the name the client gives itself. */
async function listener(t: TestContext): Promise<{ fake: FakeRedis; said: Map<string, string[]> }> {
  const said = new Map<string, string[]>();
  const names = new Map<Socket, string>();
  const fake = await fakeRedis(t, (argv, socket) => {
    if (argv[1] === 'SETNAME') names.set(socket, argv[2] ?? '');
    const name = names.get(socket) ?? '';
    said.set(name, [...(said.get(name) ?? []), argv.join(' ')]);
    return '+OK\r\n';
  });
  return { fake, said };
}

/** The first commands of each client. */
async function hear(t: TestContext, seed: number): Promise<Record<string, string[]>> {
  const { fake, said } = await listener(t);
  const traffic = startTraffic('127.0.0.1', fake.port, seed);
  await until(() => NAMES.every((name) => (said.get(name)?.length ?? 0) >= COUNT));
  await traffic.stop();
  assert.deepEqual([...said.keys()].sort(), NAMES);
  return Object.fromEntries([...said].map(([name, lines]) => [name, lines.slice(0, COUNT)]));
}

test('the same seed gives each client the same commands, another seed others', async (t) => {
  const [first, again, other] = await Promise.all([hear(t, 7), hear(t, 7), hear(t, 8)]);
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, other);
});

test('stop: every client ends after a whole step, and no connection is left', async (t) => {
  const { fake, said } = await listener(t);
  const traffic = startTraffic('127.0.0.1', fake.port, 1);
  await until(() => said.size === NAMES.length);
  await traffic.stop();
  await until(() => fake.sockets.size === 0);
  const heard = fake.heard.length;
  const transactions = [...said.values()].flat().filter((line) => /^(MULTI|EXEC)$/.test(line));
  assert.equal(transactions.length % 2, 0);
  assert.equal(fake.heard.length, heard);
});

test('stop does not wait for a server that does not answer', async (t) => {
  const fake = await fakeRedis(t, () => null);
  const traffic = startTraffic('127.0.0.1', fake.port, 1);
  await until(() => fake.heard.length === NAMES.length);
  await traffic.stop();
  await until(() => fake.sockets.size === 0);
});

test('a lost connection is made again, with its name', async (t) => {
  const { fake, said } = await listener(t);
  const traffic = startTraffic('127.0.0.1', fake.port, 1);
  await until(() => said.size === NAMES.length);
  for (const socket of fake.sockets) socket.destroy();
  const named = (): number => fake.heard.filter(([, what]) => what === 'SETNAME').length;
  await until(() => named() === 2 * NAMES.length);
  await traffic.stop();
});
