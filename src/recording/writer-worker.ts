/** The writer's thread: blocks in, lines out. See `writer.ts`. */
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf, systemCode } from '../errors.js';
import { BLOCK_BYTES } from '../events/block.js';
import { Block } from '../events/reader.js';
import { Breath } from './breath.js';
import { Recorder } from './recorder.js';
import { RingRecorder } from './ring.js';
import type { FromWriter, ToWriter, WriterOptions } from './writer.js';

/** A pipe's, or a socket's, other end was closed. */
const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET']);
const TICK_MS = 250;
/** With more than that on its way to the writer it does not rest: what is behind makes clients wait in the end. */
const HURRY_BYTES = 1024 * 1024;

function tell(message: FromWriter, moved: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, moved);
}

/**
 * Lines can wait, clients cannot: woken by a block, this thread is not to take the processor from the one that woke it. Linux alone has
 * priorities of threads, by the number in `PID/task/NUMBER`; elsewhere the recorder is as it is.
 */
function stepBack(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (thread > 0) setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It records all the same.
  }
}

stepBack();
const breath = new Breath();
let recorder: Recorder | RingRecorder | null = null;
let textBytes = 0;

/** Does something that writes; once writing has failed nothing more is tried. */
function attempt(write: (recorder: Recorder | RingRecorder) => void): void {
  if (recorder === null) return;
  try {
    const before = recorder.stopped;
    write(recorder);
    if (before === null && recorder.stopped !== null)
      tell({ type: 'limit', text: recorder.stopped });
  } catch (error) {
    recorder = null;
    if (READER_GONE.has(systemCode(error) ?? '')) tell({ type: 'closed' });
    else tell({ type: 'failed', message: messageOf(error) });
  }
}

function recorderOf({ ring, ...options }: WriterOptions): Recorder | RingRecorder {
  const nowMs = (): number => performance.now();
  return ring === undefined
    ? new Recorder(options, nowMs, breath)
    : new RingRecorder({ ...options, ring }, nowMs, (file, totals) =>
        tell({ type: 'flushed', file, totals }),
      );
}

let isGoing = false;

/** Goes on writing what a ring was asked for, with the messages that come meanwhile in between. */
function goOn(): void {
  if (isGoing || !(recorder instanceof RingRecorder) || !recorder.isWriting) return;
  isGoing = true;
  setImmediate(step);
}

function step(): void {
  isGoing = false;
  attempt((each) => {
    if (each instanceof RingRecorder) each.step();
  });
  goOn();
}

try {
  recorder = recorderOf(workerData as WriterOptions);
} catch (error) {
  tell({ type: 'failed', message: messageOf(error) });
}
const ticking = setInterval(() => attempt((each) => each.tick()), TICK_MS);

parentPort?.on('message', (message: ToWriter) => {
  if (message.type === 'block') {
    breath.isHurried = message.waiting > HURRY_BYTES;
    attempt((each) => each.block(new Block(message.block, message.used)));
    if (recorder !== null) textBytes = recorder.textBytes;
    // A ring keeps its blocks.
    const isSpare = recorder instanceof Recorder && message.block.byteLength === BLOCK_BYTES;
    const block = isSpare ? message.block : null;
    tell({ type: 'written', bytes: message.used, textBytes, block }, block === null ? [] : [block]);
    goOn();
    return;
  }
  if (message.type === 'flush') {
    attempt((each) => {
      if (each instanceof RingRecorder) each.flush();
    });
    goOn();
    return;
  }
  clearInterval(ticking);
  let totals = { commands: 0, bytes: 0, parts: 0, cut: 0, dropped: 0 };
  attempt((each) => {
    totals = each.end(message.why);
  });
  tell({ type: 'ended', totals });
});
