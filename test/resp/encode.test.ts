/** Values → bytes: what Envoy makes of RESP3 for a RESP2 client (mesh page, 1.2), and the replies of our own. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  encodeArrayHead,
  encodeBulk,
  encodeError,
  encodeInteger,
  encodeNull,
  encodeReply,
  encodeRequest,
} from '../../src/resp/encode.js';
import { decodeReply, isError, type Reply, textOf } from '../../src/resp/value.js';
import { anyReply } from '../helpers/arbitraries.js';
import { holds } from '../helpers/check.js';
import { plainReplies, wire } from '../helpers/plain-resp.js';

function convert(bytes: string, resp: 2 | 3): string {
  const reply = decodeReply(Buffer.from(bytes, 'latin1'));
  assert.ok(reply !== null);
  return encodeReply(reply, resp).toString('latin1');
}

/** A RESP3 value, what a RESP2 client gets of it, and what a RESP3 client gets (the same as it was, where nothing is said). */
const ROWS: readonly (readonly [rule: string, bytes: string, resp2: string, resp3?: string])[] = [
  ['true', '#t\r\n', ':1\r\n'],
  ['false', '#f\r\n', ':0\r\n'],
  ['a double keeps its text', ',3.140\r\n', '$5\r\n3.140\r\n'],
  ['an infinite double keeps its text', ',-inf\r\n', '$4\r\n-inf\r\n'],
  [
    'a big number keeps its text',
    '(-12345678901234567890123\r\n',
    '$24\r\n-12345678901234567890123\r\n',
  ],
  ['a blob error is a simple error', '!9\r\nERR no no\r\n', '-ERR no no\r\n'],
  [
    'control bytes of a blob error become spaces, one each',
    '!7\r\na\r\nb\x00\x7f\x1f\r\n',
    '-a  b   \r\n',
  ],
  ['bytes above 0x7f of a blob error stay', '!2\r\n\x80\xff\r\n', '-\x80\xff\r\n'],
  ['a verbatim string loses its format', '=8\r\ntxt:a\r\nb\r\n', '$4\r\na\r\nb\r\n'],
  ['an empty verbatim string', '=4\r\nmkd:\r\n', '$0\r\n\r\n'],
  [
    'a map of N pairs is an array of 2N',
    '%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n',
    '*4\r\n+a\r\n:1\r\n+b\r\n:2\r\n',
  ],
  ['an empty map', '%0\r\n', '*0\r\n'],
  ['a set is an array', '~2\r\n:1\r\n:2\r\n', '*2\r\n:1\r\n:2\r\n'],
  ['a push is an array', '>2\r\n+message\r\n+x\r\n', '*2\r\n+message\r\n+x\r\n'],
  ['a null', '_\r\n', '$-1\r\n'],
  ['a null bulk', '$-1\r\n', '$-1\r\n', '_\r\n'],
  ['a null array', '*-1\r\n', '$-1\r\n', '_\r\n'],
  [
    'attributes are dropped on both',
    '|1\r\n+ttl\r\n:3\r\n$1\r\nv\r\n',
    '$1\r\nv\r\n',
    '$1\r\nv\r\n',
  ],
  [
    'attributes inside a value are dropped, its count stays',
    '*2\r\n|1\r\n+a\r\n:1\r\n:2\r\n:3\r\n',
    '*2\r\n:2\r\n:3\r\n',
    '*2\r\n:2\r\n:3\r\n',
  ],
  [
    'values inside values',
    '%1\r\n~1\r\n#t\r\n*2\r\n_\r\n%1\r\n,1\r\n(2\r\n',
    '*2\r\n*1\r\n:1\r\n*2\r\n$-1\r\n*2\r\n$1\r\n1\r\n$1\r\n2\r\n',
  ],
  [
    'RESP2 values stay as they are',
    '*5\r\n+a\r\n-b\r\n:-0\r\n$1\r\nc\r\n*0\r\n',
    '*5\r\n+a\r\n-b\r\n:-0\r\n$1\r\nc\r\n*0\r\n',
  ],
  [
    'a RESP2 array is never made a map',
    '*2\r\n+a\r\n:1\r\n',
    '*2\r\n+a\r\n:1\r\n',
    '*2\r\n+a\r\n:1\r\n',
  ],
];

