/** `host:port` as text. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { isIpLiteral, isLoopback, joinAddress, splitAddress } from '../../src/mesh/address.js';

const SPLITS: readonly (readonly [address: string, host: string | null, port?: number])[] = [
  ['10.0.0.1:6379', '10.0.0.1', 6379],
  ['redis.svc:0', 'redis.svc', 0],
  ['[::1]:6379', '::1', 6379],
  ['2001:db8::1:6379', '2001:db8::1', 6379],
  [':6379', '', 6379],
  ['*:6379', '*', 6379],
  ['host', null],
  ['host:', null],
  ['host:65536', null],
  ['host:123456', null],
  ['host:63a', null],
  ['host: 63', null],
  ['', null],
];

for (const [address, host, port] of SPLITS) {
  test(`${address || '(nothing)'} is ${host === null ? 'no address' : `host ${host || '(none)'} and port ${port}`}`, () => {
    assert.deepEqual(splitAddress(address), host === null ? null : { host, port });
  });
}

test('an IPv6 host is joined in brackets', () => {
  assert.equal(joinAddress('::1', 1), '[::1]:1');
  assert.equal(joinAddress('10.0.0.1', 1), '10.0.0.1:1');
  assert.equal(joinAddress('name', 1), 'name:1');
});

test('literals and names', () => {
  for (const literal of ['10.0.0.1', '255.255.255.255', '::1', '2001:db8::1', '::ffff:10.0.0.1'])
    assert.equal(isIpLiteral(literal), true, literal);
  for (const name of [
    'localhost',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1.2',
    'a.b.c.d',
    '',
    '10.0.0.',
    'x:y',
  ])
    assert.equal(isIpLiteral(name), false, name);
});

test('what only this machine can reach', () => {
  for (const host of ['localhost', '::1', '127.0.0.1', '127.9.9.9'])
    assert.equal(isLoopback(host), true, host);
  for (const host of ['10.0.0.1', '128.0.0.1', '127.example', '::2', ''])
    assert.equal(isLoopback(host), false, host);
});
