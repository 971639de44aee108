/** Traps: each is told while it is in force, with what to do, and not otherwise. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { singleUpstreamConfig } from '../../src/mesh/config.js';
import { type Found, type TrapCode, trapsOf } from '../../src/mesh/traps.js';

const CLUSTER: Found = {
  kind: 'slots',
  servers: [
    { address: '10.0.0.1:6379', reachable: true },
    { address: '10.0.0.2:6379', reachable: null },
  ],
  uncovered: 0,
  moved: 3,
  strays: new Map(),
};

function codes(
  found: Partial<Found>,
  readPolicy: 'MASTER' | 'PREFER_MASTER' = 'MASTER',
): TrapCode[] {
  const config = singleUpstreamConfig(['10.0.0.1:6379'], { readPolicy });
  return trapsOf(config, { redis: { ...CLUSTER, ...found } }).map((trap) => trap.code);
}

test('a Redis Cluster that is used as one is no trap, whatever it redirects', () => {
  assert.deepEqual(codes({}), []);
});

test('hosts that answer MOVED are a Redis Cluster that is hashed', () => {
  assert.deepEqual(codes({ kind: 'hosts' }), ['hashed-cluster']);
  assert.deepEqual(codes({ kind: 'hosts', moved: 0 }), []);
});

test('writes that a replica sent back are named, and what follows them', () => {
  const config = singleUpstreamConfig(['10.0.0.1:6379'], { readPolicy: 'REPLICA' });
  const strays = new Map([
    ['XADD', 2],
    ['XACK', 1],
  ]);
  const [trap, ...more] = trapsOf(config, { redis: { ...CLUSTER, strays } });
  assert.deepEqual([trap?.code, more], ['writes-to-replicas', []]);
  assert.match(
    trap?.text ?? '',
    /^XACK XADD went to replicas of redis under REPLICA.*: 3 MOVED so far$/,
  );
  assert.match(trap?.next ?? '', /enable_redirection: true .*--enable-redirection/);
});

test('only servers that were tried in vain are out of reach', () => {
  const servers = [
    { address: '10.0.0.1:6379', reachable: true },
    { address: '10.0.0.2:6379', reachable: false },
    { address: '10.0.0.3:6379', reachable: false },
  ];
  assert.deepEqual(codes({ servers }), ['out-of-reach']);
  const config = singleUpstreamConfig(['10.0.0.1:6379'], {});
  const [trap] = trapsOf(config, { redis: { ...CLUSTER, servers } });
  assert.match(trap?.text ?? '', /2 of 3 nodes .* 10\.0\.0\.2:6379 and 1 more/);
  assert.match(trap?.next ?? '', /--map 10\.0\.0\.2:6379=/);
});

test('slots without an owner are told, but not of an upstream that is not found yet', () => {
  assert.deepEqual(codes({ uncovered: 5461 }), ['uncovered-slots']);
  assert.deepEqual(codes({ kind: 'unknown', uncovered: 16_384, servers: [] }), []);
});

test('PREFER_MASTER needs health checks where there is more than one server', () => {
  assert.deepEqual(codes({}, 'PREFER_MASTER'), ['no-health-checks']);
  assert.deepEqual(codes({ kind: 'single' }, 'PREFER_MASTER'), []);
  const config = singleUpstreamConfig(['10.0.0.1:6379'], { readPolicy: 'PREFER_MASTER' });
  const check = { intervalMs: 1, timeoutMs: 1, unhealthyThreshold: 1, healthyThreshold: 1 };
  const upstreams = Object.fromEntries(
    Object.entries(config.upstreams).map(([name, each]) => [name, { ...each, healthCheck: check }]),
  );
  const name = Object.keys(upstreams)[0] ?? '';
  assert.deepEqual(trapsOf({ ...config, upstreams }, { [name]: CLUSTER }), []);
});
