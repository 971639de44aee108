// The application's tests: no Redis is needed, and no mesh.
import assert from 'node:assert/strict';
import test from 'node:test';
import { explain } from 'rmtop';
import { readCommands, serve, startProxy } from 'rmtop/test';
import { openCarts } from './cart.mjs';

const RECORDING = 'fixtures/cart.rmtop';

test('the total of a cart', async () => {
  const redis = await serve(RECORDING);
  const carts = openCarts(redis.url);
  assert.deepEqual(await carts.items(7), { apple: '2', pear: '1' });
  assert.equal(await carts.total(7), 105);
  carts.close();
  await redis.done();
});

test('everything that was recorded is still asked for', async () => {
  const redis = await serve(RECORDING);
  const carts = openCarts(redis.url);
  await carts.total(7);
  await carts.add(2, 'apple', 1);
  assert.equal(await carts.add(2, 'apple', 1), 2);
  assert.equal(await carts.price('plum'), null);
  carts.close();
  await redis.done({ expectAll: true });
});

test('a command that was not recorded fails, and says which one comes nearest', async () => {
  const redis = await serve(RECORDING);
  const carts = openCarts(redis.url);
  await assert.rejects(carts.items(8), /RMTOPMISS .*nearest: HGETALL cart:7 /);
  carts.close();
  await assert.rejects(redis.done(), { code: 'UNMET' });
});

test('carts are read from replicas, by the prefix cart:', async () => {
  const redis = await serve(RECORDING, { cluster: true });
  const mesh = await startProxy({ upstream: redis.url, mesh: 'mesh.yaml' });
  const carts = openCarts(mesh.url);
  await carts.items(7);
  const read = await mesh.command('HGETALL cart:7');
  assert.equal(read.prefix, 'cart:', read.explained.join('\n'));
  assert.equal(read.role, 'replica', read.explained.join('\n'));
  assert.equal(read.shard, 1);
  await carts.add(2, 'apple', 1);
  const write = await mesh.command('HINCRBY cart:2');
  assert.deepEqual([write.role, write.shard, write.why], ['primary', 2, 'write']);
  carts.close();
  await mesh.close();
  await redis.done();
});

test('what was decided when it was recorded', async () => {
  const [, price] = await readCommands(RECORDING);
  assert.equal(price.prefix, null);
  assert.equal(price.role, 'replica');
  assert.equal(typeof explain, 'function');
});
