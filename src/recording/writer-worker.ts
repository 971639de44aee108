/** The writer's thread: blocks in, lines out. See `writer.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf, systemCode } from '../errors.js';
import { Block } from '../events/reader.js';
import { Recorder } from './recorder.js';
import type { FromWriter, ToWriter, WriterOptions } from './writer.js';

/** A pipe's, or a socket's, other end was closed. */
const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET']);
const TICK_MS = 250;

function tell(message: FromWriter): void {
  parentPort?.postMessage(message);
}

let recorder: Recorder | null = null;
let textBytes = 0;

/** Does something that writes; once writing has failed nothing more is tried. */
function attempt(write: (recorder: Recorder) => void): void {
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

try {
  recorder = new Recorder(workerData as WriterOptions, () => performance.now());
} catch (error) {
  tell({ type: 'failed', message: messageOf(error) });
}
const ticking = setInterval(() => attempt((each) => each.tick()), TICK_MS);

parentPort?.on('message', (message: ToWriter) => {
  if (message.type === 'block') {
    attempt((each) => each.block(new Block(message.block, message.used)));
    if (recorder !== null) textBytes = recorder.textBytes;
    tell({ type: 'written', bytes: message.used, textBytes });
    return;
  }
  clearInterval(ticking);
  let totals = { commands: 0, bytes: 0, parts: 0, cut: 0, dropped: 0 };
  attempt((each) => {
    totals = each.end(message.why);
  });
  tell({ type: 'ended', totals });
});
