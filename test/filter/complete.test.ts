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

test('values complete after a field', () => {
  assert.deepEqual(complete('why in {policy,ra', 17), { from: 15, options: ['random'] });
  assert.deepEqual(complete('cmd=HGETA', 9).options, ['HGETALL']);
  assert.deepEqual(complete('rtt>', 4).options.length > 10, true);
});
