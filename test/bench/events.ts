/**
 * `node events.js PORT UPSTREAM`: rmtop without a screen, but with every event produced and handed to a reader that does nothing with it.
 * What the screen costs is measured against this; a headless rmtop writes no events where nobody reads them.
 */
import { createProxy, NO_MAP, singleUpstreamConfig } from 'rmtop';

const [port = '0', upstream = ''] = process.argv.slice(2);
const proxy = await createProxy({
  config: singleUpstreamConfig([upstream]),
  listen: { host: '127.0.0.1', port: Number(port) },
  dialling: { map: NO_MAP, access: {} },
  credentials: null,
  // As the screen has it.
  keep: { value: 16 * 1024, record: 256 * 1024 },
  hashes: false,
  seed: 1,
});
proxy.subscribe({ lossless: false, behind: false, accept: () => true });
process.once('SIGTERM', () => void proxy.close());
