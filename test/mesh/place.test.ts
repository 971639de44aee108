/** Key → slot: the vectors of the mesh page, 4.1, and of the config page, A.1. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { crc16, hashTag, type Place, placeKey, slotIn, slotOf } from '../../src/mesh/place.js';
import { RecordingRng, seededRng } from '../../src/mesh/rng.js';
import { type Placement, singleServer, slotPlacement, UNCOVERED } from '../../src/mesh/topology.js';
import { holds } from '../helpers/check.js';
import { clusterOf, primaryOf } from '../helpers/mesh.js';

/** Key, what of it is hashed, its CRC16 (where the page gives it), its slot. */
const VECTORS: readonly (readonly [
  key: string,
  hashed: string,
  crc: number | null,
  slot: number,
])[] = [
  ['foo', 'foo', 44950, 12182],
  ['bar', 'bar', 37829, 5061],
  ['foo\nbar', 'foo\nbar', 3951, 3951],
  ['lyft', 'lyft', 53222, 4070],
  ['', '', 0, 0],
  ['123456789', '123456789', 12739, 12739],
  ['foobar', 'foobar', 45093, 12325],
  ['{user1000}.following', 'user1000', 19827, 3443],
  ['foo{}{bar}', 'foo{}{bar}', 57515, 8363],
  ['foo{{bar}}zap', '{bar', 53167, 4015],
  ['foo{bar}{zap}', 'bar', 37829, 5061],
  ['a}b{c}d', 'c', 23749, 7365],
  ['{user1000}.followers', 'user1000', 19827, 3443],
  ...(
    [
      ['a', 15495],
      ['b', 3300],
      ['c', 7365],
      ['d', 11298],
      ['e', 15363],
      ['f', 3168],
      ['g', 7233],
      ['h', 11694],
      ['AAA', 3205],
      ['BBB', 12517],
      ['CCC', 9413],
    ] as const
  ).map(([key, slot]) => [key, key, null, slot] as const),
  ...(
    [
      ['baz', 4813],
      ['toto', 9738],
      ['hello', 866],
      ['key:1', 6657],
      ['key:2', 10850],
      ['user:1000', 1649],
      ['user:1001', 5712],
    ] as const
  ).map(([key, slot]) => [key, key, null, slot] as const),
];

for (const [key, hashed, crc, slot] of VECTORS) {
  test(`the slot of ${JSON.stringify(key)} is ${slot}`, () => {
    const bytes = Buffer.from(key);
    assert.equal(slotOf(bytes), slot);
    const tag = hashTag(bytes);
    assert.equal(tag === null ? key : key.slice(tag.from, tag.to), hashed);
    if (crc !== null) assert.equal(crc16(Buffer.from(hashed)), crc);
  });
}

/** The rule of 4.1 again, in other words. */
function plainSlot(key: Buffer): number {
  const text = key.toString('latin1');
  const [, tag] = /^[^{]*\{([^}]+)\}/.exec(text) ?? [];
  let crc = 0;
  for (const byte of Buffer.from(tag ?? text, 'latin1')) {
    for (let bit = 7; bit >= 0; bit--) {
      const flips = ((crc >> 15) & 1) !== ((byte >> bit) & 1);
      crc = ((crc << 1) & 0xffff) ^ (flips ? 0x1021 : 0);
    }
  }
  return crc % 16384;
}

const key = fc.oneof(
  fc.uint8Array({ maxLength: 30 }).map((array) => Buffer.from(array)),
  fc
    .string({ unit: fc.constantFrom(...'{}ab\xff\x00'), maxLength: 10 })
    .map((text) => Buffer.from(text, 'latin1')),
);

test('the slot of any bytes is that of their tag, or of all of them', () => {
  holds(
    fc.property(key, (bytes) => {
      assert.equal(slotOf(bytes), plainSlot(bytes));
      const among = Buffer.concat([Buffer.from('}{a'), bytes, Buffer.from('}')]);
      assert.equal(slotIn(among, 3, 3 + bytes.length), slotOf(bytes));
    }),
    5000,
  );
});

test('a key that is part of a larger buffer is placed by itself alone', () => {
  const buffer = Buffer.from('{x}foo{y}');
  assert.equal(slotOf(buffer.subarray(3, 6)), 12182);
});

const place = (placement: Placement, key: Buffer, at: number): Place =>
  placeKey(placement, key, at, {
    upstream: 'redis',
    hashtagging: false,
    tellsWhy: true,
    rng: new RecordingRng(seededRng(1)),
  });

test.describe('placing a key', () => {
  const cluster = clusterOf(3);

  test('on the shard that owns its slot, for the reason of that slot', () => {
    assert.deepEqual(place(cluster, Buffer.from('foo'), 1), {
      shard: 2,
      slot: 12182,
      why: { stage: 'place', code: 'slot', slot: 12182, key: 1 },
    });
  });

  test('by its tag, which the reason names by its place in the key', () => {
    assert.deepEqual(place(cluster, Buffer.from('x{bar}y'), 4), {
      shard: 0,
      slot: 5061,
      why: { stage: 'place', code: 'hash-tag', slot: 5061, key: 4, from: 2, to: 5 },
    });
  });

  test('braces that hold nothing are no tag', () => {
    assert.equal(place(cluster, Buffer.from('foo{}{bar}'), 1).why.code, 'slot');
    assert.equal(place(cluster, Buffer.from('foo{bar'), 1).why.code, 'slot');
  });

  test('on shard 0 where nobody owns its slot', () => {
    const gap = slotPlacement([{ start: 0, end: 0, primary: primaryOf(0), replicas: [] }]);
    assert.deepEqual(place(gap, Buffer.from('foo'), 1), {
      shard: 0,
      slot: 12182,
      why: { stage: 'place', code: 'uncovered', slot: 12182, key: 1 },
    });
    assert.equal(gap.kind === 'slots' && gap.owner[12182], UNCOVERED);
  });

  test('on a single server there are no slots', () => {
    assert.deepEqual(place(singleServer('h:1'), Buffer.from('foo'), 1), {
      shard: 0,
      slot: -1,
      why: { stage: 'place', code: 'single' },
    });
  });

  test('nowhere, where there are no servers', () => {
    assert.deepEqual(place(slotPlacement([]), Buffer.from('foo'), 1), {
      shard: -1,
      slot: -1,
      why: { stage: 'place', code: 'no-servers' },
    });
  });
});
