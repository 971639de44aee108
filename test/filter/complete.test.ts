import assert from 'node:assert/strict';
import test from 'node:test';
import { complete } from '../../src/filter/complete.js';

test('fields, flags and commands complete a word', () => {
  assert.deepEqual(complete('clie', 4).options, ['client', 'client.name', 'client.addr', 'CLIENT']);
  assert.deepEqual(complete('err & sl', 8), {
    from: 6,
    options: ['slot', 'slow', 'SLAVEOF', 'SLOWLOG'],
  });
});

test('short forms complete behind a ~ that is no operator', () => {
  assert.deepEqual(complete('err ~mar', 8), { from: 5, options: ['marker', 'marked'] });
  assert.deepEqual(complete('!~e', 3).options, ['e']);
  assert.ok(!complete('key=~mar', 8).options.includes('marker'));
});

test('values that only the caller knows complete after their field', () => {
  const known = (field: string): string[] => (field === 'node' ? ['s1.p', 's2.p'] : []);
  assert.deepEqual(complete('err node=s2', 11, known), { from: 9, options: ['s2.p'] });
  assert.deepEqual(complete('node in {s1.p, ', 15, known).options, ['s1.p', 's2.p']);
  assert.deepEqual(complete('role=s', 6, known).options, []);
});

test('values complete after a field', () => {
  assert.deepEqual(complete('why in {policy,ra', 17), { from: 15, options: ['random'] });
  assert.deepEqual(complete('cmd=HGETA', 9).options, ['HGETALL']);
  assert.deepEqual(complete('rtt>', 4).options.length > 10, true);
});
