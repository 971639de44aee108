/** What stands behind a served recording: the data plane that misses go through, and what becomes of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createProxy, type ProxyOptions } from '../proxy/proxy.js';
import { appendRecording } from '../recording/append.js';
import { plainWriter, RECORD_KEEP } from '../recording/defaults.js';
import { openRecording, type RecordingHeader } from '../recording/reader.js';
import { REDACT_AUTH, redactionOf } from '../recording/redact.js';
import { RecordWriter } from '../recording/writer.js';

/** It is at `port` of this machine. `close` gives how many commands were added to the recording. */
export type Behind = { readonly port: number; close(): Promise<number> };

/**
 * Starts a data plane in front of real servers, so that a cluster's replies come from the right node; `file` gets what goes through it,
 * without what is not to be in it by its header (`redactKey`: what values are hashed with); null: nothing does. Clients need no password
 * there. Throws as `createProxy` and `openRecording`.
 */
export async function startBehind(
  { config, dialling }: Pick<ProxyOptions, 'config' | 'dialling'>,
  file: string | null,
  redactKey = '',
): Promise<Behind> {
  const redact = file === null ? REDACT_AUTH : redactionOf(await headerOf(file), redactKey);
  const proxy = await createProxy({
    config: { ...config, settings: { ...config.settings, downstreamAuth: null } },
    listen: { host: '127.0.0.1', port: 0 },
    dialling,
    credentials: null,
    keep: RECORD_KEEP,
    hashes: file !== null,
    seed: 1,
  });
  const { port } = proxy.address;
  if (file === null) return { port, close: () => proxy.close().then(() => 0) };
  const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-'));
  const added = path.join(folder, 'added.rmtop');
  const writer = new RecordWriter(plainWriter(added, '', redact));
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

async function headerOf(file: string): Promise<RecordingHeader> {
  const reader = await openRecording(file);
  let batches = 0;
  // The first is of the header alone; to leave while the file is being read closes it.
  for await (const _ of reader.batches()) if (++batches > 1) break;
  return reader.header;
}
