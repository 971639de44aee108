/** What stands behind a served recording: the data plane that misses go through, and what becomes of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  appendRecording,
  createProxy,
  parseAddressMap,
  plainWriter,
  RECORD_KEEP,
  RecordWriter,
  singleUpstreamConfig,
} from 'rmtop';

/** It is at `port` of this machine. `close` gives how many commands were added to the recording. */
export type Behind = { readonly port: number; close(): Promise<number> };

/** Starts a data plane in front of `upstream`, so that a cluster's replies come from the right node; `file` gets what goes through it. */
export async function startBehind(upstream: string, file: string | null): Promise<Behind> {
  const proxy = await createProxy({
    config: singleUpstreamConfig([upstream], { open: true, enableRedirection: true }),
    listen: { host: '127.0.0.1', port: 0 },
    dialling: { map: parseAddressMap([]), access: {} },
    credentials: null,
    keep: RECORD_KEEP,
    hashes: file !== null,
    seed: 1,
  });
  const { port } = proxy.address;
  if (file === null) return { port, close: () => proxy.close().then(() => 0) };
  const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-'));
  const added = path.join(folder, 'added.rmtop');
  const writer = new RecordWriter(plainWriter(added));
  proxy.subscribe(writer);
  return {
    port,
    async close() {
      try {
        await proxy.close();
        await writer.end('quit');
        return await appendRecording(file, added);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
