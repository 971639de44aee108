/** Bytes that wait for a client: in order, beyond what memory may hold, and gone without a trace. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import test from 'node:test';
import { ByteStore } from '../../src/proxy/store.js';
import { until } from '../helpers/until.js';

const MIB = 1024 * 1024;

/** Files of this process that have no name any more. */
function namelessFiles(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /rmtop-.*\(deleted\)/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  }).length;
}

test('what goes in comes out in order, however much it is', async () => {
  const store = new ByteStore((error) => assert.fail(error));
  const [put, got] = [createHash('sha256'), createHash('sha256')];
  let total = 0;
  for (let i = 0; i < 64; i++) {
    const bytes = Buffer.alloc(MIB / 2 + i * 100, i);
    put.update(bytes);
    total += bytes.length;
    store.push(bytes);
    if (i % 7 === 0) await new Promise(setImmediate);
  }
  let taken = 0;
  while (taken < total) {
    await new Promise<void>((resolve) => {
      store.shift((bytes) => {
        if (bytes !== null) {
          got.update(bytes);
          taken += bytes.length;
        }
        setImmediate(resolve);
      });
    });
  }
  assert.equal(got.digest('hex'), put.digest('hex'));
  assert.equal(store.size, 0);
  assert.equal(namelessFiles(), 1);
  store.close();
  await until(() => namelessFiles() === 0);
});

test('closed in the middle of writing, it leaves no file behind', async () => {
  const store = new ByteStore((error) => assert.fail(error));
  for (let i = 0; i < 20; i++) store.push(Buffer.alloc(MIB));
  assert.ok(store.isBehind);
  store.close();
  assert.equal(store.size, 0);
  await until(() => namelessFiles() === 0);
});
