/** Read policies: section 6 of the mesh page, with its worked table, and draws. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { chooseReader, chooseWriter } from '../../src/mesh/choose.js';
import { READ_POLICIES, type ReadPolicy } from '../../src/mesh/config.js';
import { type Rng, replayRng } from '../../src/mesh/rng.js';
import type { Server, Shard } from '../../src/mesh/topology.js';

/** A shard in letters: `P` and `R`s, in lower case where unhealthy. */
function shardOf(letters: string): Shard {
  const server = (letter: string, i: number): Server => ({
    address: `${letter.toUpperCase()}${i === 0 ? '' : i}`,
    healthy: letter !== letter.toLowerCase(),
  });
  const [primary, ...replicas] = [...letters].map(server);
  return { primary: primary as Server, replicas, ranges: [] };
}

/** Every server that some draw chooses, and how many there were to draw from (0: nothing was drawn). */
function outcomes(
  shard: Shard,
  policy: ReadPolicy,
): { readonly servers: string; readonly of: number } {
  let of = 0;
  const counting: Rng = {
    below(n) {
      of = n;
      return 0;
    },
  };
  const first = chooseReader(shard, policy, counting).server;
  const servers = [
    first,
    ...Array.from(
      { length: Math.max(0, of - 1) },
      (_, i) => chooseReader(shard, policy, replayRng([i + 1])).server,
    ),
  ];
  return { servers: servers.map((server) => server?.address ?? 'nobody').join(' '), of };
}

/** State of a shard, then what each policy chooses among. The first four rows are the page's worked table. */
const TABLE: readonly (readonly [state: string, shard: string, ...chosen: string[]])[] = [
  //                                      MASTER PREFER_MASTER REPLICA PREFER_REPLICA ANY
  ['all healthy', 'PR', 'P', 'P', 'R1', 'R1', 'P R1'],
  ['primary unhealthy', 'pR', 'P', 'R1', 'R1', 'R1', 'R1'],
  ['replica unhealthy', 'Pr', 'P', 'P', 'R1', 'P', 'P'],
  ['no replica at all', 'P', 'P', 'P', 'nobody', 'P', 'P'],
  ['two replicas', 'PRR', 'P', 'P', 'R1 R2', 'R1 R2', 'P R1 R2'],
  ['one of two replicas unhealthy', 'PrR', 'P', 'P', 'R2', 'R2', 'P R2'],
  ['both replicas unhealthy', 'Prr', 'P', 'P', 'R1 R2', 'P', 'P'],
  ['primary of three unhealthy', 'pRR', 'P', 'R1 R2', 'R1 R2', 'R1 R2', 'R1 R2'],
  ['all unhealthy', 'prr', 'P', 'P R1 R2', 'R1 R2', 'P R1 R2', 'P R1 R2'],
  ['a lone primary, unhealthy', 'p', 'P', 'P', 'nobody', 'P', 'P'],
];

for (const [state, letters, ...chosen] of TABLE) {
  READ_POLICIES.forEach((policy, i) => {
    test(`${policy}, ${state}: ${chosen[i]}`, () => {
      const { servers, of } = outcomes(shardOf(letters), policy);
      assert.equal(servers, chosen[i]);
      // Nothing is drawn where there is no choice, so that a recorded decision needs no draw then.
      const count = (chosen[i] as string).split(' ').length;
      assert.equal(of, count > 1 ? count : 0);
    });
  });
}

test('a write goes to the primary, healthy or not', () => {
  assert.equal(chooseWriter(shardOf('pR')).server?.address, 'P');
  assert.equal(chooseWriter(shardOf('PR')).server?.address, 'P');
});

const REASONS: readonly (readonly [
  policy: ReadPolicy,
  shard: string,
  code: string,
  healthy: number | undefined,
  of: number | undefined,
])[] = [
  ['MASTER', 'PR', 'primary', undefined, undefined],
  ['PREFER_MASTER', 'PR', 'policy', 1, 1],
  ['PREFER_MASTER', 'pRr', 'fallback', 1, 3],
  ['REPLICA', 'PRr', 'policy', 1, 2],
  ['REPLICA', 'Prr', 'fallback', 0, 2],
  ['REPLICA', 'P', 'nobody', 0, 0],
  ['PREFER_REPLICA', 'PRr', 'policy', 1, 2],
  ['PREFER_REPLICA', 'Pr', 'fallback', 1, 2],
  ['ANY', 'PRr', 'random', 2, 3],
  ['ANY', 'P', 'policy', 1, 1],
];

for (const [policy, letters, code, healthy, of] of REASONS) {
  test(`${policy} over ${letters} is for the reason ${code}, ${healthy} healthy of ${of}`, () => {
    const { why } = chooseReader(shardOf(letters), policy, replayRng([]));
    assert.deepEqual(
      why,
      healthy === undefined
        ? { stage: 'choose', code }
        : { stage: 'choose', code, policy, healthy, of },
    );
  });
}
