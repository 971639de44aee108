/** The one word for why a command went where it went. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { whyOf } from '../../src/events/why.js';
import { Client, clusterOf, type MeshOptions, meshOf, primaryOf } from '../helpers/mesh.js';

const ROWS: readonly (readonly [
  command: string,
  why: string,
  mesh?: MeshOptions,
  session?: ConstructorParameters<typeof Client>[1],
])[] = [
  ['GET foo', 'policy'],
  ['SET foo 1', 'write'],
  ['GET foo', 'policy', { readPolicy: 'REPLICA' }],
  ['GET foo', 'random', { readPolicy: 'ANY' }],
  ['GET foo', 'policy', { readPolicy: 'ANY', upstreams: { redis: clusterOf(3, 0) } }],
  [
    'GET foo',
    'fallback',
    { readPolicy: 'PREFER_REPLICA', upstreams: { redis: clusterOf(3, 1, ['s2.r1']) } },
  ],
  ['GET foo', 'refused', { readPolicy: 'REPLICA', upstreams: { redis: clusterOf(3, 0) } }],
  ['MGET foo', 'refused', { readPolicy: 'REPLICA', upstreams: { redis: clusterOf(3, 0) } }],
  ['RANDOMKEY', 'random'],
  ['KEYS *', 'policy'],
  ['BLPOP foo 0', 'refused'],
  ['BLPOP foo 0', 'write', { open: true }],
  [
    'GET bar',
    'pinned',
    {},
    { multi: true, transactionKey: Buffer.from('foo'), pinned: primaryOf(2) },
  ],
  ['PING', 'policy'],
];

for (const [command, why, mesh, session] of ROWS) {
  test(`${command}: ${why}`, () => {
    const client = new Client(meshOf(mesh), session);
    client.says(command);
    assert.equal(whyOf(client.last as NonNullable<typeof client.last>, []), why);
  });
}

test('a redirect is the last word, but for a refusal', () => {
  const moved = [
    { part: 0, address: 'a:1', kind: 'decided', sentUs: 0, doneUs: 1 },
    { part: 0, address: 'b:1', kind: 'MOVED', sentUs: 1, doneUs: 2 },
  ] as const;
  const client = new Client(meshOf());
  client.says('SET foo 1');
  assert.equal(whyOf(client.last as NonNullable<typeof client.last>, moved), 'redirect');
  assert.equal(whyOf(client.last as NonNullable<typeof client.last>, moved.slice(0, 1)), 'write');
  client.says('NOSUCH');
  assert.equal(whyOf(client.last as NonNullable<typeof client.last>, moved), 'refused');
});
