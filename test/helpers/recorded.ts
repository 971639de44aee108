/** A session in front of real servers, recorded by the proxy and the writer that ship. */
import path from 'node:path';
import type { TestContext } from 'node:test';
import { RecordWriter, type WriterOptions } from '../../src/recording/writer.js';
import { startProxy, type TestProxy, type TestProxyOptions } from './proxy.js';
import { folder, writing } from './record-files.js';

/** Records what `session` does with a proxy in front of `options.seeds`; gives the file and what the session gave. */
export async function recorded<T>(
  t: TestContext,
  options: TestProxyOptions,
  session: (proxy: TestProxy) => Promise<T>,
  more: Partial<WriterOptions> = {},
): Promise<{ readonly file: string; readonly result: T }> {
  const file = path.join(folder(t), 'session.rmtop');
  const proxy = await startProxy(t, options);
  const writer = new RecordWriter(writing(file, more));
  proxy.handle.subscribe(writer);
  try {
    const result = await session(proxy);
    return { file, result };
  } finally {
    await proxy.handle.close(2000);
    await writer.end('quit');
  }
}
