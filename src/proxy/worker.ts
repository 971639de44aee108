/** The worker thread's entry: a proxy whose handle is used from the other thread. See `thread.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf, RmtopError } from '../errors.js';
import { type Consumer, RING_BLOCKS } from '../events/bus.js';
import { createProxy, type ProxyHandle, type ProxyOptions } from './proxy.js';
import type { FromWorker, ToWorker } from './thread.js';

function tell(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, [...transfer]);
}

/** A consumer in the other thread. */
class RemoteConsumer implements Consumer {
  readonly lossless: boolean;
  private readonly id: number;
  private untaken = 0;

  constructor(id: number, lossless: boolean) {
    this.id = id;
    this.lossless = lossless;
  }

  get behind(): boolean {
    return this.untaken > RING_BLOCKS / 2;
  }

  accept(block: ArrayBuffer, used: number): boolean {
    if (this.untaken >= RING_BLOCKS && !this.lossless) return false;
    this.untaken++;
    tell({ type: 'block', id: this.id, block, used }, [block]);
    return true;
  }

  taken(): void {
    this.untaken--;
  }
}

function serve(proxy: ProxyHandle): void {
  const consumers = new Map<number, { consumer: RemoteConsumer; stop: () => void }>();
  parentPort?.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'subscribe': {
        const consumer = new RemoteConsumer(message.id, message.lossless);
        consumers.set(message.id, { consumer, stop: proxy.subscribe(consumer) });
        return;
      }
      case 'unsubscribe':
        consumers.get(message.id)?.stop();
        consumers.delete(message.id);
        return;
      case 'taken':
        consumers.get(message.id)?.consumer.taken();
        return;
      case 'note':
        proxy.note(message.level, message.text, message.next);
        return;
      case 'call':
        void answer(proxy, message);
    }
  });
}

async function answer(
  proxy: ProxyHandle,
  message: Extract<ToWorker, { type: 'call' }>,
): Promise<void> {
  const { call } = message;
  if (message.name === 'totals') tell({ type: 'result', call, value: await proxy.totals() });
  else if (message.name === 'clients') tell({ type: 'result', call, value: await proxy.clients() });
  else if (message.name === 'closeClient')
    tell({ type: 'result', call, value: await proxy.closeClient(message.connection) });
  else {
    await (message.name === 'close'
      ? proxy.close(message.graceMs)
      : proxy.reconfigure(message.config, message.access));
    tell({ type: 'result', call, value: null });
  }
}

try {
  const proxy = await createProxy(workerData as ProxyOptions);
  serve(proxy);
  tell({ type: 'listening', address: { ...proxy.address }, startedAt: proxy.startedAt });
} catch (error) {
  const known = error instanceof RmtopError ? error : new RmtopError('INTERNAL', messageOf(error));
  tell({
    type: 'failed',
    code: known.code,
    message: known.message,
    why: known.why,
    next: known.next,
  });
}
