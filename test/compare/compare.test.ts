/** Two replies of one command: same, tolerated and why, or different and where. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from '../../src/commands/command.js';
import { compareReplies } from '../../src/compare/compare.js';
import { NO_TOLERANCES } from '../../src/compare/tolerances.js';

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const list = (...items: readonly string[]): string => `*${items.length}\r\n${items.join('')}`;
const strings = (...items: readonly string[]): string => list(...items.map(bulk));

function compare(argv: string, a: string | null, b: string | null, laterMs = 0) {
  const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));
  return compareReplies(Command.of(argv.split(' ')), bytes(a), bytes(b), undefined, { laterMs });
}

/** `same`, `order ttl` or `diff [0]: "a" > "b"`. */
function said(argv: string, a: string | null, b: string | null, laterMs = 0): string {
  const found = compare(argv, a, b, laterMs);
  if (found.kind === 'tolerated') return found.by.join(' ');
  return found.kind === 'diff' ? `diff ${found.path}: ${found.a} > ${found.b}` : found.kind;
}

type Row = readonly [rule: string, argv: string, a: string | null, b: string | null, said: string];

const ROWS: readonly Row[] = [
  ['equal bytes', 'GET k', bulk('a'), bulk('a'), 'same'],
  ['another value', 'GET k', bulk('a'), bulk('b'), 'diff : "a" > "b"'],
  ['a key that is gone', 'GET k', bulk('a'), '$-1\r\n', 'diff : "a" > (nil)'],
  ['no reply at all', 'GET k', bulk('a'), null, 'missing'],
  ['a reply where there was none', 'GET k', null, bulk('a'), 'extra'],
  ['a status is no bulk string', 'SET k v', '+OK\r\n', bulk('OK'), 'diff : OK > "OK"'],
  ['an integer', 'INCR k', ':1\r\n', ':2\r\n', 'diff : (integer) 1 > (integer) 2'],
  ['an integer is no string', 'GET k', bulk('1'), ':1\r\n', 'diff : "1" > (integer) 1'],
  ['within an array', 'MGET a b', strings('1', '2'), strings('1', '3'), 'diff [1]: "2" > "3"'],
  [
    'a longer array',
    'LRANGE k 0 -1',
    strings('1'),
    strings('1', '2'),
    'diff [1]: (not there) > "2"',
  ],
  ['an error instead', 'GET k', bulk('a'), '-WRONGTYPE x\r\n', 'diff : "a" > (error) WRONGTYPE x'],
  [
    'an unknown command is compared exactly',
    'NOSUCH k',
    strings('a', 'b'),
    strings('b', 'a'),
    'diff [0]: "a" > "b"',
  ],
  // RESP2 and RESP3
  ['null of RESP3', 'GET k', '$-1\r\n', '_\r\n', 'same'],
  ['two nulls of RESP2 differ', 'GET k', '$-1\r\n', '*-1\r\n', 'diff : (nil) > (null array)'],
  [
    'a map for HGETALL',
    'HGETALL k',
    strings('f', '1', 'g', '2'),
    `%2\r\n${bulk('f')}${bulk('1')}${bulk('g')}${bulk('2')}`,
    'same',
  ],
  [
    'a value in it',
    'HGETALL k',
    strings('f', '1'),
    `%1\r\n${bulk('f')}${bulk('2')}`,
    'diff .f: "1" > "2"',
  ],
  ['a double for ZSCORE', 'ZSCORE k m', bulk('1'), ',1\r\n', 'same'],
  [
    'pairs for ZRANGE',
    'ZRANGE k 0 -1 WITHSCORES',
    strings('a', '1', 'b', '2'),
    list(list(bulk('a'), ',1\r\n'), list(bulk('b'), ',2\r\n')),
    'same',
  ],
  ['a set', 'SMEMBERS k', strings('a', 'b'), `~2\r\n${bulk('b')}${bulk('a')}`, 'same'],
  ['a boolean', 'EVAL x 0', ':1\r\n', '#t\r\n', 'same'],
  ['verbatim text', 'EVAL x 0', bulk('abc'), '=7\r\ntxt:abc\r\n', 'same'],
  [
    'streams as a map',
    'XREAD STREAMS s 0',
    list(list(bulk('s'), list(strings('1-1', 'f')))),
    `%1\r\n${bulk('s')}${list(strings('1-1', 'f'))}`,
    'same',
  ],
  ['attributes are remarks', 'GET k', bulk('a'), `|1\r\n+ttl\r\n:1\r\n${bulk('a')}`, 'same'],
  // tolerances
  ['order', 'SMEMBERS k', strings('a', 'b', 'a'), strings('b', 'a', 'a'), 'order'],
  [
    'order hides no element',
    'SMEMBERS k',
    strings('a', 'b', 'a'),
    strings('b', 'b', 'a'),
    'diff [*]: "a" > "b"',
  ],
  [
    'order of pairs',
    'HGETALL k',
    strings('f', '1', 'g', '2'),
    strings('g', '2', 'f', '1'),
    'order',
  ],
  [
    'values do not change their keys',
    'HGETALL k',
    strings('f', '1', 'g', '2'),
    strings('g', '1', 'f', '2'),
    'diff .f: "1" > "2"',
  ],
  [
    'a list has its order',
    'LRANGE k 0 -1',
    strings('a', 'b'),
    strings('b', 'a'),
    'diff [0]: "a" > "b"',
  ],
  ['ttl', 'TTL k', ':60\r\n', ':59\r\n', 'ttl'],
  [
    'ttl too far away',
    'PTTL k',
    ':60000\r\n',
    ':57000\r\n',
    'diff : (integer) 60000 > (integer) 57000',
  ],
  ['no key is no ttl', 'TTL k', ':1\r\n', ':-2\r\n', 'diff : (integer) 1 > (integer) -2'],
  ['time', 'TIME', strings('1', '2'), strings('3', '4'), 'time'],
  ['an id of its own', 'XADD s * f v', bulk('1-1'), bulk('2-1'), 'time'],
  ['an id that was given', 'XADD s 1-1 f v', bulk('1-1'), bulk('2-1'), 'diff : "1-1" > "2-1"'],
  [
    'an error is no id',
    'XADD s * f v',
    bulk('1-1'),
    '-WRONGTYPE x\r\n',
    'diff : "1-1" > (error) WRONGTYPE x',
  ],
  [
    'ages',
    'XINFO CONSUMERS s g',
    list(list(bulk('name'), bulk('c'), bulk('idle'), ':5\r\n')),
    list(list(bulk('name'), bulk('c'), bulk('idle'), ':9\r\n')),
    'time',
  ],
  ['random', 'SPOP k', bulk('a'), bulk('b'), 'random'],
  ['random is something', 'SPOP k', bulk('a'), '$-1\r\n', 'diff : "a" > (nil)'],
  ['as many', 'SRANDMEMBER k 2', strings('a', 'b'), strings('a'), 'diff [1]: "b" > (not there)'],
  [
    'a whole scan',
    'SCAN 0',
    list(bulk('0'), strings('a', 'b')),
    list(bulk('0'), strings('b', 'a')),
    'order',
  ],
  [
    'what a whole scan lacks',
    'SCAN 0',
    list(bulk('0'), strings('a', 'b')),
    list(bulk('0'), strings('b', 'c')),
    'diff [1][*]: "a" > "c"',
  ],
  [
    'a page of a scan',
    'SCAN 0',
    list(bulk('7'), strings('a')),
    list(bulk('3'), strings('b')),
    'cursor',
  ],
  [
    'the last page is not all',
    'HSCAN k 9',
    list(bulk('0'), strings('a', '1')),
    list(bulk('0'), strings('b', '1')),
    'cursor',
  ],
  [
    'fields of a whole HSCAN',
    'HSCAN k 0',
    list(bulk('0'), strings('a', '1', 'b', '2')),
    list(bulk('0'), strings('b', '2', 'a', '1')),
    'order',
  ],
  ['figures of a server', 'INFO', bulk('a:1'), bulk('a:2'), 'server'],
  ['a server that fails', 'INFO', bulk('a:1'), '-NOAUTH x\r\n', 'diff : "a:1" > (error) NOAUTH x'],
  ['float', 'INCRBYFLOAT k 0.1', bulk('0.30000000000000004'), bulk('0.3'), 'float'],
  [
    'a float that is another',
    'INCRBYFLOAT k 0.1',
    bulk('0.3'),
    bulk('0.31'),
    'diff : "0.3" > "0.31"',
  ],
  ['infinity', 'ZSCORE k m', bulk('inf'), ',inf\r\n', 'same'],
  ['error text', 'GET k', '-ERR one\r\n', '-ERR two\r\n', 'error-text'],
  [
    'error code',
    'GET k',
    '-ERR one\r\n',
    '-WRONGTYPE one\r\n',
    'diff : (error) ERR one > (error) WRONGTYPE one',
  ],
  ['where MOVED points', 'GET k', '-MOVED 5 a:1\r\n', '-MOVED 5 b:1\r\n', 'error-text'],
  [
    'another slot',
    'GET k',
    '-MOVED 5 a:1\r\n',
    '-MOVED 6 a:1\r\n',
    'diff : (error) MOVED 5 a:1 > (error) MOVED 6 a:1',
  ],
];

