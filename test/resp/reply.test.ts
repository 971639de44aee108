/** Bytes of a server → replies: every type, limits and protocol errors (mesh page, 1.2 to 1.4), and large replies in pieces. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { LAST_PIECE, MORE, PIECE, PIECE_BYTES, REPLY, ReplyReader } from '../../src/resp/reply.js';
import { LIMITS } from '../../src/resp/scan.js';
import { chunksOf } from '../helpers/arbitraries.js';
import { feedReplies } from '../helpers/feed.js';

/** The frames found, joined by `;`, and `failed` or nothing at the end. */
function read(
  text: string | Buffer,
  sizes: readonly number[] = [1 << 30],
  reader?: ReplyReader,
): string {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const { found, end } = feedReplies(chunksOf(bytes, sizes), false, reader);
  const frames = found.map((each) => each.bytes.toString('latin1'));
  if (end === 'failed') frames.push('failed');
  return frames.join(';').replaceAll('\r\n', ' ');
}

const nested = (depth: number): string => `${'*1\r\n'.repeat(depth)}:1\r\n`;
const attributes = (count: number): string => `${'|1\r\n+a\r\n:1\r\n'.repeat(count)}:7\r\n`;
/** Attributes that hold an array each: the array's end must not count as the end of the row. */
const richAttributes = (count: number): string =>
  `${'|1\r\n+a\r\n*1\r\n:1\r\n'.repeat(count)}:7\r\n`;

/** Values, one a row, that are RESP. */
const VALUES: readonly (readonly [name: string, bytes: string])[] = [
  ['a simple string', '+OK\r\n'],
  ['an empty simple string', '+\r\n'],
  ['an error', '-ERR no\r\n'],
  ['an integer', ':12\r\n'],
  ['a negative integer', ':-5\r\n'],
  ['the largest integer', ':9223372036854775807\r\n'],
  ['the smallest integer', ':-9223372036854775808\r\n'],
  ['an integer with leading zeros', ':00000000000000000000000000000005\r\n'],
  ['a bulk string', '$3\r\nabc\r\n'],
  ['an empty bulk string', '$0\r\n\r\n'],
  ['a bulk string that holds line ends', '$4\r\n\r\n\r\n\r\n'],
  ['a null bulk', '$-1\r\n'],
  ['an empty array', '*0\r\n'],
  ['an array of all RESP2 types', '*5\r\n+a\r\n-b\r\n:1\r\n$1\r\nc\r\n*1\r\n$-1\r\n'],
];
const RESP3_VALUES: readonly (readonly [name: string, bytes: string])[] = [
  ['a RESP3 null', '_\r\n'],
  ['true', '#t\r\n'],
  ['false', '#f\r\n'],
  ...[
    '0',
    '-0',
    '1.5',
    '10',
    '10.',
    '.5',
    '-1.5e-7',
    '1E300',
    '+3',
    'inf',
    '-inf',
    '+inf',
    'nan',
  ].map((text) => [`the double ${text}`, `,${text}\r\n`] as const),
  ['the longest double', `,${'1'.repeat(LIMITS.doubleBytes)}\r\n`],
  ['a big number', '(3492890328409238509324850943850943825024385\r\n'],
  ['a negative big number', '(-1\r\n'],
  ['the longest big number', `(${'1'.repeat(LIMITS.bigNumberBytes)}\r\n`],
  ['a blob error', '!5\r\nERR x\r\n'],
  ['a verbatim string', '=7\r\ntxt:abc\r\n'],
  ['an empty verbatim string', '=4\r\nmkd:\r\n'],
  ['a map', '%2\r\n+a\r\n:1\r\n+b\r\n%0\r\n'],
  ['a set', '~2\r\n:1\r\n:2\r\n'],
  ['a push', '>2\r\n+message\r\n+x\r\n'],
  ['an attribute before a value', '|1\r\n+ttl\r\n:3\r\n$1\r\nv\r\n'],
  ['an empty attribute before a value', '|0\r\n:1\r\n'],
  ['an attribute inside an array counts as no element', '*2\r\n|1\r\n+a\r\n:1\r\n:2\r\n:3\r\n'],
  ['an attribute inside an attribute', '|1\r\n+a\r\n|1\r\n+b\r\n:1\r\n:2\r\n:3\r\n'],
  ['32 attributes in a row', attributes(LIMITS.attributesInARow)],
  ['32 attributes that hold arrays', richAttributes(LIMITS.attributesInARow)],
  ['32 attributes before each of two elements', `*2\r\n${attributes(32)}${attributes(32)}`],
];

