/** Bytes of a client → requests: Envoy's rules for inline commands, shapes, limits and protocol errors (mesh page, 1.1 to 1.4). */
import assert from 'node:assert/strict';
import test from 'node:test';
import { MORE, REQUEST, RequestParser } from '../../src/resp/request.js';
import { LIMITS } from '../../src/resp/scan.js';
import { chunksOf } from '../helpers/arbitraries.js';
import { feedRequests } from '../helpers/feed.js';

/** What the bytes mean, in words: arguments joined by `|` in brackets, `invalid`, `failed`; `…` for bytes that wait for more. */
function read(
  text: string | Buffer,
  sizes: readonly number[] = [1 << 30],
  parser?: RequestParser,
): string {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const { found, end } = feedRequests(chunksOf(bytes, sizes), false, parser);
  const words = found.map((each) =>
    each.kind === 'request'
      ? `[${each.argv.map((arg) => arg.toString('latin1')).join('|')}]`
      : each.kind,
  );
  if (end === 'failed') words.push('failed');
  return words.join(' ');
}

type Row = readonly [rule: string, input: string, meaning: string];

function table(rows: readonly Row[]): void {
  for (const [rule, input, meaning] of rows) {
    test(rule, () => {
      assert.equal(read(input), meaning);
      assert.equal(read(input, [1]), meaning, 'byte by byte');
    });
  }
}

