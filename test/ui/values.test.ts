/** Values as the Decoded tab lays them out: what they are taken for, and that none of them can do harm. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { ExtData, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { Facts } from 'rmtop';
import { decodedLines } from '../../ui/detail/decoded.js';
import { makeLook } from '../../ui/look.js';
import { Feed } from '../../ui/store/feed.js';
import { CODECS, type Codec, newBudget } from '../../ui/values/kinds.js';
import { guess, showValue } from '../../ui/values/show.js';
import { TestStream } from '../helpers/stream.js';

function shown(
  bytes: Buffer | string,
  codec: Codec | null = null,
  isWhole = true,
): { readonly name: string; readonly text: string } {
  const about = { isWhole, codec, width: 100 };
  const { name, lines } = showValue(Buffer.from(bytes), about, { unicode: true }, newBudget());
  return { name, text: lines.join('\n') };
}

const msgpack = (value: unknown): Buffer => Buffer.from(encode(value, { useBigInt64: true }));

const GUESSES: readonly (readonly [what: string, bytes: Buffer | string, codec: Codec])[] = [
  ['a JSON object', '{"a":1}', 'json'],
  ['a JSON array after blanks', '\n [1]', 'json'],
  ['something that only begins like JSON', '{user}', 'text'],
  ['JSON that is not UTF-8', Buffer.from('{"a":"\xff"}', 'latin1'), 'hex'],
  ['a number', '42', 'text'],
  ['words', 'beta,dark', 'text'],
  ['UTF-8', 'żółw 😀', 'text'],
  ['nothing', '', 'text'],
  ['a MessagePack map', msgpack({ id: 42, tags: ['a'] }), 'msgpack'],
  ['a MessagePack array', msgpack([1, 2, 3]), 'msgpack'],
  [
    'a MessagePack map with a byte too many',
    Buffer.concat([msgpack({ a: 1 }), Buffer.of(1)]),
    'hex',
  ],
  ['gzip', gzipSync('hello'), 'gzip'],
  ['zlib', deflateSync('hello hello hello'), 'gzip'],
  ['bytes that only begin like gzip', Buffer.from('1f8b08000000000000ffff', 'hex'), 'hex'],
  ['a protobuf message', Buffer.from('089601120774657374696e67', 'hex'), 'protobuf'],
  ['random bytes', Buffer.from('00ff13371bad', 'hex'), 'hex'],
];

for (const [what, bytes, codec] of GUESSES)
  test(`${what} is taken for ${codec}`, () => assert.equal(guess(Buffer.from(bytes), true), codec));

test('JSON is indented, and otherwise as it was: long numbers, double keys and escapes', () => {
  const { name, text } = shown('{"id":12345678901234567890,"a":1,"a":[],"s":"q\\"\\\\{,","e":{}}');
  assert.equal(name, 'looks like JSON');
  assert.equal(
    text,
    `{
  "id": 12345678901234567890,
  "a": 1,
  "a": [],
  "s": "q\\"\\\\{,",
  "e": {}
}`,
  );
});

test('MessagePack is decoded: strings, numbers of 64 bits, nested maps, timestamps, extensions', () => {
  const value = {
    name: 'a"b',
    big: 2n ** 63n,
    at: new Date(1_700_000_000_000),
    list: [true, null, -1.5],
    deep: { __proto: 1, 7: 'seven' },
    ext: new ExtData(5, Uint8Array.of(1, 2)),
    none: {},
  };
  const { name, text } = shown(msgpack(value));
  assert.equal(name, 'looks like MessagePack');
  assert.equal(
    text,
    `{
  "name": "a\\"b"
  "big": 9223372036854775808
  "at": timestamp 2023-11-14T22:13:20.000Z
  "list": [
    true
    null
    -1.5
  ]
  "deep": {
    "7": "seven"
    "__proto": 1
  }
  "ext": extension 5 "\\x01\\x02"
  "none": {}
}`,
  );
  assert.match(shown(Buffer.from('8101a9', 'hex'), 'msgpack').name, /^not MessagePack/);
  const hostile = shown(Buffer.from('81a95f5f70726f746f5f5f01', 'hex'));
  assert.equal(hostile.name, 'looks like MessagePack, not decoded');
  assert.match(hostile.text, /\.\.__proto__\./);
  assert.equal(shown(Buffer.from('820102c304', 'hex')).text, '{\n  1: 2\n  true: 4\n}');
});

test('what is in gzip is shown as what it is', () => {
  const { name, text } = shown(gzipSync('{"a":1}'));
  assert.equal(name, 'gzip of 7 B, looks like JSON');
  assert.equal(text, '{\n  "a": 1\n}');
  assert.equal(shown(deflateSync(gzipSync('hi'))).name, 'zlib of 22 B, gzip of 2 B');
});

test('of a compressed value that was cut, the head is shown', () => {
  const words = Array.from({ length: 2000 }, (_, i) => `word${i}`).join(' ');
  const { name, text } = shown(gzipSync(words).subarray(0, 1000), null, false);
  assert.match(name, /^gzip of [\d,]+ B \(the head of it\)$/);
  assert.ok(text.startsWith('"word0 word1 word2'), text.slice(0, 40));
});

test('protobuf without a schema: the examples of its own documentation', () => {
  assert.equal(shown(Buffer.from('089601', 'hex')).text, '1: 150');
  assert.equal(shown(Buffer.from('120774657374696e67', 'hex')).text, '2: "testing"');
  assert.equal(shown(Buffer.from('1a03089601', 'hex')).text, '3: {\n  1: 150\n}');
  assert.equal(
    shown(Buffer.from('08feffffffffffffffff01', 'hex')).text,
    '1: 18446744073709551614 (or -2)',
  );
  assert.equal(
    shown(Buffer.from('0d0000c03f110000000000000440', 'hex')).text,
    '1: 1069547520 (32 bits; float 1.5)\n2: 4612811918334230528 (64 bits; double 2.5)',
  );
});

test('the user may insist; where it is not so, that is said', () => {
  assert.equal(shown('{"a":1}', 'text').name, 'text');
  assert.equal(shown('{"a":1}', 'text').text, '"{\\"a\\":1}"');
  assert.match(shown('42', 'json').name, /^JSON$/);
  assert.match(shown('{oops', 'json').name, /^not JSON: /);
  assert.match(shown('hello', 'gzip').name, /^not gzip/);
  assert.match(shown('hello', 'hex').text, /^68 65 6c 6c 6f +\|hello\|$/);
});

test('a bomb is not inflated', () => {
  const bomb = gzipSync(Buffer.alloc(200_000_000));
  assert.ok(bomb.length > 100_000);
  const { name } = shown(bomb);
  assert.equal(name, 'gzip, not inflated: it is more than is shown');
  const nested = gzipSync(gzipSync(gzipSync(gzipSync(gzipSync('x')))));
  assert.match(shown(nested).name, /^gzip of .*gzip of .*gzip of .*not inflated/);
});

test('many values that grow are inflated only as far as one view may cost', () => {
  const budget = newBudget();
  const grows = gzipSync(Buffer.alloc(900_000));
  const names = Array.from(
    { length: 50 },
    () =>
      showValue(grows, { isWhole: true, codec: null, width: 80 }, { unicode: true }, budget).name,
  );
  assert.match(names[0] ?? '', /^gzip of 900,000 B/);
  assert.ok(names.slice(5).every((name) => /not inflated/.test(name)));
});

test('declared lengths allocate nothing, and nesting ends', () => {
  const deep = Buffer.concat([Buffer.alloc(5000, 0x91), Buffer.of(0xc0)]);
  const wide = Buffer.from('ddffffffff', 'hex');
  // Each level says that it has thousands of elements.
  const both = Buffer.concat(Array.from({ length: 3000 }, () => Buffer.from('dc4000', 'hex')));
  for (const bytes of [deep, wide, both]) {
    const before = process.memoryUsage().heapUsed;
    assert.equal(guess(bytes, true), 'hex');
    assert.match(shown(bytes, 'msgpack').name, /^not MessagePack/);
    assert.ok(process.memoryUsage().heapUsed - before < 100e6, 'memory was allocated for it');
  }
  const json = `${'['.repeat(8000)}${']'.repeat(8000)}`;
  assert.ok(shown(json).text.length < 200_000);
  let message = Buffer.from('0801', 'hex');
  for (let i = 0; i < 60; i++) message = Buffer.concat([Buffer.of(0x0a, message.length), message]);
  assert.equal(shown(message).name, 'looks like protobuf wire format');
});

test('whatever the bytes and whatever they are taken for, only printable lines come out, and not too many', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.json().map((text) => Buffer.from(text)),
        fc.json().map((text) => msgpack(JSON.parse(text))),
        fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
        fc.uint8Array({ maxLength: 300 }).map((bytes) => gzipSync(bytes)),
      ),
      fc.constantFrom(null, ...CODECS),
      fc.boolean(),
      (bytes, codec, isWhole) => {
        const { name, text } = shown(Buffer.from(bytes), codec, isWhole);
        assert.doesNotMatch(
          `${name}${text}`,
          /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/,
        );
        assert.ok(text.split('\n').length <= 2000);
      },
    ),
    { numRuns: 500 },
  );
});

test('the tab says what each word is to the command, and what times mean', () => {
  const stream = new TestStream();
  const feed = new Feed(stream);
  const stop = stream.subscribe(feed);
  stream.command({ argv: ['SET', 'user:1', '{"a":1}', 'EX', '90061'] });
  stream.command({ argv: ['HSET', 'h', 'f1', 'v1', 'f2', 'v2'], reply: ':2\r\n' });
  stream.command({
    argv: ['XADD', 's', 'MAXLEN', '~', '1000', '*', 'f', 'v'],
    reply: '$3\r\n1-1\r\n',
  });
  stream.flush();
  stop();
  const look = makeLook('mono', 'none', true);
  const text = (index: number): string => {
    const row = feed.rows.row(index);
    assert.ok(row.kind === 'command');
    const facts = new Facts(feed).load(row.block.command(row.offset, feed.context));
    return decodedLines(facts, look, 80, null)
      .map((line) => line.replace(/\x1b\[\d*m/g, '').trimEnd())
      .join('\n');
  };
  assert.match(text(0), /\[1\] +key +6 B/);
  assert.match(text(0), /\[2\] +value +7 B +looks like JSON\n +\{\n +"a": 1\n +\}/);
  assert.match(text(0), /\[3\] +option .*\n.*\n \[4\] +seconds +5 B +1 d 1 h/);
  assert.match(
    text(1),
    /\[2\] +field [\s\S]*\[3\] +value [\s\S]*\[4\] +field [\s\S]*\[5\] +value /,
  );
  assert.match(text(1), /integer 2/);
  assert.match(text(2), /\[4\] +count [\s\S]*\[5\] +id [\s\S]*\[6\] +field [\s\S]*\[7\] +value /);
});