const BROKEN: readonly (readonly [name: string, bytes: string])[] = [
  ['an unknown type', '^1\r\n'],
  ['an unknown type, at once', 'HTTP/1.1 400'],
  ['a carriage return without a line feed', '+OK\rx'],
  ['an integer with a letter', ':1a\r\n'],
  ['an integer with a letter, at once', ':a'],
  ['an integer with a plus sign', ':+5\r\n'],
  ['an integer without digits', ':\r\n'],
  ['a minus without digits', ':-\r\n'],
  ['an integer above 64 bits', ':9223372036854775808\r\n'],
  ['an integer below 64 bits', ':-9223372036854775809\r\n'],
  ['an integer of 20 digits', ':10000000000000000000\r\n'],
  ['a length with a letter', '$a\r\n'],
  ['a negative length other than -1', '$-2\r\n'],
  ['a negative count other than -1', '*-2\r\n'],
  ['a bulk string longer than its length', '$3\r\nabcd\r\n'],
  ['a bulk string longer than its length, at once', '$3\r\nabcd'],
  ['a bulk string that ends in a line feed alone', '$3\r\nabc\n'],
  ['512 MiB and one byte', '$536870913\r\n'],
  ['2,000,001 elements', '*2000001\r\n'],
  [
    'more than 4,194,304 elements at all levels',
    `*3\r\n*1\r\n*1999999\r\n${':1\r\n'.repeat(1999999)}*2000000\r\n${''}*2000000\r\n`,
  ],
  ['33 levels', nested(LIMITS.depth + 1)],
];
const BROKEN_RESP3: readonly (readonly [name: string, bytes: string])[] = [
  ['a null with content', '_x\r\n'],
  ['a boolean that is neither', '#x\r\n'],
  ['an empty boolean', '#\r\n'],
  ['a long boolean', '#tt\r\n'],
  ['a double without digits', ',\r\n'],
  ['a double with two points', ',1.2.3\r\n'],
  ['a double with letters', ',abc\r\n'],
  ['infinity in capitals', ',INF\r\n'],
  ['a double of 65 bytes', `,${'1'.repeat(LIMITS.doubleBytes + 1)}\r\n`],
  ['a big number with a point', '(1.5\r\n'],
  ['a big number without digits', '(-\r\n'],
  ['a big number of over 16 KiB', `(${'1'.repeat(LIMITS.bigNumberBytes + 1)}\r\n`],
  ['a null blob error', '!-1\r\n'],
  ['a null verbatim string', '=-1\r\n'],
  ['a verbatim string without its format', '=3\r\ntxt\r\n'],
  ['a null map', '%-1\r\n'],
  ['a null set', '~-1\r\n'],
  ['a null push', '>-1\r\n'],
  ['a null attribute', '|-1\r\n:1\r\n'],
  ['a map of 2,000,001 pairs', '%2000001\r\n'],
  ['33 attributes in a row', attributes(LIMITS.attributesInARow + 1)],
  ['33 attributes that hold arrays', richAttributes(LIMITS.attributesInARow + 1)],
];

test.describe('values', () => {
  for (const [name, bytes] of [...VALUES, ...RESP3_VALUES]) {
    test(`${name} is one reply, passed on as it came`, () => {
      assert.equal(read(bytes), bytes.replaceAll('\r\n', ' '));
      assert.equal(
        read(`${bytes}+next\r\n`, [1]),
        `${bytes};+next\r\n`.replaceAll('\r\n', ' '),
        'byte by byte',
      );
    });
  }

  test('a null array goes on as a null bulk, wherever it stands', () => {
    assert.equal(read('*-1\r\n'), '$-1 ');
    assert.equal(read('*2\r\n*-1\r\n*1\r\n*-1\r\n', [1]), '*2 $-1 *1 $-1 ');
    assert.equal(read('%1\r\n+a\r\n*-1\r\n'), '%1 +a $-1 ');
  });

  test('says of what types a reply is made', () => {
    const seen = (bytes: string): string => {
      const [reply] = feedReplies([Buffer.from(bytes)]).found;
      return `${reply?.type}${reply?.resp3 ? ' resp3' : ''}${reply?.attribute ? ' attribute' : ''}`;
    };
    assert.equal(seen('+OK\r\n'), '+');
    assert.equal(seen('$1\r\na\r\n'), '$');
    assert.equal(seen('*1\r\n:1\r\n'), '*');
    assert.equal(seen('*1\r\n#t\r\n'), '* resp3');
    assert.equal(seen('_\r\n'), '_ resp3');
    assert.equal(seen('|1\r\n+a\r\n:1\r\n-ERR\r\n'), '| resp3 attribute');
    assert.equal(seen('*1\r\n|1\r\n+a\r\n:1\r\n:2\r\n'), '* resp3 attribute');
  });

  test('of one reply is forgotten at the next', () => {
    const { found } = feedReplies([Buffer.from('|1\r\n+a\r\n:1\r\n:2\r\n*1\r\n:1\r\n+OK\r\n')]);
    assert.deepEqual(
      found.map((each) => [each.resp3, each.attribute]),
      [
        [true, true],
        [false, false],
        [false, false],
      ],
    );
  });
});

