/** Random RESP: values of every type, requests, and ways to cut a stream of bytes into chunks. */
import fc from 'fast-check';
import { encodeRequest } from '../../src/resp/encode.js';
import type { Reply } from '../../src/resp/value.js';
import { wire } from './plain-resp.js';

/** Any bytes at all, often those RESP is made of. */
export const bytes: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
  fc
    .string({ unit: fc.constantFrom(...'\r\n$*+-:_#,(!=%~>|01a"\' '), maxLength: 12 })
    .map((text) => Buffer.from(text)),
);

/** What a simple string may hold: no CR, no LF. */
const lineBytes = bytes.map((value) =>
  Buffer.from(value.filter((byte) => byte !== 0x0d && byte !== 0x0a)),
);

const integer = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.integer(),
    fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n)),
  )
  .map(String);

const double = fc.oneof(
  fc.constantFrom('inf', '-inf', 'nan', '0', '-0', '1e300', '-1.5E-7', '3.14', '.5', '10.'),
  fc.integer().map(String),
);

const leaf: fc.Arbitrary<Reply> = fc.oneof(
  fc
    .tuple(fc.constantFrom('+' as const, '-' as const), lineBytes)
    .map(([type, value]) => ({ type, value })),
  fc
    .tuple(fc.constantFrom('$' as const, '!' as const), bytes)
    .map(([type, value]) => ({ type, value })),
  bytes.map((value) => ({
    type: '=' as const,
    value: Buffer.concat([Buffer.from('txt:'), value]),
  })),
  integer.map((value) => ({ type: ':' as const, value })),
  double.map((value) => ({ type: ',' as const, value })),
  fc.bigInt().map((value) => ({ type: '(' as const, value: String(value) })),
  fc
    .constantFrom('$' as const, '*' as const, '_' as const)
    .map((spelling) => ({ type: 'null' as const, spelling })),
  fc.boolean().map((value) => ({ type: '#' as const, value })),
);

const { tree } = fc.letrec<{ tree: Reply }>((tie) => {
  const items = fc.array(tie('tree'), { maxLength: 5 });
  const pairs = fc.array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 3 });
  return {
    tree: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      leaf,
      fc
        .tuple(fc.constantFrom('*' as const, '~' as const, '>' as const), items)
        .map(([type, all]) => ({ type, items: all })),
      pairs.map((all) => ({ type: '%' as const, pairs: all })),
      fc.tuple(pairs, tie('tree')).map(([all, of]) => ({ type: '|' as const, pairs: all, of })),
    ),
  };
});

/** A value of any RESP2 or RESP3 type, nested, with any bytes in it. */
export const anyReply: fc.Arbitrary<Reply> = tree;

/** A request's arguments: at least one, of any bytes. */
export const anyArgv: fc.Arbitrary<Buffer[]> = fc.array(bytes, { minLength: 1, maxLength: 6 });

/** Where to cut a stream: sizes of chunks, used again from the first when they are all used. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([1]),
  fc.constant([100_000]),
  fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
  fc.array(fc.constantFrom(1, 2, 3, 1000, 65_536), { minLength: 1, maxLength: 10 }),
);

/** `bytes` in chunks of those sizes. */
export function chunksOf(all: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < all.length; i++) {
    const size = sizes[i % sizes.length] as number;
    chunks.push(all.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const TOKENS = [
  '*',
  '$',
  '+',
  '-',
  ':',
  '_',
  '#',
  ',',
  '(',
  '!',
  '=',
  '%',
  '~',
  '>',
  '|',
  '\r\n',
  '\r',
  '\n',
  '0',
  '1',
  '2',
  '3',
  '-1',
  '12',
  '*1\r\n',
  '*2\r\n',
  '$3\r\nabc\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*0\r\n',
  '|1\r\n',
  '%1\r\n',
  '=7\r\ntxt:abc\r\n',
  ':9223372036854775808\r\n',
  '$536870912\r\n',
  '$536870913\r\n',
  '*2000000\r\n',
  '*2000001\r\n',
  '%2000000\r\n',
  'GET k\r\n',
  '"a\\x41" \'b\'\r\n',
  '"',
  "'",
  '^',
  '\x00',
  '\xff',
  '#t\r\n',
  ',1.5\r\n',
  '(12\r\n',
  '_\r\n',
];

/** Bytes that mean harm: noise, tokens of RESP in any order, valid streams with a few bytes changed, left out or put in. */
export const hostile: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  fc
    .array(fc.constantFrom(...TOKENS), { maxLength: 25 })
    .map((tokens) => Buffer.from(tokens.join(''), 'latin1')),
  fc
    .tuple(
      fc.array(
        fc.oneof(
          anyReply.map((reply) => wire(reply)),
          anyArgv.map(encodeRequest),
        ),
        { minLength: 1, maxLength: 5 },
      ),
      fc.array(
        fc.tuple(
          fc.nat(),
          fc.constantFrom('change', 'drop', 'insert'),
          fc.constantFrom(...'\r\n$*:-+%|~>_0129a"'),
        ),
        {
          maxLength: 4,
        },
      ),
    )
    .map(([stream, edits]) => {
      const text = [...Buffer.concat(stream).toString('latin1')];
      for (const [at, how, char] of edits) {
        text.splice(
          at % (text.length + 1),
          how === 'insert' ? 0 : 1,
          ...(how === 'drop' ? [] : [char]),
        );
      }
      return Buffer.from(text.join(''), 'latin1');
    }),
);
