/** CLUSTER SLOTS → the map that Envoy makes of it (mesh page, 4.3). */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  aliasOf,
  coveredSlots,
  type Placement,
  rangesOf,
  type SlotRange,
  serversOf,
  singleServer,
  slotPlacement,
  UNCOVERED,
} from '../../src/mesh/topology.js';
import { clusterOf, primaryOf, replicaOf } from '../helpers/mesh.js';

const range = (start: number, end: number, primary: string, ...replicas: string[]): SlotRange => ({
  start,
  end,
  primary,
  replicas,
});

function ownersAt(placement: Placement, ...slots: number[]): (string | null)[] {
  assert.equal(placement.kind, 'slots');
  return slots.map((slot) => {
    const owner = placement.kind === 'slots' ? (placement.owner[slot] as number) : UNCOVERED;
    return owner === UNCOVERED ? null : (placement.shards[owner]?.primary.address ?? '?');
  });
}

test('shards are numbered by ascending first slot, whatever the order of the reply', () => {
  const placement = slotPlacement([
    range(10923, 16383, 'c:1'),
    range(0, 5460, 'a:1'),
    range(5461, 10922, 'b:1'),
  ]);
  assert.deepEqual(
    placement.shards.map((shard) => shard.primary.address),
    ['a:1', 'b:1', 'c:1'],
  );
  assert.deepEqual(ownersAt(placement, 0, 5460, 5461, 10922, 10923, 16383), [
    'a:1',
    'a:1',
    'b:1',
    'b:1',
    'c:1',
    'c:1',
  ]);
});

test('a primary with several ranges is one shard, numbered by its first', () => {
  const placement = slotPlacement([
    range(200, 299, 'b:1'),
    range(300, 399, 'a:1'),
    range(0, 99, 'a:1'),
  ]);
  assert.deepEqual(
    placement.shards.map((shard) => [shard.primary.address, shard.ranges]),
    [
      [
        'a:1',
        [
          [0, 99],
          [300, 399],
        ],
      ],
      ['b:1', [[200, 299]]],
    ],
  );
  assert.deepEqual(ownersAt(placement, 50, 250, 350), ['a:1', 'b:1', 'a:1']);
});

test('the replicas of a shard are those of its first range', () => {
  const placement = slotPlacement([range(300, 399, 'a:1', 'r9:1'), range(0, 99, 'a:1', 'r1:1')]);
  assert.deepEqual(
    placement.shards[0]?.replicas.map((server) => server.address),
    ['r1:1'],
  );
});

test('replicas are ordered by address text, each once', () => {
  const placement = slotPlacement([
    range(0, 16383, 'p:1', '10.0.0.9:6379', '10.0.0.10:6379', '10.0.0.9:6379'),
  ]);
  assert.deepEqual(
    placement.shards[0]?.replicas.map((server) => server.address),
    ['10.0.0.10:6379', '10.0.0.9:6379'],
  );
});

test('slots without a range have no owner', () => {
  const placement = slotPlacement([range(10, 20, 'a:1'), range(22, 22, 'b:1')]);
  assert.deepEqual(ownersAt(placement, 9, 10, 20, 21, 22, 23, 0, 16383), [
    null,
    'a:1',
    'a:1',
    null,
    'b:1',
    null,
    null,
    null,
  ]);
  assert.equal(coveredSlots(placement), 12);
});

test('where ranges overlap, the one that starts later has the slots, then the one that ends later', () => {
  const placement = slotPlacement([
    range(50, 150, 'b:1'),
    range(0, 100, 'a:1'),
    range(50, 60, 'c:1'),
  ]);
  assert.deepEqual(ownersAt(placement, 0, 49, 50, 60, 61, 100, 150), [
    'a:1',
    'a:1',
    'b:1',
    'b:1',
    'b:1',
    'b:1',
    'b:1',
  ]);
  assert.deepEqual(
    placement.shards.map((shard) => shard.primary.address),
    ['a:1', 'c:1', 'b:1'],
  );
});

test('health is the checker’s, by address', () => {
  const placement = slotPlacement([range(0, 16383, 'p:1', 'r:1')], new Set(['p:1', 'other:1']));
  assert.deepEqual(serversOf(placement), [
    { address: 'p:1', healthy: false },
    { address: 'r:1', healthy: true },
  ]);
});

test('a placement gives back the ranges it was made of', () => {
  const ranges = [
    range(0, 99, 'a:1', 'r1:1'),
    range(100, 199, 'b:1'),
    range(300, 399, 'a:1', 'r1:1'),
  ];
  const placement = slotPlacement(ranges);
  assert.deepEqual(slotPlacement(rangesOf(placement)), placement);
  assert.deepEqual(
    rangesOf(placement).sort((a, b) => a.start - b.start),
    ranges,
  );
});

test('no ranges, no shards', () => {
  assert.deepEqual(slotPlacement([]).shards, []);
  assert.equal(coveredSlots(slotPlacement([])), 0);
});

test('a single server has all slots and no ranges', () => {
  const single = singleServer('h:1');
  assert.equal(coveredSlots(single), 16384);
  assert.deepEqual(rangesOf(single), []);
  assert.equal(coveredSlots({ kind: 'single', shards: [] }), 0);
});

test('short names: primary and replicas of a shard, by the order of the map', () => {
  const topology = { version: 1, upstreams: { redis: clusterOf(2, 2) } };
  assert.equal(aliasOf(topology, 'redis', primaryOf(1)), 's1.p');
  assert.equal(aliasOf(topology, 'redis', replicaOf(0, 1)), 's0.r1');
  assert.equal(aliasOf(topology, 'redis', replicaOf(1, 2)), 's1.r2');
  assert.equal(aliasOf(topology, 'redis', '9.9.9.9:1'), '9.9.9.9:1');
  assert.equal(aliasOf(topology, 'nosuch', primaryOf(0)), primaryOf(0));
});

test('with several upstreams their names stand before it', () => {
  const topology = { version: 1, upstreams: { a: clusterOf(1), b: clusterOf(2) } };
  assert.equal(aliasOf(topology, 'b', primaryOf(1)), 'b/s1.p');
});

test('one server beside a cluster has its upstream’s name, and the cluster’s names stay short', () => {
  const topology = { version: 1, upstreams: { redis: clusterOf(2, 1), copy: singleServer('h:1') } };
  assert.equal(aliasOf(topology, 'copy', 'h:1'), 'copy');
  assert.equal(aliasOf(topology, 'copy', 'h:2'), 'h:2');
  assert.equal(aliasOf(topology, 'redis', primaryOf(1)), 's1.p');
});
