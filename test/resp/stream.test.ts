/** Streams cut anywhere: the parsers agree with the plain twin on any input, valid or hostile, and hold no more than they must. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { encodeRequest } from '../../src/resp/encode.js';
import { ReplyReader } from '../../src/resp/reply.js';
import { LARGE, LARGE_BYTES, MORE, REQUEST, RequestParser } from '../../src/resp/request.js';
import { decodeReply } from '../../src/resp/value.js';
import { anyArgv, anyReply, chunksOf, cuts, hostile } from '../helpers/arbitraries.js';
import { holds } from '../helpers/check.js';
import { feedReplies, feedRequests } from '../helpers/feed.js';
import { oneNull, plainReplies, plainRequests, wire } from '../helpers/plain-resp.js';

test.describe('replies', () => {
  test('any values, cut anywhere, come out as the same frames', () => {
    holds(
      fc.property(
        fc.array(anyReply, { maxLength: 6 }),
        cuts,
        fc.boolean(),
        (values, sizes, mayPiece) => {
          const { found, end } = feedReplies(
            chunksOf(Buffer.concat(values.map(wire)), sizes),
            mayPiece,
          );
          assert.equal(end, 'more');
          assert.deepEqual(
            found.map((each) => each.bytes.toString('latin1')),
            values.map((value) => wire(oneNull(value)).toString('latin1')),
          );
        },
      ),
      1500,
    );
  });

  test('large ones in pieces are the same bytes, small ones between them too', () => {
    const large = fc
      .tuple(fc.integer({ min: 0, max: 300_000 }), fc.constantFrom('$', '*', '%', '=', '+'))
      .map(([size, type]) => {
        const body = Buffer.alloc(size, 'abc\n');
        if (type === '$' || type === '=')
          return wire({ type, value: Buffer.concat([Buffer.from('txt:'), body]) });
        if (type === '+') return Buffer.from('+OK\r\n');
        const items = body.subarray(0, 20_000);
        if (type === '*')
          return Buffer.concat([
            Buffer.from(`*${items.length}\r\n`),
            ...[...items].map((byte) => Buffer.from(`:${byte}\r\n`)),
          ]);
        return Buffer.concat([
          Buffer.from(`%${items.length}\r\n`),
          ...[...items].map((byte) => Buffer.from(`:${byte}\r\n_\r\n`)),
        ]);
      });
    holds(
      fc.property(
        fc.array(large, { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 65_536 }), { minLength: 1, maxLength: 4 }),
        (frames, sizes) => {
          for (const mayPiece of [true, false]) {
            const { found, end, mostHeld } = feedReplies(
              chunksOf(
                Buffer.concat(frames),
                sizes.map((size) => size + 500),
              ),
              mayPiece,
            );
            assert.equal(end, 'more');
            assert.deepEqual(
              found.map((each) => each.bytes.length),
              frames.map((frame) => frame.length),
            );
            assert.ok(found.every((each, i) => each.bytes.equals(frames[i] as Buffer)));
            if (mayPiece) assert.ok(mostHeld < 128 * 1024, `${mostHeld} bytes held`);
            else assert.ok(found.every((each) => !each.inPieces));
          }
        },
      ),
      60,
    );
  });

  test('a value is decoded as what it was, and not before it is whole', () => {
    holds(
      fc.property(anyReply, fc.nat(), (value, cut) => {
        const bytes = wire(value);
        assert.deepEqual(decodeReply(bytes), value);
        assert.equal(decodeReply(bytes, 0, cut % bytes.length), null);
        const inside = Buffer.concat([Buffer.from('$1'), bytes, Buffer.from('\r\n')]);
        assert.deepEqual(decodeReply(inside, 2), value);
      }),
      1000,
    );
  });

  test('hostile bytes: the reader finds what the plain twin finds, holds no more than came, and ends', () => {
    for (const resp3 of [true, false]) {
      holds(
        fc.property(hostile, cuts, fc.boolean(), (bytes, sizes, mayPiece) => {
          const plain = plainReplies(bytes, resp3);
          const { found, end, mostHeld } = feedReplies(
            chunksOf(bytes, sizes),
            mayPiece,
            new ReplyReader(resp3),
          );
          assert.equal(end, plain.end);
          assert.deepEqual(
            found.map((each) => each.bytes.length),
            plain.found.map((each) => each.length),
          );
          assert.deepEqual(
            found.map((each) => decodeReply(each.bytes)),
            plain.found.map((each) => each.value),
          );
          assert.ok(mostHeld <= bytes.length);
        }),
        2500,
      );
    }
  });
});

/** A request as it may be spelled: an array, or an inline command where quotes are used when needed or at random. */
const spelled = fc
  .tuple(anyArgv, fc.boolean(), fc.constantFrom(' ', '\t', '  ', '\n '))
  .map(([argv, inline, space]) => {
    if (!inline) return { argv, bytes: encodeRequest(argv), inline };
    const words = argv.map(
      (arg) => `"${[...arg].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`,
    );
    return { argv, bytes: Buffer.from(`${words.join(space)}\r\n`), inline };
  });

