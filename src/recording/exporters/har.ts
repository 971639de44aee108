/**
 * HAR 1.2, so that viewers of HTTP archives open a recording: an entry a command. Only the envelope is HAR: the records themselves stand
 * in `_rmtop`, those before the first command in the log's, each other in that of the command it came after, so that all of them in a row
 * are the recording again (`imports/har.ts`). Written as it is read: nothing is held but where the document stands.
 */
import type { CommandEvent } from '../../events/event.js';
import { packageVersion } from '../defaults.js';
import type { Exporter, Printer } from '../exporters.js';
import type { Entry } from '../reader.js';
import type { Json, JsonObject } from '../values.js';
import { commandOf } from './command-of.js';
import { columnsOf } from './flat.js';

const TEXT = 'text/plain';
/** Keys that stand in a URL, and bytes of each. */
const MOST_KEYS = 8;
const MOST_KEY_BYTES = 256;
const ERROR = [0x2d, 0x21]; // - !

export const har: Exporter = {
  name: 'har',
  help: 'HAR 1.2, for viewers of HTTP archives; rmtop import --from har takes it back',
  head: '',
  entry: (entry) => new HarDocument().entry(entry),
  document: () => new HarDocument(),
};

class HarDocument implements Printer {
  private startMs = 0;
  private where: 'nowhere' | 'in the log' | 'in an entry' = 'nowhere';

  entry(entry: Entry): string {
    const { json, text } = entry;
    if (json.k === 'rmtop') this.startMs = Date.parse(String(json.t0)) || 0;
    const event = commandOf(entry);
    if (event !== null) {
      const before = this.where === 'in an entry' ? ']},\n' : `${this.log()}],\n"entries":[\n`;
      this.where = 'in an entry';
      const shown = JSON.stringify(harEntry(entry, event, this.startMs));
      return `${before}${shown.slice(0, -1)},"_rmtop":[\n${text}`;
    }
    return this.where === 'nowhere' ? `${this.log()}${text}` : `,\n${text}`;
  }

  end(): string {
    return this.where === 'in an entry' ? ']}\n]}}\n' : `${this.log()}],\n"entries":[]}}\n`;
  }

  /** Begins the document, if that has not been done. */
  private log(): string {
    if (this.where !== 'nowhere') return '';
    this.where = 'in the log';
    const creator = JSON.stringify({ name: 'rmtop', version: packageVersion() });
    return `{"log":{"version":"1.2","creator":${creator},"_rmtop":[\n`;
  }
}

/** The entry without its `_rmtop`: every field that HAR 1.2 asks for, and `connection`. Times in ms. */
function harEntry(entry: Entry, event: CommandEvent, startMs: number): JsonObject {
  const columns = columnsOf(entry, event);
  const version = `RESP${event.command.session.resp}`;
  const text = { mimeType: TEXT, params: [], text: columns.args };
  const timings = timingsOf(event);
  return {
    startedDateTime: new Date(startMs + event.atUs / 1000).toISOString(),
    time: ms(timings.blocked + timings.send + timings.wait + timings.receive),
    request: {
      method: columns.command ?? '',
      url: urlOf(event, columns.node),
      httpVersion: version,
      cookies: [],
      headers: [],
      queryString: [],
      postData: text,
      headersSize: -1,
      bodySize: event.request.total,
    },
    response: {
      ...statusOf(event, columns.ended),
      httpVersion: version,
      cookies: [],
      headers: [],
      content: {
        size: event.reply.total,
        mimeType: TEXT,
        ...(columns.reply === null ? {} : { text: columns.reply }),
      },
      redirectURL: '',
      headersSize: -1,
      bodySize: event.reply.total,
    },
    cache: {},
    timings,
    connection: String(event.connection),
  };
}

/** `redis://s2.p/0/INCR/rate:10.0.0.7`; the mesh knows no database but 0. A command that no server got is `rmtop`'s. */
function urlOf({ command }: CommandEvent, node: Json | undefined): string {
  const host = typeof node === 'string' && node !== '-' && node !== '' ? node : 'rmtop';
  const keys = command.keys
    .slice(0, MOST_KEYS)
    .map((at) => escaped(command.arg(at).subarray(0, MOST_KEY_BYTES)));
  const name = command.name.split(' ').map((word) => escaped(Buffer.from(word)));
  const to = host.split(' ').map((each) => escaped(Buffer.from(each)));
  return `redis://${[to.join(','), '0', ...name, ...keys].join('/')}`;
}

/** What RFC 3986 allows in a segment stays. */
function escaped(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(
      /[^\w.~!$&'()*+,;=:@-]/g,
      (each) => `%${each.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
}

/** 0, as viewers show requests that failed, where there was no reply. */
function statusOf(
  { reply }: CommandEvent,
  ended: Json | undefined,
): { readonly status: number; readonly statusText: string } {
  const [first = 0] = reply.bytes;
  if (reply.bytes.length === 0)
    return { status: 0, statusText: typeof ended === 'string' ? ended : 'no reply is recorded' };
  if (!ERROR.includes(first)) return { status: 200, statusText: 'OK' };
  const word = /^[-!](?:\d+\r\n)?([A-Z][A-Z0-9]*)/.exec(reply.bytes.toString('latin1', 0, 64))?.[1];
  return { status: 500, statusText: word ?? 'ERR' };
}

/** Waited for its turn, in rmtop, on the server's side. */
function timingsOf({ durationUs, queueUs, upstreamUs }: CommandEvent): {
  readonly blocked: number;
  readonly send: number;
  readonly wait: number;
  readonly receive: number;
} {
  const send = Math.max(0, durationUs - queueUs - upstreamUs);
  return {
    blocked: ms(queueUs / 1000),
    send: ms(send / 1000),
    wait: ms(upstreamUs / 1000),
    receive: 0,
  };
}

function ms(value: number): number {
  return Math.max(0, Math.round(value * 1000) / 1000);
}
