/**
 * RESP read slowly and plainly, from the whole of the bytes at once: the twin that the parsers of `src/resp` must agree with on any
 * input. It shares nothing with them but the reply type and the limits.
 */
import { LIMITS } from '../../src/resp/scan.js';
import type { Reply } from '../../src/resp/value.js';

/** What a stream of a client's bytes holds, in order. */
export type PlainRequest =
  | { readonly kind: 'request'; readonly argv: readonly Buffer[]; readonly bytes: Buffer }
  | { readonly kind: 'invalid' };

/** How a stream ends: in the middle of something that may go on, or with bytes that are not RESP. */
export type PlainEnd = 'more' | 'failed';

class Incomplete extends Error {}
class Broken extends Error {}

type Cursor = {
  readonly text: string;
  readonly bytes: Buffer;
  at: number;
  readonly resp3: boolean;
};

const COUNTED = '$!=*~>%|';

/** The requests in `bytes`. */
export function plainRequests(
  bytes: Buffer,
  resp3 = true,
): { readonly found: PlainRequest[]; readonly end: PlainEnd } {
  const found: PlainRequest[] = [];
  const end = readAll(bytes, resp3, (cursor) => {
    const start = cursor.at;
    if (/[a-zA-Z0-9 \t-\r"']/.test(cursor.text.charAt(start))) {
      const argv = plainInline(cursor);
      found.push(
        argv.length === 0 ? { kind: 'invalid' } : { kind: 'request', argv, bytes: Buffer.alloc(0) },
      );
      return;
    }
    const value = readValue(cursor);
    const argv =
      value.type === '*'
        ? value.items.flatMap((item) => (item.type === '$' ? [item.value] : []))
        : [];
    const isRequest = value.type === '*' && argv.length > 0 && argv.length === value.items.length;
    found.push(
      isRequest
        ? { kind: 'request', argv, bytes: bytes.subarray(start, cursor.at) }
        : { kind: 'invalid' },
    );
  });
  return { found, end };
}

/** The replies in `bytes`: where each stands, and its value, in which every null array has become a null bulk. */
export function plainReplies(
  bytes: Buffer,
  resp3 = true,
): {
  readonly found: { readonly value: Reply; readonly length: number }[];
  readonly end: PlainEnd;
} {
  const found: { value: Reply; length: number }[] = [];
  const end = readAll(bytes, resp3, (cursor) => {
    const start = cursor.at;
    const value = oneNull(readValue(cursor));
    found.push({ value, length: cursor.at - start });
  });
  return { found, end };
}

function readAll(bytes: Buffer, resp3: boolean, readOne: (cursor: Cursor) => void): PlainEnd {
  const cursor: Cursor = { text: bytes.toString('latin1'), bytes, at: 0, resp3 };
  try {
    while (cursor.at < bytes.length) readOne(cursor);
    return 'more';
  } catch (error) {
    if (error instanceof Incomplete) return 'more';
    if (error instanceof Broken) return 'failed';
    throw error;
  }
}

/** The line at the cursor without its line end. What has come of an unfinished one must still be able to become a line. */
function readLine(cursor: Cursor): string {
  const { text, at } = cursor;
  const cr = text.indexOf('\r', at);
  if (cr === -1 || cr === text.length - 1) {
    const part = cr === -1 ? text.slice(at) : text.slice(at, cr);
    const [type, rest] = [text.charAt(at), part.slice(1)];
    if (type === '') throw new Incomplete();
    if (!isType(cursor, type)) throw new Broken();
    if (COUNTED.includes(type) && !/^(?:-1?|\d{0,18})$/.test(rest)) throw new Broken();
    if (type === ':' && !/^-?\d*$/.test(rest.slice(0, 24))) throw new Broken(); // not more of it is looked at
    if (part.length > LIMITS.lineBytes) throw new Broken();
    throw new Incomplete();
  }
  if (text.charAt(cr + 1) !== '\n' || cr - at > LIMITS.lineBytes) throw new Broken();
  cursor.at = cr + 2;
  return text.slice(at, cr);
}

function isType(cursor: Cursor, type: string): boolean {
  return '+-:$*'.includes(type) || (cursor.resp3 && '_#,(!=%~>|'.includes(type));
}

type Counts = { depth: number; total: number };

function readValue(
  cursor: Cursor,
  counts: Counts = { depth: 0, total: 0 },
  attributesBefore = 0,
): Reply {
  const line = readLine(cursor);
  const type = line.charAt(0);
  const rest = line.slice(1);
  if (!isType(cursor, type)) throw new Broken();
  switch (type) {
    case '+':
    case '-':
      return { type, value: Buffer.from(rest, 'latin1') };
    case ':':
      if (!/^-?\d+$/.test(rest) || BigInt(rest) > 2n ** 63n - 1n || BigInt(rest) < -(2n ** 63n))
        throw new Broken();
      return { type, value: rest };
    case '_':
      if (rest !== '') throw new Broken();
      return { type: 'null', spelling: '_' };
    case '#':
      if (rest !== 't' && rest !== 'f') throw new Broken();
      return { type, value: rest === 't' };
    case ',':
      if (
        rest.length > LIMITS.doubleBytes ||
        !/^([+-]?inf|nan|[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)$/.test(rest)
      )
        throw new Broken();
      return { type, value: rest };
    case '(':
      if (rest.length > LIMITS.bigNumberBytes || !/^-?\d+$/.test(rest)) throw new Broken();
      return { type, value: rest };
    case '$':
    case '!':
    case '=': {
      const length = readCount(rest);
      if (length === -1 && type === '$') return { type: 'null', spelling: '$' };
      if (length < (type === '=' ? 4 : 0) || length > LIMITS.bulkBytes) throw new Broken();
      return { type, value: readBody(cursor, length) };
    }
    default:
      return readAggregate(cursor, type, readCount(rest), counts, attributesBefore);
  }
}

function readCount(text: string): number {
  if (text === '-1') return -1;
  if (!/^\d{1,18}$/.test(text)) throw new Broken();
  return Number(text);
}

function readBody(cursor: Cursor, length: number): Buffer {
  const end = cursor.at + length;
  const after = cursor.text.slice(end, end + 2);
  if (!'\r\n'.startsWith(after)) throw new Broken();
  if (after.length < 2) throw new Incomplete();
  cursor.at = end + 2;
  return cursor.bytes.subarray(end - length, end);
}

function readAggregate(
  cursor: Cursor,
  type: string,
  count: number,
  counts: Counts,
  attributesBefore: number,
): Reply {
  if (count === -1 && type === '*') return { type: 'null', spelling: '*' };
  if (type === '|' && attributesBefore === LIMITS.attributesInARow) throw new Broken();
  const values = type === '%' || type === '|' ? 2 * count : count;
  counts.total += values;
  if (count < 0 || count > LIMITS.elements || counts.total > LIMITS.totalElements)
    throw new Broken();
  if (values > 0 && ++counts.depth > LIMITS.depth) throw new Broken();
  const items: Reply[] = [];
  for (let i = 0; i < values; i++) items.push(readValue(cursor, counts));
  if (values > 0) counts.depth--;
  if (type === '*' || type === '~' || type === '>') return { type, items };
  const pairs = Array.from({ length: count }, (_, i): [Reply, Reply] => [
    items[2 * i] as Reply,
    items[2 * i + 1] as Reply,
  ]);
  if (type === '%') return { type, pairs };
  return { type: '|', pairs, of: readValue(cursor, counts, attributesBefore + 1) };
}

/** The words of an inline command, by regular expressions (mesh page, 1.1). */
function plainInline(cursor: Cursor): Buffer[] {
  const { text, at } = cursor;
  const lineEnd = text.indexOf('\r\n', at);
  const length = (lineEnd === -1 ? text.length : lineEnd) - at;
  if (length > LIMITS.inlineBytes) throw new Broken();
  if (lineEnd === -1) throw new Incomplete();
  cursor.at = lineEnd + 2;
  return plainWords(text.slice(at, lineEnd)).map((word) => Buffer.from(word, 'latin1'));
}

const WORD =
  /[ \t-\r]*(?:"((?:\\[\s\S]|[^"\\])*)"|'((?:\\'|(?!\\')[^'])*)'|([^ \t-\r"']+))(?=[ \t-\r]|$)/y;
