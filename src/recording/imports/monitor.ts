/** What `redis-cli monitor` prints: `1700000000.123456 [0 127.0.0.1:51830] "set" "k" "v"`, one line a command that was executed. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { RmtopError } from '../../errors.js';
import type { KeptArgument } from '../../events/condense.js';
import type { Imported, ImportFormat, ImportNotes } from '../imports.js';

const LINE = /^(\d+)\.(\d{6}) \[(\d+) ([^\]]*)\] (.*)$/s;
const BATCH = 1000;

export const importMonitor: ImportFormat = {
  name: 'monitor',
  help: 'what redis-cli monitor printed',
  async *read(path, notes) {
    const input = path === '-' ? process.stdin : createReadStream(path);
    // Bytes as characters: what is no ASCII is escaped, but a log may have been touched since.
    input.setEncoding('latin1');
    const databases = new Map<string, string>();
    let batch: Imported[] = [];
    let firstUs = -1;
    let lines = 0;
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      lines++;
      const [, seconds = '', micros = '', db = '0', client = '', words = ''] =
        LINE.exec(line) ?? [];
      if (seconds === '') {
        skip(notes, line === 'OK' || line === '' ? null : 'lines that are no commands');
        continue;
      }
      const args = readWords(words);
      if (args === null) {
        skip(notes, 'lines that are cut or damaged');
        continue;
      }
      const us = Number(seconds) * 1e6 + Number(micros);
      if (firstUs === -1) {
        firstUs = us;
        notes.startedMs = us / 1000;
      }
      const atUs = Math.max(0, us - firstUs);
      if (client === 'lua') {
        batch.push({ atUs, client, args, ofScript: true });
        continue;
      }
      const isSelect = args[0]?.bytes.toString('latin1').toLowerCase() === 'select';
      if (!isSelect && db !== (databases.get(client) ?? '0'))
        batch.push({ atUs, client, args: ['SELECT', db].map(whole) });
      databases.set(client, isSelect ? String(args[1]?.bytes ?? db) : db);
      batch.push({ atUs, client, args });
      if (batch.length >= BATCH) {
        yield batch;
        batch = [];
      }
    }
    if (firstUs === -1 && lines > 0) throw noMonitorLog(path);
    yield batch;
  },
};

function skip(notes: ImportNotes, why: string | null): void {
  if (why !== null) notes.skipped.set(why, (notes.skipped.get(why) ?? 0) + 1);
}

function noMonitorLog(path: string): RmtopError {
  return new RmtopError('NO_RECORDING', `${path} is no log of MONITOR`, {
    why: 'its lines should be like: 1700000000.123456 [0 127.0.0.1:51830] "set" "k" "v"',
    next: ['rmtop import --from aof FILE', 'rmtop import --from resp FILE'],
  });
}

function whole(text: string): KeptArgument {
  return { kind: 'whole', bytes: Buffer.from(text) };
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, a: 7, b: 8 };
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** `"set" "k\x00" "(redacted)"` → arguments; null where it does not end as it should. */
export function readWords(text: string): KeptArgument[] | null {
  const args: KeptArgument[] = [];
  const bytes = Buffer.from(text, 'latin1');
  for (let i = 0; i < bytes.length; ) {
    if (bytes[i] !== QUOTE) return null;
    const word = readWord(bytes, i + 1);
    if (word === null) return null;
    args.push(
      word.bytes.equals(REDACTED)
        ? { kind: 'redacted', rule: 'auth', bytes: REDACTED }
        : { kind: 'whole', bytes: word.bytes },
    );
    i = word.end;
    if (i < bytes.length && bytes[i++] !== 0x20) return null;
  }
  return args.length === 0 ? null : args;
}

const REDACTED = Buffer.from('(redacted)');

/** The word whose opening quote is before `at`; `end` is behind its closing one. */
function readWord(
  text: Buffer,
  at: number,
): { readonly bytes: Buffer; readonly end: number } | null {
  const out: number[] = [];
  for (let i = at; i < text.length; i++) {
    const byte = text[i] as number;
    if (byte === QUOTE) return { bytes: Buffer.from(out), end: i + 1 };
    if (byte !== BACKSLASH) {
      out.push(byte);
      continue;
    }
    const letter = String.fromCharCode(text[++i] ?? 0);
    if (letter === 'x') {
      const hex = text.toString('latin1', i + 1, i + 3);
      if (!/^[0-9a-f]{2}$/i.test(hex)) return null;
      out.push(Number.parseInt(hex, 16));
      i += 2;
    } else out.push(ESCAPES[letter] ?? letter.charCodeAt(0));
  }
  return null;
}