test.describe('inline commands', () => {
  table([
    ['words are separated by any run of white space', 'SET \t k\v\f  v\r\n', '[SET|k|v]'],
    ['white space before and after the words is ignored', '  \tGET k  \r\n', '[GET|k]'],
    ['a bare line feed is white space and does not end the line', 'GET\nk\r\n', '[GET|k]'],
    ['a bare carriage return is white space and does not end the line', 'GET\rk\r\n', '[GET|k]'],
    ['a line may start with a line feed', '\nPING\r\n', '[PING]'],
    ['a line may start with a digit', '1 2\r\n', '[1|2]'],
    ['a line may start with either quote', '"GET" k\r\n\'GET\' k\r\n', '[GET|k] [GET|k]'],
    ['escapes of double quotes', '"\\\\\\"\\n\\r\\t\\b\\a"\r\n', '[\\"\n\r\t\b\x07]'],
    ['\\xHH in double quotes is a byte', '"\\x00\\xfF\\x41"\r\n', '[\x00\xffA]'],
    ['any other escaped character stands for itself', '"\\q\\\'\\ "\r\n', "[q' ]"],
    ['a malformed \\x keeps its letters', '"\\xyu\\c\\x0"\r\n', '[xyucx0]'],
    ['a malformed \\x at the closing quote keeps its letters', '"\\x4"\r\n"\\x"\r\n', '[x4] [x]'],
    ['in single quotes only the quote is an escape', "'a\\'b'\r\n", "[a'b]"],
    ['in single quotes every other backslash is literal', "'\\x01\\n\\\\ '\r\n", '[\\x01\\n\\\\ ]'],
    [
      'quotes may hold white space, line feeds and the other quote',
      '"a b\n\'" \'c d\r"\'\r\n',
      '[a b\n\'|c d\r"]',
    ],
    ['empty quotes are an empty argument', 'SET "" \'\'\r\n', '[SET||]'],
    ['a quote inside a bare word is a protocol error', 'GET a"b"\r\n', 'failed'],
    ['a single quote inside a bare word is a protocol error', "GET it's\r\n", 'failed'],
    ['text glued to a closing quote is a protocol error', 'GET "a"b\r\n', 'failed'],
    ['a quote glued to a closing quote is a protocol error', 'GET "a""b"\r\n', 'failed'],
    ['an unbalanced double quote is a protocol error', 'GET "a\r\n', 'failed'],
    ['an unbalanced single quote is a protocol error', "GET 'a\r\n", 'failed'],
    ['an escaped quote closes nothing', 'GET "a\\"\r\n', 'failed'],
    ['a backslash at the end of the line closes nothing', 'GET "a\\\r\n', 'failed'],
    ['an empty line is an invalid request', '\r\n', 'invalid'],
    ['a line of white space is an invalid request', ' \t\n \r\n', 'invalid'],
    ['after an empty line the connection goes on', '\r\nPING\r\n', 'invalid [PING]'],
    [
      'inline and RESP requests may be mixed',
      'GET a\r\n*1\r\n$4\r\nPING\r\nGET b\r\n',
      '[GET|a] [PING] [GET|b]',
    ],
    [
      'what came before broken quoting is still there',
      'GET a\r\nGET "\r\nGET b\r\n',
      '[GET|a] failed',
    ],
    ['bytes above 0x7f are part of a word', 'GET \xe4\xff\r\n', '[GET|\xe4\xff]'],
    ['NUL is part of a word', 'GET a\x00b\r\n', '[GET|a\x00b]'],
    ['a line without its end waits', 'GET a\r', ''],
  ]);

  test('every byte that may start one does, and no other', () => {
    const starters = [...Array(256).keys()].filter((byte) => {
      const outcome = read(
        Buffer.concat([
          Buffer.from([byte]),
          Buffer.from(byte === 0x22 || byte === 0x27 ? ' ' : 'x'),
          Buffer.from([byte]),
          Buffer.from('\r\n'),
        ]),
      );
      return outcome.startsWith('[');
    });
    const expected = [
      ...'\t\n\v\f\r "\'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    ].map((char) => char.charCodeAt(0));
    assert.deepEqual(starters, expected);
  });

  test('goes upstream as an array of bulk strings', () => {
    const { found } = feedRequests([Buffer.from('set "a b" \'\'\r\n')]);
    assert.equal(
      found[0]?.kind === 'request' && found[0].bytes.toString(),
      '*3\r\n$3\r\nset\r\n$3\r\na b\r\n$0\r\n\r\n',
    );
  });

  test('64 KiB is the longest line, however it is cut', () => {
    const line = (length: number): Buffer => Buffer.from(`${'a'.repeat(length)}\r\n`);
    for (const sizes of [[1 << 30], [1000], [65_536]]) {
      assert.match(read(line(LIMITS.inlineBytes), sizes), /^\[a+\]$/);
      assert.equal(read(line(LIMITS.inlineBytes + 1), sizes), 'failed');
    }
  });

  test('a line that never ends is refused once it is too long, and not before', () => {
    assert.equal(read(Buffer.alloc(LIMITS.inlineBytes, 'a'), [999]), '');
    assert.equal(read(Buffer.alloc(LIMITS.inlineBytes + 1, 'a'), [999]), 'failed');
  });
});

test.describe('shapes of a request', () => {
  table([
    ['an array of bulk strings is a request', '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n', '[GET|k]'],
    [
      'bulk strings may be empty and hold anything',
      '*3\r\n$0\r\n\r\n$2\r\n\r\n\r\n$3\r\n\x00\xff*\r\n',
      '[|\r\n|\x00\xff*]',
    ],
    ['an empty array is invalid', '*0\r\n', 'invalid'],
    ['a null array is invalid', '*-1\r\n', 'invalid'],
    ['a null bulk is invalid', '$-1\r\n', 'invalid'],
    ['a bulk string is invalid', '$4\r\nPING\r\n', 'invalid'],
    ['an integer is invalid', ':5\r\n', 'invalid'],
    ['a simple string is invalid', '+PING\r\n', 'invalid'],
    ['an error is invalid', '-ERR\r\n', 'invalid'],
    ['an array that holds a null is invalid', '*2\r\n$3\r\nGET\r\n$-1\r\n', 'invalid'],
    ['an array that holds a null array is invalid', '*2\r\n$3\r\nGET\r\n*-1\r\n', 'invalid'],
    ['an array that holds an integer is invalid', '*2\r\n$3\r\nGET\r\n:1\r\n', 'invalid'],
    ['an array that holds a simple string is invalid', '*2\r\n+GET\r\n$1\r\nk\r\n', 'invalid'],
    ['an array that holds an array is invalid', '*2\r\n$3\r\nGET\r\n*1\r\n$1\r\nk\r\n', 'invalid'],
    [
      'an invalid request is read to its end',
      '*2\r\n*2\r\n:1\r\n$2\r\nab\r\n$1\r\nx\r\nPING\r\n',
      'invalid [PING]',
    ],
    ['a RESP3 null is invalid', '_\r\n', 'invalid'],
    [
      'a map, a set, a push are invalid',
      '%1\r\n+a\r\n:1\r\n~1\r\n:1\r\n>1\r\n:1\r\n',
      'invalid invalid invalid',
    ],
    [
      'a boolean, a double, a big number are invalid',
      '#t\r\n,1.5\r\n(12\r\n',
      'invalid invalid invalid',
    ],
    [
      'a blob error and a verbatim string are invalid',
      '!3\r\nERR\r\n=5\r\ntxt:a\r\n',
      'invalid invalid',
    ],
    [
      'an attribute is passed over with the value it stands before',
      '|1\r\n+a\r\n:1\r\n*1\r\n$4\r\nPING\r\nPING\r\n',
      'invalid [PING]',
    ],
    [
      'the connection goes on after an invalid request',
      ':5\r\n*1\r\n$4\r\nPING\r\n',
      'invalid [PING]',
    ],
    ['lengths may have leading zeros', '*01\r\n$000000000000000004\r\nPING\r\n', '[PING]'],
  ]);

  test('up to 1.39 RESP3 bytes of a client are protocol errors', () => {
    for (const value of [
      '_\r\n',
      '#t\r\n',
      ',1\r\n',
      '(1\r\n',
      '!1\r\na\r\n',
      '=4\r\ntxt:\r\n',
      '%0\r\n',
      '~0\r\n',
      '>0\r\n',
      '|0\r\n:1\r\n',
    ]) {
      assert.equal(read(value, [1 << 30], new RequestParser(false)), 'failed', value);
      assert.equal(
        read(`*2\r\n$3\r\nGET\r\n${value}`, [1 << 30], new RequestParser(false)),
        'failed',
        value,
      );
      assert.equal(read(`*2\r\n$3\r\nGET\r\n${value}`), 'invalid', value);
    }
    assert.equal(read('*1\r\n:1\r\n', [1 << 30], new RequestParser(false)), 'invalid');
  });
});

test.describe('protocol errors', () => {
  table([
    ['an unknown type byte', '^1\r\n', 'failed'],
    [
      'an unknown type byte, at once: its line end may never come',
      '\x16\x03\x01\x02\x00',
      'failed',
    ],
    ['a punctuation mark that is no type', '?GET k\r\n', 'failed'],
    ['an unknown type byte in an array', '*2\r\n$3\r\nGET\r\n^1\r\n', 'failed'],
    ['a letter in an array in the place of a type', '*2\r\n$3\r\nGET\r\nk\r\n', 'failed'],
    ['a count with a letter', '*1x\r\n', 'failed'],
    ['a count with a letter, at once', '*x', 'failed'],
    ['a count without digits', '*\r\n', 'failed'],
    ['a count with a plus sign', '*+1\r\n', 'failed'],
    ['a count with a space', '* 1\r\n', 'failed'],
    ['a negative count other than -1', '*-2\r\n', 'failed'],
    ['a negative count other than -1, at once', '*-2', 'failed'],
    ['a length with a letter', '*1\r\n$3x\r\nabc\r\n', 'failed'],
    ['a length with a letter, at once', '*1\r\n$3x', 'failed'],
    ['a length without digits', '*1\r\n$\r\n\r\n', 'failed'],
    ['a negative length other than -1', '*1\r\n$-2\r\n', 'failed'],
    ['-1 with more digits', '*1\r\n$-12\r\n', 'failed'],
    ['a count that no 64 bits hold', '*99999999999999999999\r\n', 'failed'],
    ['a length that no 64 bits hold', '*1\r\n$99999999999999999999\r\n', 'failed'],
    ['a carriage return without a line feed after a count', '*1\rx', 'failed'],
    ['a carriage return without a line feed after a length', '*1\r\n$4\rxPING\r\n', 'failed'],
    ['a line feed alone after a count', '*1\n$4\r\nPING\r\n', 'failed'],
    ['a body that is longer than its length', '*1\r\n$3\r\nPING\r\n', 'failed'],
    ['a body that is longer than its length, at once', '*1\r\n$3\r\nPINg', 'failed'],
    ['a body that ends in a carriage return alone', '*1\r\n$4\r\nPING\rx', 'failed'],
    ['an integer with a letter', '*1\r\n:1x\r\n', 'failed'],
    ['a malformed boolean', '*1\r\n#x\r\n', 'failed'],
    ['what came before it is still there', '*1\r\n$4\r\nPING\r\n*2\r\n^', '[PING] failed'],
  ]);

  test('is said in words for the log', () => {
    assert.match(
      feedRequests([Buffer.from('^1\r\n')]).error,
      /'\^' where a RESP type was expected/,
    );
    assert.match(
      feedRequests([Buffer.from([0x16, 3, 1])]).error,
      /0x16 where a RESP type was expected/,
    );
  });
});

test.describe('limits', () => {
  const claim = (text: string): string => read(text);

  test('2,000,000 elements in a request, not one more', () => {
    assert.equal(claim(`*${LIMITS.elements}\r\n`), '');
    assert.equal(claim(`*${LIMITS.elements + 1}\r\n`), 'failed');
    assert.equal(LIMITS.elements, 2_000_000);
  });

  test('a request of 2,000,000 elements is read', () => {
    const parser = new RequestParser();
    parser.push(
      Buffer.concat([Buffer.from('*2000000\r\n'), Buffer.alloc(2_000_000 * 6, '$0\r\n\r\n')]),
    );
    assert.equal(parser.next(), REQUEST);
    assert.equal(parser.argc, 2_000_000);
    assert.equal(parser.next(), MORE);
  });

  test('512 MiB in one bulk string, not one byte more', () => {
    assert.equal(claim(`*1\r\n$${512 * 1024 * 1024}\r\n`), '');
    assert.equal(claim(`*1\r\n$${512 * 1024 * 1024 + 1}\r\n`), 'failed');
  });

  test('a request that is held whole may take 1 GiB', () => {
    const big = 512 * 1024 * 1024;
    const parser = new RequestParser();
    parser.push(Buffer.from(`*3\r\n$3\r\nSET\r\n$${big}\r\n`));
    parser.next();
    assert.equal(parser.next(), MORE); // LARGE was declined; nothing but the head is held
    assert.ok(parser.heldBytes < 64, `${parser.heldBytes} bytes held`);
  });

  test('claims of a large size allocate nothing', () => {
    const heads = [
      '*1\r\n$536870912\r\n',
      '*2\r\n$3\r\nGET\r\n$536870912\r\nabc',
      '*2000000\r\n$1\r\na\r\n',
      '*2000000\r\n*2000000\r\n',
      '$536870912\r\nabc',
    ];
    const parsers: RequestParser[] = [];
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 500; i++) {
      const parser = new RequestParser();
      feedRequests(chunksOf(Buffer.from(heads[i % heads.length] as string), [7]), false, parser);
      parsers.push(parser);
    }
    const each = (process.memoryUsage().arrayBuffers - before) / parsers.length;
    assert.ok(each < 16 * 1024, `${Math.round(each)} bytes a connection`);
  });

  test('what is passed over is not held', () => {
    const parser = new RequestParser();
    const huge = Buffer.alloc(1024 * 1024, 'x');
    const { mostHeld, found } = feedRequests(
      [
        Buffer.from('$8388608\r\n'),
        ...Array.from({ length: 8 }, () => huge),
        Buffer.from('\r\nPING\r\n'),
      ],
      false,
      parser,
    );
    assert.deepEqual(
      found.map((each) => each.kind),
      ['invalid', 'request'],
    );
    assert.ok(mostHeld <= 64, `${mostHeld} bytes held`);
  });
});