test.describe('protocol errors', () => {
  for (const [name, bytes] of [...BROKEN, ...BROKEN_RESP3]) {
    test(`${name} is one`, () => {
      assert.equal(read(bytes), 'failed');
      if (bytes.length < 1000)
        assert.equal(read(`+OK\r\n${bytes}`, [1]), '+OK ;failed', 'byte by byte');
      assert.notEqual(feedReplies([Buffer.from(bytes, 'latin1')]).error, '');
    });
  }

  test('up to 1.39 every RESP3 type is one, as the whole of a reply and inside one', () => {
    for (const [name, bytes] of RESP3_VALUES) {
      const where = bytes.startsWith('*') ? [bytes] : [bytes, `*1\r\n${bytes}`];
      for (const each of where)
        assert.equal(read(each, [1 << 30], new ReplyReader(false)), 'failed', name);
    }
    assert.equal(read('_', [1], new ReplyReader(false)), 'failed', 'at once');
    for (const [name, bytes] of VALUES)
      assert.equal(
        read(bytes, [1 << 30], new ReplyReader(false)),
        bytes.replaceAll('\r\n', ' '),
        name,
      );
  });
});

test.describe('limits', () => {
  const atLimit: readonly (readonly [name: string, bytes: string, meaning: string])[] = [
    ['512 MiB may be claimed', '$536870912\r\n', ''],
    ['2,000,000 elements may be claimed', '*2000000\r\n', ''],
    ['32 levels are read', nested(LIMITS.depth), nested(LIMITS.depth)],
    [
      '32 levels of which the last is empty are read',
      `${'*1\r\n'.repeat(31)}*0\r\n`,
      `${'*1\r\n'.repeat(31)}*0\r\n`,
    ],
  ];
  for (const [name, bytes, meaning] of atLimit) {
    test(name, () => assert.equal(read(bytes), meaning.replaceAll('\r\n', ' ')));
  }

  test('4,194,304 elements at all levels are read, not one more', () => {
    const value = (more: number): Buffer =>
      Buffer.from(
        `*4\r\n*2000000\r\n${'_\r\n'.repeat(2000000)}*2000000\r\n${'_\r\n'.repeat(2000000)}*194300\r\n${'_\r\n'.repeat(194300)}${more === 0 ? '_\r\n' : '*1\r\n_\r\n'}`,
      );
    assert.equal(feedReplies([value(0)]).found.length, 1); // 4 + 2000000 + 2000000 + 194300 = 4194304
    assert.equal(feedReplies([value(1)]).end, 'failed');
  });

  test('pairs of a map count twice', () => {
    const value = (pairs: number): string =>
      `*2\r\n%2000000\r\n${'_\r\n'.repeat(4000000)}%${pairs}\r\n`;
    assert.equal(feedReplies([Buffer.from(value(97_151))]).end, 'more'); // 2 + 4000000 + 194302 = 4194304
    assert.equal(feedReplies([Buffer.from(value(97_152))]).end, 'failed');
  });

  test('a line may have 1 MiB, however it is cut', () => {
    const line = (length: number): Buffer => Buffer.from(`+${'a'.repeat(length - 1)}\r\n`);
    for (const sizes of [[1 << 30], [10_000]]) {
      assert.equal(feedReplies(chunksOf(line(LIMITS.lineBytes), sizes)).found.length, 1);
      assert.equal(feedReplies(chunksOf(line(LIMITS.lineBytes + 1), sizes)).end, 'failed');
    }
  });

  test('a line of 1 MiB that comes byte by byte is searched once', () => {
    const started = process.cpuUsage().user;
    assert.equal(
      feedReplies(chunksOf(Buffer.from(`*1\r\n-${'\n'.repeat(600_000)}\r\n`), [1])).found.length,
      1,
    );
    assert.ok(process.cpuUsage().user - started < 10e6, 'took over 10 s of processor time');
  });

  test('an integer of a million digits costs no more than reading it', () => {
    const started = process.cpuUsage().user;
    assert.equal(read(`:${'9'.repeat(1_000_000)}\r\n`), 'failed');
    assert.equal(feedReplies([Buffer.from(`:${'0'.repeat(1_000_000)}5\r\n`)]).found.length, 1);
    assert.ok(process.cpuUsage().user - started < 2e6, 'took over 2 s of processor time');
  });

  test('claims of a large size allocate nothing', () => {
    const heads = [
      '$536870912\r\nabc',
      '*2000000\r\n',
      '*1\r\n$536870912\r\n',
      '%2000000\r\n$536870912\r\na',
      '=536870912\r\ntxt:',
    ];
    const readers: ReplyReader[] = [];
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 500; i++) {
      const reader = new ReplyReader();
      feedReplies(chunksOf(Buffer.from(heads[i % heads.length] as string), [7]), false, reader);
      readers.push(reader);
    }
    const each = (process.memoryUsage().arrayBuffers - before) / readers.length;
    assert.ok(each < 16 * 1024, `${Math.round(each)} bytes a connection`);
    assert.ok(readers.every((reader) => reader.heldBytes < 32));
  });
});

