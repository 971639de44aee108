/** Values → bytes: requests of our own, the replies the proxy gives itself, and replies that must be written in another RESP version. */
import { EMPTY, SPACE } from './bytes.js';
import type { Reply } from './value.js';

/** The RESP version a connection speaks. */
export type RespVersion = 2 | 3;

/** A request as an array of bulk strings. */
export function encodeRequest(argv: readonly (Buffer | string)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${argv.length}\r\n`)];
  for (const arg of argv) {
    const bytes = typeof arg === 'string' ? Buffer.from(arg) : arg;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF);
  }
  return Buffer.concat(parts);
}

const CRLF = Buffer.from('\r\n');

/** Text that can stand in a one-line reply: control bytes become spaces, so that no client can be sent a reply it did not cause. */
export function oneLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]/g, ' ');
}

/** `-text`, with the bytes of `text` taken as latin1 so that a command's name is echoed as it was sent. */
export function encodeError(text: string): Buffer {
  return Buffer.from(`-${oneLine(text)}\r\n`, 'latin1');
}

export function encodeInteger(value: number | bigint): Buffer {
  return Buffer.from(`:${value}\r\n`);
}

export function encodeBulk(value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF]);
}

/** Null as Envoy writes it: `$-1` on RESP2, `_` on RESP3. */
export function encodeNull(resp: RespVersion): Buffer {
  return resp === 3 ? Buffer.from('_\r\n') : Buffer.from('$-1\r\n');
}

/** The head of an array that its elements follow. */
export function encodeArrayHead(length: number): Buffer {
  return Buffer.from(`*${length}\r\n`);
}

/**
 * `reply` as it is written on a connection of that version.
 *
 * On RESP2 a RESP3 value is converted as Envoy does (mesh page, 1.2); attributes are left out on both. There is no conversion the
 * other way but that of null.
 */
export function encodeReply(reply: Reply, resp: RespVersion): Buffer {
  const chunks: Buffer[] = [];
  write(reply, resp, chunks);
  return chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks);
}

function write(reply: Reply, resp: RespVersion, out: Buffer[]): void {
  switch (reply.type) {
    case '+':
    case '-':
      out.push(line(reply.type, reply.value));
      return;
    case ':':
      out.push(Buffer.from(`:${reply.value}\r\n`));
      return;
    case '$':
      out.push(encodeBulk(reply.value));
      return;
    case 'null':
      out.push(encodeNull(resp));
      return;
    case '*':
      writeItems('*', reply.items.length, reply.items, resp, out);
      return;
    case '#':
      out.push(
        Buffer.from(resp === 3 ? `#${reply.value ? 't' : 'f'}\r\n` : `:${reply.value ? 1 : 0}\r\n`),
      );
      return;
    case ',':
    case '(':
      out.push(
        resp === 3 ? Buffer.from(`${reply.type}${reply.value}\r\n`) : encodeBulk(reply.value),
      );
      return;
    case '!':
      if (resp === 3) out.push(Buffer.from(`!${reply.value.length}\r\n`), reply.value, CRLF);
      else out.push(line('-', reply.value.map(withoutControl) as Buffer));
      return;
    case '=':
      if (resp === 3) out.push(Buffer.from(`=${reply.value.length}\r\n`), reply.value, CRLF);
      else out.push(encodeBulk(reply.value.subarray(4)));
      return;
    case '%':
      if (resp === 3) writeItems('%', reply.pairs.length, reply.pairs.flat(), resp, out);
      else writeItems('*', reply.pairs.length * 2, reply.pairs.flat(), resp, out);
      return;
    case '~':
    case '>':
      writeItems(resp === 3 ? reply.type : '*', reply.items.length, reply.items, resp, out);
      return;
    case '|':
      write(reply.of, resp, out);
      return;
  }
}

function withoutControl(byte: number): number {
  return byte < SPACE || byte === DELETE ? SPACE : byte;
}

const DELETE = 0x7f;

function line(type: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), value, CRLF]);
}

function writeItems(
  head: string,
  count: number,
  items: readonly Reply[],
  resp: RespVersion,
  out: Buffer[],
): void {
  out.push(Buffer.from(`${head}${count}\r\n`));
  for (const item of items) write(item, resp, out);
}