test.describe('conversions', () => {
  for (const [rule, bytes, resp2, resp3 = bytes] of ROWS) {
    test(rule, () => {
      assert.equal(convert(bytes, 2), resp2);
      assert.equal(convert(bytes, 3), resp3);
    });
  }

  test('what is written for RESP2 has no RESP3 type in it', () => {
    holds(
      fc.property(anyReply, (value) => {
        const bytes = encodeReply(value, 2);
        const plain = plainReplies(bytes, false);
        assert.deepEqual([plain.found.length, plain.end], [1, 'more'], bytes.toString('latin1'));
      }),
      800,
    );
  });

  test('what is written for RESP3 is the value without its attributes', () => {
    const bare = (value: Reply): Reply => {
      switch (value.type) {
        case '|':
          return bare(value.of);
        case 'null':
          return { type: 'null', spelling: '_' };
        case '%':
          return { ...value, pairs: value.pairs.map(([key, item]) => [bare(key), bare(item)]) };
        case '*':
        case '~':
        case '>':
          return { ...value, items: value.items.map(bare) };
        default:
          return value;
      }
    };
    holds(
      fc.property(anyReply, (value) =>
        assert.equal(
          encodeReply(value, 3).toString('latin1'),
          wire(bare(value)).toString('latin1'),
        ),
      ),
      800,
    );
  });
});

test.describe('replies of our own', () => {
  test('are what RESP says', () => {
    assert.equal(encodeError('no upstream host').toString(), '-no upstream host\r\n');
    assert.equal(encodeInteger(-3).toString(), ':-3\r\n');
    assert.equal(encodeInteger(2n ** 63n - 1n).toString(), ':9223372036854775807\r\n');
    assert.equal(encodeBulk('ä').toString(), '$2\r\nä\r\n');
    assert.equal(encodeBulk(Buffer.from([0, 255])).toString('latin1'), '$2\r\n\x00\xff\r\n');
    assert.equal(encodeArrayHead(3).toString(), '*3\r\n');
    assert.equal(encodeNull(2).toString(), '$-1\r\n');
    assert.equal(encodeNull(3).toString(), '_\r\n');
    assert.equal(
      encodeRequest(['GET', Buffer.from([255]), '']).toString('latin1'),
      '*3\r\n$3\r\nGET\r\n$1\r\n\xff\r\n$0\r\n\r\n',
    );
  });

  test('an error that echoes a line end stays one line', () => {
    assert.equal(
      encodeError("ERR unknown command 'a\r\n+OK\r\n'").toString(),
      "-ERR unknown command 'a  +OK  '\r\n",
    );
  });

  test('an error echoes bytes as they came', () => {
    assert.deepEqual([...encodeError('\xe4\xff').subarray(1, 3)], [0xe4, 0xff]);
  });
});

test('which replies are errors, and which have a text', () => {
  const seen = (bytes: string): [boolean, string | undefined] => {
    const reply = decodeReply(Buffer.from(bytes)) as Reply;
    return [isError(reply), textOf(reply)?.toString()];
  };
  assert.deepEqual(seen('-ERR\r\n'), [true, undefined]);
  assert.deepEqual(seen('!3\r\nERR\r\n'), [true, undefined]);
  assert.deepEqual(seen('+OK\r\n'), [false, 'OK']);
  assert.deepEqual(seen('$1\r\na\r\n'), [false, 'a']);
  assert.deepEqual(seen('=5\r\ntxt:a\r\n'), [false, 'a']);
  assert.deepEqual(seen('$-1\r\n'), [false, undefined]);
  assert.deepEqual(seen(':1\r\n'), [false, undefined]);
});
