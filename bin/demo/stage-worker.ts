/** The thread of the demo's application and, where there is no Redis, of the fake servers. */
import { parentPort } from 'node:worker_threads';
import { startFakeCluster } from './fake-cluster.js';
import type { FromStage, ToStage } from './stage.js';
import { startTraffic, type Traffic } from './traffic.js';

const port = parentPort;
if (port === null) throw new TypeError('stage-worker.js is the entry of a thread');

const tell = (message: FromStage): void => port.postMessage(message);
let traffic: Traffic | null = null;

port.on('message', async (message: ToStage) => {
  switch (message.type) {
    case 'serve': {
      const { ports, mirrorPort } = await startFakeCluster();
      tell({ type: 'serving', ports, mirrorPort });
      break;
    }
    case 'play':
      traffic = startTraffic(message.host, message.port, message.seed);
      break;
    case 'rest':
      await traffic?.stop();
      traffic = null;
      tell({ type: 'resting' });
  }
});