test.describe('requests', () => {
  test('any pipeline of arrays and inline commands, cut anywhere, gives the same arguments', () => {
    holds(
      fc.property(fc.array(spelled, { maxLength: 6 }), cuts, (requests, sizes) => {
        const { found, end } = feedRequests(
          chunksOf(Buffer.concat(requests.map((each) => each.bytes)), sizes),
        );
        assert.equal(end, 'more');
        assert.deepEqual(
          found.map((each) => (each.kind === 'request' ? each.argv : each.kind)),
          requests.map((each) => each.argv),
        );
        for (const [i, each] of found.entries()) {
          const { bytes, inline, argv } = requests[i] as (typeof requests)[number];
          assert.deepEqual(
            each.kind === 'request' && each.bytes,
            inline ? encodeRequest(argv) : bytes,
          );
        }
      }),
      1500,
    );
  });

  const size = fc.oneof(
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: LARGE_BYTES - 2, max: LARGE_BYTES + 2 }),
    fc.constant(2 * LARGE_BYTES),
  );
  const argvOfSizes = fc
    .array(size, { minLength: 1, maxLength: 5 })
    .map((sizes) => sizes.map((length, i) => Buffer.alloc(length, `${i}\r\n$`)));

  test('large arguments, taken whole or in pieces, are the same bytes', () => {
    holds(
      fc.property(
        fc.array(argvOfSizes, { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 3, max: 200_000 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (requests, sizes, inPieces) => {
          const frames = requests.map(encodeRequest);
          const { found, end, mostHeld } = feedRequests(
            chunksOf(
              Buffer.concat(frames),
              sizes.map((each) => each + 500),
            ),
            inPieces,
          );
          assert.equal(end, 'more');
          assert.equal(found.length, requests.length);
          for (const [i, each] of found.entries()) {
            const argv = requests[i] as Buffer[];
            assert.ok(
              each.kind !== 'invalid' && each.bytes.equals(frames[i] as Buffer),
              'the bytes of the request',
            );
            if (each.kind === 'request')
              assert.ok(
                each.argv.every((arg, k) => arg.equals(argv[k] as Buffer)),
                'its arguments',
              );
            else {
              const large = argv.findIndex((arg) => arg.length >= LARGE_BYTES);
              assert.ok(
                large >= each.known.length - 1 &&
                  each.known.every((arg, k) => arg.equals(argv[k] as Buffer)),
                'those known at its start',
              );
              assert.ok(
                (argv[each.known.length] as Buffer).length >= LARGE_BYTES,
                'the large one comes after those known',
              );
            }
          }
          // Arguments below LARGE_BYTES are waited for; what comes from the first large one on is not held.
          const waitedFor = requests.map((argv) =>
            argv.reduce((sum, arg) => sum + (arg.length < LARGE_BYTES ? arg.length : 0), 0),
          );
          if (inPieces)
            assert.ok(
              mostHeld < Math.max(...waitedFor) + LARGE_BYTES + 1000,
              `${mostHeld} bytes held`,
            );
        },
      ),
      80,
    );
  });

  test('pieces name their argument, and those of later ones start with their length', () => {
    const parser = new RequestParser();
    const bytes = encodeRequest(['SET', 'k', Buffer.alloc(LARGE_BYTES + 10, 'v'), 'EX', '60']);
    const cut = bytes.length - 20; // in the large argument
    const { found } = feedRequests(
      [bytes.subarray(0, 1000), bytes.subarray(1000, cut), bytes.subarray(cut)],
      true,
      parser,
    );
    const [only] = found;
    assert.ok(only?.kind === 'pieces');
    assert.deepEqual(only.known.map(String), ['SET', 'k']);
    assert.deepEqual(only.pieceArgs, [2, 2, 2, 3, 4]);
  });

  test('a request in pieces may be cut at any byte, also between two of its arguments', () => {
    const bytes = encodeRequest(['SET', 'k', Buffer.alloc(LARGE_BYTES, 'v'), 'EX', '60', '']);
    for (let cut = bytes.length - 40; cut < bytes.length; cut++) {
      for (const second of [cut + 1, cut + 7]) {
        const chunks = [
          bytes.subarray(0, 100), // in the large argument: it is offered
          bytes.subarray(100, cut),
          bytes.subarray(cut, second),
          bytes.subarray(second),
        ];
        const { found, end } = feedRequests(
          chunks.filter((chunk) => chunk.length > 0),
          true,
        );
        const [only] = found;
        assert.deepEqual([end, found.length, only?.kind], ['more', 1, 'pieces'], `cut at ${cut}`);
        assert.ok(only?.kind === 'pieces' && only.bytes.equals(bytes));
      }
    }
  });

  test('an offer stands while more of the request comes', () => {
    for (const accepted of [true, false]) {
      const bytes = encodeRequest(['SET', 'key', Buffer.alloc(LARGE_BYTES, 'v'), 'EX']);
      const parser = new RequestParser();
      parser.push(encodeRequest(['PING']));
      assert.equal(parser.next(), REQUEST);
      parser.push(bytes.subarray(0, 100));
      assert.equal(parser.next(), LARGE);
      for (const chunk of [
        bytes.subarray(100, 5000),
        bytes.subarray(5000, 70_000),
        bytes.subarray(70_000),
      ]) {
        parser.push(chunk);
        const key = parser.frame.subarray(parser.argStart[1], parser.argEnd[1]).toString();
        assert.deepEqual([key, parser.argc, parser.args], ['key', 4, 3]);
      }
      if (accepted) parser.inPieces();
      const pieces: Buffer[] = [];
      for (let outcome = parser.next(); outcome !== MORE; outcome = parser.next()) {
        pieces.push(Buffer.from(parser.frame.subarray(parser.start, parser.end)));
        assert.equal(outcome === REQUEST, !accepted);
      }
      assert.ok(Buffer.concat(pieces).equals(bytes));
    }
  });

  test('after LARGE is declined the request comes whole, and is not offered again', () => {
    const bytes = encodeRequest(['SET', Buffer.alloc(LARGE_BYTES), Buffer.alloc(LARGE_BYTES)]);
    const { found } = feedRequests(chunksOf(bytes, [5000]));
    assert.equal(found.length, 1);
    assert.equal(found[0]?.kind === 'request' && found[0].bytes.equals(bytes), true);
  });

  for (const [what, tail] of [
    ['a large argument that is longer than its length', 'xx\r\n'],
    ['an integer after a large argument', '\r\n:1\r\n'],
    ['a null after a large argument', '\r\n$-1\r\n'],
    ['a length with a letter after a large argument', '\r\n$x\r\n'],
    ['a length of over 512 MiB after a large argument', '\r\n$536870913\r\n'],
    ['a later argument that is longer than its length', '\r\n$1\r\nab\r\n'],
  ] as const) {
    test(`${what} fails a request in pieces`, () => {
      const head = Buffer.concat([
        Buffer.from(`*3\r\n$3\r\nSET\r\n$${LARGE_BYTES}\r\n`),
        Buffer.alloc(LARGE_BYTES),
      ]);
      assert.equal(
        feedRequests([head.subarray(0, 500), head.subarray(500), Buffer.from(tail)], true).end,
        'failed',
      );
    });
  }

  test('hostile bytes: the parser finds what the plain twin finds, holds no more than came, and ends', () => {
    for (const resp3 of [true, false]) {
      holds(
        fc.property(hostile, cuts, (bytes, sizes) => {
          const plain = plainRequests(bytes, resp3);
          const { found, end, mostHeld } = feedRequests(
            chunksOf(Buffer.from(bytes), sizes),
            false,
            new RequestParser(resp3),
          );
          assert.equal(end, plain.end);
          assert.deepEqual(
            found.map((each) => (each.kind === 'request' ? each.argv : each.kind)),
            plain.found.map((each) => (each.kind === 'request' ? each.argv : each.kind)),
          );
          assert.ok(mostHeld <= bytes.length);
        }),
        2500,
      );
    }
  });

  test('an inline command of 64 KiB that comes byte by byte is searched once, whatever is in it', () => {
    const started = process.cpuUsage().user;
    for (const filler of ['a', '\r', '\n']) {
      const line = Buffer.from(`PING ${filler.repeat(60_000)}\r\n`);
      assert.equal(feedRequests(chunksOf(line, [1])).found.length, 1);
    }
    assert.ok(process.cpuUsage().user - started < 5e6, 'took over 5 s of processor time');
  });
});