test.describe('large replies', () => {
  const large = (bytes: number): Buffer => Buffer.from(`$${bytes}\r\n${'x'.repeat(bytes)}\r\n`);

  test('come in pieces where they may, of which nothing is held', () => {
    const { found, mostHeld } = feedReplies(chunksOf(large(1_000_000), [10_000]), true);
    assert.equal(found.length, 1);
    assert.equal(found[0]?.inPieces, true);
    assert.ok(found[0]?.bytes.equals(large(1_000_000)));
    assert.ok(mostHeld < PIECE_BYTES, `${mostHeld} bytes held`);
  });

  test('come whole where they may not', () => {
    const { found } = feedReplies(chunksOf(large(1_000_000), [10_000]), false);
    assert.equal(found[0]?.inPieces, false);
    assert.ok(found[0]?.bytes.equals(large(1_000_000)));
  });

  test('smaller ones come whole', () => {
    assert.equal(
      feedReplies(chunksOf(large(PIECE_BYTES - 20), [1000]), true).found[0]?.inPieces,
      false,
    );
    assert.equal(
      feedReplies(chunksOf(large(PIECE_BYTES + 2000), [1000]), true).found[0]?.inPieces,
      true,
    );
  });

  test('that are already whole in one chunk come whole', () => {
    assert.equal(feedReplies([large(200_000)], true).found[0]?.inPieces, false);
  });

  for (const [what, head] of [
    ['an error', '-'],
    ['a simple string', '+'],
    ['a push', '>1\r\n+'],
    ['a value behind an attribute', '|1\r\n+a\r\n:1\r\n+'],
  ] as const) {
    test(`${what} comes whole however large`, () => {
      const bytes = Buffer.from(`${head}${'e'.repeat(300_000)}\r\n`);
      const { found } = feedReplies(chunksOf(bytes, [10_000]), true);
      assert.deepEqual(
        found.map((each) => [each.inPieces, each.bytes.equals(bytes)]),
        [[false, true]],
      );
    });
  }

  test('an array of many small values comes in pieces, its null arrays changed', () => {
    const bytes = Buffer.from(`*100000\r\n${'*-1\r\n'.repeat(100_000)}`);
    const { found } = feedReplies(chunksOf(bytes, [9_999]), true);
    assert.deepEqual(
      found.map((each) => each.inPieces),
      [true],
    );
    assert.equal(found[0]?.bytes.toString(), `*100000\r\n${'$-1\r\n'.repeat(100_000)}`);
  });

  test('the reader may be asked differently for each reply', () => {
    const reader = new ReplyReader();
    const bytes = Buffer.concat([large(100_000), large(200_000), Buffer.from('+OK\r\n')]);
    const outcomes: number[] = [];
    for (const chunk of chunksOf(bytes, [70_000])) {
      reader.push(chunk);
      for (;;) {
        const outcome = reader.next(outcomes.includes(REPLY));
        if (outcome === MORE) break;
        outcomes.push(outcome);
      }
    }
    assert.deepEqual(outcomes, [REPLY, PIECE, PIECE, LAST_PIECE, REPLY]);
  });

  test('leave no large buffer behind', () => {
    const reader = new ReplyReader();
    const before = process.memoryUsage().arrayBuffers;
    // The next reply is always cut, so the reader never has nothing to hold.
    const bytes = Buffer.concat([
      large(20_000_000),
      ...Array.from({ length: 50 }, () => Buffer.from('$3\r\nabc\r\n')),
    ]);
    feedReplies(chunksOf(bytes.subarray(0, 20_000_017), [65_536]), false, reader);
    feedReplies(chunksOf(bytes.subarray(20_000_017, -3), [7]), false, reader);
    assert.ok(
      reader.buf.length < 2_000_000,
      `${reader.buf.length} bytes kept for ${reader.heldBytes}`,
    );
    assert.ok(process.memoryUsage().arrayBuffers - before < 200_000_000);
  });
});
