/** Keys on sets of hosts: the reference placements of the mesh page, 5.5, hash tags, health, and balancers that ignore keys. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Balancer, DEFAULT_BALANCER } from '../../src/mesh/config.js';
import type { Rng } from '../../src/mesh/rng.js';
import { hostPlacement, type Placement } from '../../src/mesh/topology.js';
import { Client, type MeshOptions, meshOf } from '../helpers/mesh.js';

const HOSTS = [7001, 7002, 7003].map((port) => ({
  address: `127.0.0.1:${port}`,
  key: `127.0.0.1:${port}`,
  weight: 1,
}));

function hosts(balancer: Partial<Balancer>, down: readonly number[] = []): Placement {
  const unhealthy = new Set(down.map((port) => `127.0.0.1:${port}`));
  return hostPlacement(HOSTS, { ...DEFAULT_BALANCER, ...balancer }, unhealthy);
}

function client(placement: Placement, more: MeshOptions = {}, rng?: Rng): Client {
  return new Client(meshOf({ upstreams: { redis: placement }, ...more }), {}, rng);
}

/** Key, host under Maglev, host under RING_HASH: ports from 7001. */
const PLACES =
  `foo 1 2 | bar 3 3 | baz 1 3 | toto 1 2 | foobar 2 1 | hello 1 3 | key:1 1 2 | key:2 1 3 | user:1000 2 1
  | user:1001 3 3 | {user1000}.following 3 3 | {user1000}.followers 2 1 | a 1 3 | b 1 2 | c 1 2`
    .split('|')
    .map((row) => row.trim().split(/\s+/));

for (const [key = '', maglev, ring] of PLACES) {
  test(`${key} is on host ${maglev} by MAGLEV, on ${ring} by RING_HASH`, () => {
    assert.equal(
      client(hosts({ policy: 'MAGLEV' })).says(`GET ${key}`),
      `*>h${Number(maglev) - 1}`,
    );
    assert.equal(
      client(hosts({ policy: 'RING_HASH' })).says(`GET ${key}`),
      `*>h${Number(ring) - 1}`,
    );
  });
}

test('hash tags count with enable_hashtagging only', () => {
  for (const key of ['{user1000}.following', '{user1000}.followers']) {
    const tagged = client(hosts({ policy: 'MAGLEV' }), { hashtagging: true });
    assert.equal(tagged.says(`GET ${key}`), '*>h2');
  }
});

test('read policies do nothing on hosts: each is a primary', () => {
  const ring = client(hosts({ policy: 'MAGLEV' }), { readPolicy: 'PREFER_REPLICA' });
  assert.equal(ring.says('GET foo'), '*>h0');
});

test('an unhealthy host is left out of the table; with fewer than half healthy all are in it', () => {
  const owner = (down: readonly number[]): string =>
    client(hosts({ policy: 'MAGLEV' }, down)).says('GET foo');
  assert.equal(owner([]), '*>h0');
  assert.notEqual(owner([7001]), '*>h0');
  assert.equal(owner([7001, 7002]), '*>h0');
});

test('balancers that ignore keys: round robin and least request remember, random draws', () => {
  const turns: string[] = [];
  let next = 0;
  const rng: Rng = {
    below: () => 2,
    balance: (policy, upstream, addresses) => {
      turns.push(`${policy} ${upstream} ${addresses.length}`);
      return next++ % addresses.length;
    },
  };
  const robin = client(hosts({ policy: 'ROUND_ROBIN' }), {}, rng);
  assert.deepEqual(
    ['GET k', 'GET k', 'GET k', 'GET k'].map((line) => robin.says(line)),
    ['*>h0', '*>h1', '*>h2', '*>h0'],
  );
  assert.deepEqual(robin.last?.draws, [0]);
  client(hosts({ policy: 'LEAST_REQUEST' }), {}, rng).says('GET k');
  assert.deepEqual([turns[0], turns[4]], ['ROUND_ROBIN redis 3', 'LEAST_REQUEST redis 3']);
  assert.equal(client(hosts({ policy: 'RANDOM' }), {}, rng).says('GET k'), '*>h2');
});

test('without hosts there is nobody', () => {
  const none = hostPlacement([], { ...DEFAULT_BALANCER, policy: 'MAGLEV' });
  assert.equal(client(none).says('GET k'), '-no upstream host');
});

test('cluster-wide commands go to every host', () => {
  assert.equal(client(hosts({ policy: 'MAGLEV' })).says('KEYS *'), '*>h0 | *>h1 | *>h2 (concat)');
});
