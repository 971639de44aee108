/**
 * Redis's append-only file: one file, or a folder with a manifest since Redis 7. It has effects rather than commands (`EXPIRE` as
 * `PEXPIREAT`), writes only, and times only with `aof-timestamp-enabled`.
 */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, RmtopError } from '../../errors.js';
import type { Imported, ImportFormat, ImportNotes } from '../imports.js';
import { readRequests, wholeArgs } from './resp.js';

const TIMESTAMP = /^#TS:(\d+)$/;

export const importAof: ImportFormat = {
  name: 'aof',
  help: "Redis's append-only file, or its folder",
  async *read(path, notes) {
    let firstS = -1;
    let atUs = 0;
    for (const file of await filesOf(path, notes)) {
      for await (const requests of readRequests(file, notes, true)) {
        const batch: Imported[] = [];
        for (const args of requests) {
          if (args.length === 0) continue;
          const said = TIMESTAMP.exec(args.length === 1 ? String(args[0]) : '')?.[1];
          if (said === undefined) {
            batch.push({ atUs: atUs++, client: 'aof', args: wholeArgs(args) });
            continue;
          }
          if (firstS === -1) {
            firstS = Number(said);
            notes.startedMs ??= firstS * 1000;
          }
          atUs = Math.max(atUs, (Number(said) - firstS) * 1e6);
        }
        yield batch;
      }
    }
  },
};

/** The files to read: of a folder those of its manifest, but not the base where it is an RDB. */
async function filesOf(path: string, notes: ImportNotes): Promise<string[]> {
  if (path === '-') return [path];
  try {
    if (!(await stat(path)).isDirectory()) return await withoutRdb([path], notes);
    const manifest = (await readdir(path)).find((name) => name.endsWith('.manifest'));
    if (manifest === undefined)
      throw new RmtopError('NO_RECORDING', `${path} has no manifest of an append-only file`, {
        next: ['name the file itself: rmtop import --from aof appendonly.aof'],
      });
    const lines = (await readFile(join(path, manifest), 'utf8')).split('\n');
    const files = lines.flatMap((line) => {
      const [, name, type] = /^file "?([^"]+?)"? seq \d+ type ([bhi])/.exec(line) ?? [];
      return name === undefined || type === 'h' ? [] : [join(path, name)];
    });
    return await withoutRdb(files, notes);
  } catch (error) {
    if (error instanceof RmtopError) throw error;
    throw new RmtopError('FILE_UNREADABLE', `${path} cannot be read`, { why: messageOf(error) });
  }
}

async function withoutRdb(files: readonly string[], notes: ImportNotes): Promise<string[]> {
  const kept: string[] = [];
  for (const file of files) {
    const handle = await open(file, 'r');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(5), 0, 5, 0);
    await handle.close();
    if (buffer.toString('latin1', 0, bytesRead) === 'REDIS')
      notes.skipped.set(`the base ${file}, which is an RDB`, 1);
    else kept.push(file);
  }
  if (kept.length === 0 && files.length > 0)
    throw new RmtopError('NO_RECORDING', `${files[0] ?? ''} is an RDB: it holds no commands`, {
      next: ['redis-cli config set aof-use-rdb-preamble no; redis-cli bgrewriteaof'],
    });
  return kept;
}
