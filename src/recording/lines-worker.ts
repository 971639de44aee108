/** The writer's thread: blocks in, lines out. See `lines.ts`. */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf, systemCode } from '../errors.js';
import { KIND_COMMAND } from '../events/block.js';
import type { CommandEvent } from '../events/event.js';
import { Block, StreamContext } from '../events/reader.js';
import { type ClientInfo, Facts } from '../filter/facts.js';
import { parseFilter } from '../filter/filter.js';
import { commandToJson, headerToJson, type Json, otherToJson } from './format.js';
import type { FromWriter, LineWriterOptions, ToWriter } from './lines.js';

const { fd, header, filter: filterText } = workerData as LineWriterOptions;
const context = new StreamContext();
const clients = new Map<number, ClientInfo>();
let bytesWritten = 0;
let commands = 0;
let lastSeq = 0;
let dropped = 0;
let lastUs = 0;
let isBroken = false;

const parsed = parseFilter(filterText);
const filter = parsed.kind === 'filter' && filterText !== '' ? parsed : null;
const facts = new Facts({
  topology: (version) => context.topology(version),
  config: (version) => context.config(version),
  client: (connection) => clients.get(connection),
  slowUs: () => null,
  nowUs: () => lastUs,
});

/** Whether the filter lets a command through. */
function isWanted(event: CommandEvent): boolean {
  if (filter === null) return true;
  facts.load(event);
  return filter.matches(facts);
}

function tell(message: FromWriter): void {
  parentPort?.postMessage(message);
}

function linesOf(block: Block): string {
  const lines: Json[] = [];
  block.walk((kind, offset) => {
    if (kind === KIND_COMMAND) {
      const event = block.command(offset, context);
      if (!isWanted(event)) return;
      commands++;
      lastSeq = Math.max(lastSeq, event.seq);
      lastUs = event.atUs + event.durationUs;
      lines.push(commandToJson(event, context));
      return;
    }
    const event = block.other(offset);
    context.learn(event);
    lastUs = Math.max(lastUs, event.atUs);
    if (event.type === 'session') clients.set(event.connection, event);
    if (event.type === 'gap') dropped += event.dropped;
    const line = event.type === 'hello' ? headerToJson(event, header) : otherToJson(event);
    if (line !== null) lines.push(line);
  });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** A cell nobody wakes: how a thread waits a little. */
const nap = new Int32Array(new SharedArrayBuffer(4));

/** Writes all of `text`; waits where a pipe is full. */
function write(text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(nap, 0, 0, 5);
    }
  }
  bytesWritten += bytes.length;
}

/** A pipe's, or a socket's, other end was closed. */
const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET']);

function tryWrite(text: string): void {
  if (isBroken) return;
  try {
    write(text);
  } catch (error) {
    isBroken = true;
    if (READER_GONE.has(systemCode(error) ?? '')) tell({ type: 'closed' });
    else tell({ type: 'failed', message: messageOf(error) });
  }
}

parentPort?.on('message', (message: ToWriter) => {
  if (message.type === 'block') {
    tryWrite(linesOf(new Block(message.block, message.used)));
    tell({ type: 'written', bytes: message.used });
    return;
  }
  const fin: Json = {
    k: 'fin',
    t: lastUs / 1e6,
    why: message.why,
    n: lastSeq,
    cmds: commands,
    drop: dropped,
    bytes: bytesWritten,
  };
  tryWrite(`${JSON.stringify(fin)}\n`);
  tell({ type: 'ended' });
});
