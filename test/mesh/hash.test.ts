/** The arithmetic of hashed upstreams against the vectors of the mesh page, 5.1 to 5.5. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { hashKey, modulo, toBigInt, xxHash64 } from '../../src/mesh/hash.js';
import { isTableSize, maglevTable } from '../../src/mesh/maglev.js';
import { hashRing, hostOnRing } from '../../src/mesh/ring.js';

const VECTORS: readonly (readonly [string | Buffer, bigint, bigint])[] = [
  ['foo', 9631199822919835226n, 3728699739546630719n],
  ['bar', 11474628671133349555n, 5234164152756840025n],
  ['foo\nbar', 16306510975912980159n, 8917841378505826757n],
  ['lyft', 12847078931730529320n, 4400747396090729504n],
  ['', 6142509188972423790n, 17241709254077376921n],
  ['a'.repeat(7), 11787704861660568295n, 15484689607793869541n],
  ['a'.repeat(8), 5333553475697136361n, 15368021700082495731n],
  ['a'.repeat(9), 6748569316731812478n, 3236322743703965433n],
  ['a'.repeat(16), 826992565550542766n, 15507424804887208297n],
  ['a'.repeat(32), 10371560411353947843n, 9614767607332313815n],
  ['a'.repeat(33), 11586135100592962706n, 1798061103824220747n],
  [Buffer.from([0x80, 0xff]), 702313345290007787n, 3491744877542926835n],
];

for (const [input, murmur, xx] of VECTORS) {
  test(`hashes of ${JSON.stringify(input.toString('latin1').slice(0, 12))} (${input.length})`, () => {
    const bytes = Buffer.from(input);
    assert.equal(toBigInt(hashKey(bytes)), murmur);
    assert.equal(xxHash64(bytes), xx);
    assert.equal(BigInt(modulo(hashKey(bytes), 65537)), murmur % 65537n);
    assert.equal(BigInt(modulo(hashKey(bytes), 5_000_011)), murmur % 5_000_011n);
    const within = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('yy')]);
    assert.deepEqual(hashKey(within, 2, 2 + bytes.length), hashKey(bytes));
  });
}

const six = ['90', '91', '92', '93', '94', '95'];
const hosts = (
  keys: readonly string[],
  weights: readonly number[] = [],
): { key: string; weight: number }[] => keys.map((key, i) => ({ key, weight: weights[i] ?? 1 }));
const at = (ports: readonly string[]): string[] => ports.map((port) => `127.0.0.1:${port}`);
const table = (keys: readonly string[], size: number, weights: readonly number[] = []): string =>
  [...maglevTable(hosts(keys, weights), size)].map((index) => keys[index]?.slice(-2)).join(' ');

test('Maglev tables of Envoy’s own tests', () => {
  assert.equal(table(at(six), 7), '92 94 90 91 95 90 93');
  assert.equal(table(six, 7), '92 95 90 93 94 91 90');
  assert.equal(
    table(at(['90', '91']), 17, [1, 2]),
    '91 90 90 91 90 91 91 90 91 91 91 91 91 90 91 90 91',
  );
  assert.equal(
    table(at(six).reverse(), 7),
    table(at(six), 7),
    'the order of the hosts does not matter',
  );
});

test('Maglev tables of three hosts', () => {
  const three = at(['7001', '7002', '7003']);
  const digits = (size: number): string => table(three, size).replace(/0/g, '');
  assert.equal(digits(7), '1 1 3 3 2 2 1');
  assert.equal(digits(13), '1 1 3 1 2 3 1 3 2 1 2 2 3');
  assert.equal(digits(17), '3 2 2 3 1 1 2 1 1 3 1 1 2 2 2 3 3');
  const full = [...maglevTable(hosts(three))].map((index) => three[index]);
  assert.equal(
    createHash('sha256').update(full.join('\n')).digest('hex'),
    '090379e7017d239ea2f161b8cc546b4b137398681a72135a90b7d21bd13ec36c',
  );
});

test('what a table size may be', () => {
  assert.deepEqual([65537, 7, 5_000_011, 65536, 5_000_077, 1, 2.5].map(isTableSize), [
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

const RING_OF_SIX =
  '94@833437586790550860 92@928266305478181108 90@1033482794131418490 95@3551244743356806947 93@3851675632748031481 ' +
  '91@5583722120771150861 91@6311230543546372928 93@7700377290971790572 95@13144177310400110813 92@13444792449719432967 ' +
  '94@15516499411664133160 90@16117243373044804889';

test('the ring of Envoy’s own tests, and look-ups on it', () => {
  const keys = at(six);
  const ring = hashRing(hosts(keys), { minimumSize: 12, maximumSize: 8_388_608, hash: 'XX_HASH' });
  const shown = [...ring.host].map(
    (host, i) =>
      `${keys[host]?.slice(-2)}@${toBigInt({ hi: ring.hi[i] ?? 0, lo: ring.lo[i] ?? 0 })}`,
  );
  assert.equal(shown.join(' '), RING_OF_SIX);
  const lookUp = (hash: bigint): string | undefined =>
    keys[hostOnRing(ring, { hi: Number(hash >> 32n), lo: Number(hash & 0xffffffffn) })]?.slice(-2);
  assert.deepEqual([0n, 2n ** 64n - 1n, 3551244743356806947n, 3551244743356806948n].map(lookUp), [
    '94',
    '94',
    '95',
    '93',
  ]);
});

test('the ring of three hosts in its default size', () => {
  const keys = at(['7001', '7002', '7003']);
  const ring = hashRing(hosts(keys));
  assert.equal(ring.host.length, 1026);
  const lines = [...ring.host].map(
    (host, i) => `${toBigInt({ hi: ring.hi[i] ?? 0, lo: ring.lo[i] ?? 0 })} ${keys[host]}`,
  );
  assert.equal(
    createHash('sha256').update(lines.join('\n')).digest('hex'),
    '724222c219016b6fb768f38f8c946db3491b5d302e72d7d254fee515d9e82031',
  );
});

const PLACEMENTS = `foo 7001 7002|bar 7003 7003|baz 7001 7003|toto 7001 7002|foobar 7002 7001|hello 7001 7003|key:1 7001 7002|
key:2 7001 7003|user:1000 7002 7001|user:1001 7003 7003|{user1000}.following 7003 7003|user1000 7003 7001|{user1000}.followers 7002 7001|
a 7001 7003|b 7001 7002|c 7001 7002| 7003 7003`;

test('reference placements', () => {
  const keys = at(['7001', '7002', '7003']);
  const maglev = maglevTable(hosts(keys));
  const ring = hashRing(hosts(keys));
  for (const row of PLACEMENTS.replace(/\n/g, '').split('|')) {
    const [key = '', onMaglev, onRing] = row.split(' ');
    const hash = hashKey(Buffer.from(key));
    assert.equal(
      keys[maglev[modulo(hash, 65537)] ?? 0],
      `127.0.0.1:${onMaglev}`,
      `${key} by Maglev`,
    );
    assert.equal(keys[hostOnRing(ring, hash)], `127.0.0.1:${onRing}`, `${key} on the ring`);
  }
});