for (const [rule, argv, a, b, expected] of ROWS) {
  test(`${rule}: ${argv}`, () => assert.equal(said(argv, a, b), expected));
}

test('a reply is not decoded where the bytes are equal, and broken bytes are no crash', () => {
  assert.equal(said('GET k', '$5\r\nab', '$5\r\nab'), 'same');
  assert.equal(said('GET k', '$5\r\nab', bulk('ab')), 'diff : 6 bytes > 8 bytes');
});

test('ttl may run down as long as the second was asked later', () => {
  assert.equal(said('TTL k', ':100\r\n', ':70\r\n', 30_000), 'ttl');
  assert.notEqual(said('TTL k', ':100\r\n', ':50\r\n', 30_000), 'ttl');
});

test('strings differ at a byte, shown around it, with nothing that acts on a terminal', () => {
  const found = compare('GET k', bulk(`${'x'.repeat(5000)}a\x1b[2J`), bulk(`${'x'.repeat(5000)}b`));
  assert.ok(found.kind === 'diff');
  assert.equal(found.at, 5000);
  assert.equal(found.a, `…"${'x'.repeat(16)}a\\x1b[2J"`);
  assert.equal(found.b, `…"${'x'.repeat(16)}b"`);
});

test('the replies to EXEC are those of the queued commands', () => {
  const queued = [
    Command.of(['SMEMBERS', 's']),
    Command.of(['TTL', 'k']),
    Command.of(['GET', 'k']),
  ];
  const reply = (...items: string[]): Buffer => Buffer.from(list(...items));
  const exec = Command.of(['EXEC']);
  const a = reply(strings('a', 'b'), ':9\r\n', bulk('x'));
  assert.deepEqual(
    compareReplies(exec, a, reply(strings('b', 'a'), ':8\r\n', bulk('x')), undefined, { queued }),
    { kind: 'tolerated', by: ['order', 'ttl'] },
  );
  const found = compareReplies(exec, a, reply(strings('b', 'a'), ':8\r\n', bulk('y')), undefined, {
    queued,
  });
  assert.deepEqual(found, { kind: 'diff', path: '[2]', a: '"x"', b: '"y"', at: 0 });
});

test('none: everything that was tolerated is a difference', () => {
  for (const [rule, argv, a, b, expected] of ROWS) {
    const command = Command.of(argv.split(' '));
    if (a === null || b === null || /^(?:same|diff|missing|extra)/.test(expected)) continue;
    const found = compareReplies(command, Buffer.from(a), Buffer.from(b), NO_TOLERANCES);
    assert.equal(found.kind, 'diff', rule);
  }
});