const LETTERS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

function plainWords(line: string): string[] {
  const words: string[] = [];
  WORD.lastIndex = 0;
  for (let rest = line; /[^ \t-\r]/.test(rest); rest = line.slice(WORD.lastIndex)) {
    const match = WORD.exec(line);
    if (match === null) throw new Broken();
    const [, double, single, bare] = match;
    if (double !== undefined) {
      words.push(
        double.replace(/\\(?:x([0-9a-fA-F]{2})|([\s\S]))/g, (_, hex?: string, letter = '') =>
          hex === undefined
            ? (LETTERS[letter] ?? letter)
            : String.fromCharCode(Number.parseInt(hex, 16)),
        ),
      );
    } else words.push(single?.replaceAll("\\'", "'") ?? bare ?? '');
  }
  return words;
}

/** The same value with every null array spelled as a null bulk. */
export function oneNull(value: Reply): Reply {
  switch (value.type) {
    case 'null':
      return value.spelling === '*' ? { type: 'null', spelling: '$' } : value;
    case '*':
    case '~':
    case '>':
      return { ...value, items: value.items.map(oneNull) };
    case '%':
      return { ...value, pairs: value.pairs.map(([key, item]) => [oneNull(key), oneNull(item)]) };
    case '|':
      return {
        ...value,
        pairs: value.pairs.map(([key, item]) => [oneNull(key), oneNull(item)]),
        of: oneNull(value.of),
      };
    default:
      return value;
  }
}

/** The bytes of a value, all its types, attributes and nulls spelled as they are. */
export function wire(value: Reply): Buffer {
  return Buffer.concat(pieces(value));
}

function pieces(value: Reply): Buffer[] {
  switch (value.type) {
    case '+':
    case '-':
      return [Buffer.from(value.type), value.value, CRLF];
    case '$':
    case '!':
    case '=':
      return [Buffer.from(`${value.type}${value.value.length}\r\n`), value.value, CRLF];
    case ':':
    case ',':
    case '(':
      return [Buffer.from(`${value.type}${value.value}\r\n`)];
    case '#':
      return [Buffer.from(value.value ? '#t\r\n' : '#f\r\n')];
    case 'null':
      return [Buffer.from(value.spelling === '_' ? '_\r\n' : `${value.spelling}-1\r\n`)];
    case '*':
    case '~':
    case '>':
      return [
        Buffer.from(`${value.type}${value.items.length}\r\n`),
        ...value.items.flatMap(pieces),
      ];
    case '%':
      return [Buffer.from(`%${value.pairs.length}\r\n`), ...value.pairs.flat().flatMap(pieces)];
    case '|':
      return [
        Buffer.from(`|${value.pairs.length}\r\n`),
        ...value.pairs.flat().flatMap(pieces),
        ...pieces(value.of),
      ];
  }
}

const CRLF = Buffer.from('\r\n');
