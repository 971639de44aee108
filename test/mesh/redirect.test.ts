/** MOVED and ASK → where next (mesh page, 4.5). */
import assert from 'node:assert/strict';
import test from 'node:test';
import { isClusterDown, parseRedirect } from '../../src/mesh/redirect.js';

/** An error without its minus, and what it redirects to; null: it goes to the client as it is. */
const ROWS: readonly (readonly [rule: string, error: string, outcome: string | null])[] = [
  ['MOVED', 'MOVED 3999 127.0.0.1:6381', 'MOVED 3999 127.0.0.1:6381'],
  ['ASK', 'ASK 3999 127.0.0.1:6381', 'ASK 3999 127.0.0.1:6381'],
  [
    'IPv6 without brackets, split at the last colon',
    'MOVED 1 2001:db8::1:6379',
    'MOVED 1 [2001:db8::1]:6379',
  ],
  ['the shortest IPv6', 'MOVED 1 ::1:6379', 'MOVED 1 [::1]:6379'],
  ['IPv6 with brackets', 'MOVED 1 [2001:db8::1]:6379', 'MOVED 1 [2001:db8::1]:6379'],
  ['port 65535', 'MOVED 1 127.0.0.1:65535', 'MOVED 1 127.0.0.1:65535'],
  ['port 65536', 'MOVED 1 127.0.0.1:65536', null],
  ['a port of six digits', 'MOVED 1 127.0.0.1:006379', null],
  ['no port', 'MOVED 1 127.0.0.1', null],
  ['an empty port', 'MOVED 1 127.0.0.1:', null],
  ['a port that is no number', 'MOVED 1 127.0.0.1:x', null],
  ['a negative port', 'MOVED 1 127.0.0.1:-1', null],
  ['an empty host', 'MOVED 3999 :6380', null],
  ['a name: Envoy needs a DNS cache for it', 'MOVED 1 redis-0.redis:6379', null],
  ['localhost is a name too', 'MOVED 1 localhost:6379', null],
  ['an address of five numbers', 'MOVED 1 1.2.3.4.5:6379', null],
  ['an address with a number above 255', 'MOVED 1 1.2.3.256:6379', null],
  ['two words', 'MOVED 3999', null],
  ['four words', 'MOVED 3999 127.0.0.1:6381 x', null],
  ['the word in lower case', 'moved 3999 127.0.0.1:6381', null],
  ['a longer word', 'MOVEDX 3999 127.0.0.1:6381', null],
  ['another error', 'ERR 3999 127.0.0.1:6381', null],
  ['an empty error', '', null],
];

for (const [rule, error, outcome] of ROWS) {
  test(`${rule}: ${error || '(nothing)'}`, () => {
    const redirect = parseRedirect(error);
    assert.equal(redirect && `${redirect.kind} ${redirect.slot} ${redirect.address}`, outcome);
  });
}

test('an error whose first word is CLUSTERDOWN', () => {
  assert.equal(isClusterDown('CLUSTERDOWN The cluster is down'), true);
  assert.equal(isClusterDown('CLUSTERDOWN'), true);
  assert.equal(isClusterDown('CLUSTERDOWNX y'), false);
  assert.equal(isClusterDown('clusterdown x'), false);
  assert.equal(isClusterDown('ERR CLUSTERDOWN'), false);
});
