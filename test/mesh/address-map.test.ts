/** `--map FROM=TO`: every form of the config page, 3.3, and which of several counts. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { RmtopError } from '../../src/errors.js';
import { mapAddress, NO_MAP, parseAddressMap } from '../../src/mesh/address-map.js';

const ROWS: readonly (readonly [
  rule: string,
  entries: readonly string[],
  address: string,
  dialled: string,
])[] = [
  ['host and port', ['10.1.44.41:6379=127.0.0.1:63791'], '10.1.44.41:6379', '127.0.0.1:63791'],
  [
    'host and port, another port',
    ['10.1.44.41:6379=127.0.0.1:63791'],
    '10.1.44.41:6380',
    '10.1.44.41:6380',
  ],
  [
    'a host, any port',
    ['redis-2.redis.svc=127.0.0.1:63793'],
    'redis-2.redis.svc:7000',
    '127.0.0.1:63793',
  ],
  [
    'a host to a host keeps the port',
    ['10.1.44.42=127.0.0.1'],
    '10.1.44.42:6380',
    '127.0.0.1:6380',
  ],
  [
    'host and port to a host keeps the port',
    ['10.1.44.42:6380=127.0.0.1'],
    '10.1.44.42:6380',
    '127.0.0.1:6380',
  ],
  ['any host of a port', ['*:6379=127.0.0.1:6379'], '10.9.9.9:6379', '127.0.0.1:6379'],
  [
    'any host of a port to another port keeps the host',
    [':6379=:16379'],
    '10.9.9.9:6379',
    '10.9.9.9:16379',
  ],
  ['a star and no star are the same', ['*:6379=:16379'], '10.9.9.9:6379', '10.9.9.9:16379'],
  ['any host of a port to a host keeps the port', ['*:6379=gw'], '10.9.9.9:6379', 'gw:6379'],
  ['another port is left alone', ['*:6379=127.0.0.1:6379'], '10.9.9.9:6380', '10.9.9.9:6380'],
  [
    '1. the exact entry counts before the host',
    ['h=1.1.1.1:1', 'h:6379=2.2.2.2:2', '*:6379=3.3.3.3:3'],
    'h:6379',
    '2.2.2.2:2',
  ],
  [
    '2. the host counts before the port',
    ['*:6379=3.3.3.3:3', 'h=1.1.1.1:1'],
    'h:6379',
    '1.1.1.1:1',
  ],
  [
    '3. the port is the last resort',
    ['*:6379=3.3.3.3:3', 'h=1.1.1.1:1'],
    'other:6379',
    '3.3.3.3:3',
  ],
  [
    'names are compared without regard to case',
    ['Redis-0.SVC:6379=127.0.0.1:1'],
    'redis-0.svc:6379',
    '127.0.0.1:1',
  ],
  ['nor to case in the address', ['redis-0.svc=127.0.0.1:1'], 'REDIS-0.svc:6379', '127.0.0.1:1'],
  [
    'nor to a final dot in the entry',
    ['redis-0.svc.=127.0.0.1:1'],
    'redis-0.svc:6379',
    '127.0.0.1:1',
  ],
  [
    'nor to a final dot in the address',
    ['redis-0.svc:6379=127.0.0.1:1'],
    'redis-0.svc.:6379',
    '127.0.0.1:1',
  ],
  ['IPv6 in brackets', ['[2001:db8::1]:6379=127.0.0.1:1'], '[2001:db8::1]:6379', '127.0.0.1:1'],
  [
    'IPv6 as Redis announces it',
    ['[2001:db8::1]:6379=127.0.0.1:1'],
    '2001:db8::1:6379',
    '127.0.0.1:1',
  ],
  ['an IPv6 host, any port', ['2001:db8::1=127.0.0.1:1'], '[2001:db8::1]:6379', '127.0.0.1:1'],
  [
    'an IPv6 host in brackets, any port',
    ['[2001:db8::1]=127.0.0.1:1'],
    '[2001:db8::1]:6379',
    '127.0.0.1:1',
  ],
  ['IPv6 as the target', ['h:1=[::1]:2'], 'h:1', '[::1]:2'],
  ['an IPv6 host as the target keeps the port', ['h:1=::1'], 'h:1', '[::1]:1'],
  ['an IPv6 host in brackets as the target keeps the port', ['h:1=[::1]'], 'h:1', '[::1]:1'],
  ['nothing is mapped twice', ['a:1=b:1', 'b:1=c:1'], 'a:1', 'b:1'],
  ['an identity is allowed, and stops wider entries', ['a:1=a:1', '*:1=c:1'], 'a:1', 'a:1'],
  ['0.0.0.0 as the target means 127.0.0.1', ['h:1=0.0.0.0:2'], 'h:1', '127.0.0.1:2'],
  ['0.0.0.0 without a port too', ['h=0.0.0.0'], 'h:7', '127.0.0.1:7'],
  ['white space around is no part', [' h:1 = 127.0.0.1:2 '], 'h:1', '127.0.0.1:2'],
  ['what fits nothing is dialled as it is', ['h:1=127.0.0.1:2'], '10.0.0.1:6379', '10.0.0.1:6379'],
  ['what is no address is left alone', ['h=127.0.0.1:2'], 'h', 'h'],
  ['no map', [], '10.0.0.1:6379', '10.0.0.1:6379'],
];

for (const [rule, entries, address, dialled] of ROWS) {
  test(`${rule}: ${entries.join(', ')}`, () => {
    assert.equal(
      mapAddress(entries.length === 0 ? NO_MAP : parseAddressMap(entries), address),
      dialled,
    );
  });
}

for (const entry of [
  '',
  'x',
  '=127.0.0.1:1',
  'h:1=',
  'h:1=127.0.0.1:x',
  'h:1=127.0.0.1:99999',
  'h:99999=127.0.0.1:1',
  'a b=c:1',
  '*=127.0.0.1:1',
  'h*:1x=c:1',
]) {
  test(`'${entry}' is no entry, and the error says what would be one`, () => {
    assert.throws(
      () => parseAddressMap([entry]),
      (error) =>
        error instanceof RmtopError &&
        error.code === 'BAD_MAP' &&
        error.lines().join('\n').includes('--map 10.1.44.41:6379=127.0.0.1:63791'),
    );
  });
}
