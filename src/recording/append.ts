/** New episodes for an old recording: the lines of one file, numbered on, after those of another. */
import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { messageOf, RmtopError } from '../errors.js';
import { seconds } from './others.js';
import { openRecording } from './reader.js';
import { isJsonObject, type Json, type JsonObject } from './values.js';

/** What the numbers of the added lines begin after. */
type Offsets = {
  seq: number;
  connection: number;
  topology: number;
  config: number;
  /** Seconds. */
  time: number;
  commands: number;
};

/**
 * Writes the commands of `addition`, with their connections, topologies and configurations, at the end of `file`, which is replaced in one
 * step. Gives how many there were. Throws what reading throws, and OUTPUT_FAILED.
 */
export async function appendRecording(file: string, addition: string): Promise<number> {
  const lines: string[] = [];
  const offsets = await readBase(file, lines);
  const before = offsets.commands;
  const added = await openRecording(addition);
  for await (const entries of added.batches())
    for (const { json } of entries) {
      const line = moved(json, offsets);
      if (line === null) continue;
      lines.push(JSON.stringify(line));
    }
  const { commands, lastSeq, lastUs } = added.summary();
  if (commands === 0) return 0;
  const fin = {
    k: 'fin',
    t: round(offsets.time + seconds(lastUs)),
    why: 'quit',
    n: offsets.seq + lastSeq,
    cmds: before + commands,
    drop: 0,
    bytes: lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0),
  };
  replace(file, `${[...lines, JSON.stringify(fin)].join('\n')}\n`);
  return commands;
}

/** Collects the lines of `file` but its last, and the highest numbers in them. */
async function readBase(file: string, lines: string[]): Promise<Offsets> {
  const base = await openRecording(file);
  const offsets: Offsets = { seq: 0, connection: 0, topology: 0, config: 0, time: 0, commands: 0 };
  for await (const entries of base.batches())
    for (const { json, text } of entries) {
      if (json.k === 'fin') continue;
      lines.push(text);
      offsets.connection = Math.max(offsets.connection, number(json.c));
      offsets.topology = Math.max(offsets.topology, number(json.ep));
      offsets.config = Math.max(offsets.config, number(json.cv));
    }
  const { lastSeq, lastUs, commands } = base.summary();
  return { ...offsets, seq: lastSeq, time: seconds(lastUs), commands };
}

function number(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function round(time: number): number {
  return Math.round(time * 1e6) / 1e6;
}

/** A line as it stands after the others; null for the header and what is counted anew. */
function moved(json: JsonObject, offsets: Offsets): JsonObject | null {
  const { k, t, n, c, q, ev, at } = json;
  if (k === 'rmtop' || k === 'ck' || k === 'fin') return null;
  return {
    ...json,
    ...(typeof t === 'number' ? { t: round(t + offsets.time) } : {}),
    ...(typeof n === 'number' ? { n: n + offsets.seq } : {}),
    ...(typeof c === 'number' ? { c: c + offsets.connection } : {}),
    ...(Array.isArray(q)
      ? { q: [number(q[0] as Json) + offsets.seq, ...(q as Json[]).slice(1)] }
      : {}),
    ...(Array.isArray(ev)
      ? { ev: [number(ev[0] as Json) + offsets.topology, number(ev[1] as Json) + offsets.config] }
      : {}),
    ...(k === 'pend' && typeof at === 'number' ? { at: round(at + offsets.time) } : {}),
    ...(k === 'topo' ? { ep: number(json.ep) + offsets.topology } : {}),
    ...(k === 'drop'
      ? { from: number(json.from) + offsets.seq, to: number(json.to) + offsets.seq }
      : {}),
    ...(k === 'cfg' ? movedConfig(json, offsets.config) : {}),
  };
}

function movedConfig(json: JsonObject, by: number): JsonObject {
  const version = number(json.cv) + by;
  const mesh = isJsonObject(json.mesh) ? { ...json.mesh, version } : json.mesh;
  const sha256 = createHash('sha256').update(JSON.stringify(mesh)).digest('hex');
  return { cv: version, sha256, mesh };
}

function replace(file: string, text: string): void {
  const next = `${file}.new`;
  try {
    writeFileSync(next, file.endsWith('.gz') ? gzipSync(text) : text, { mode: 0o600 });
    renameSync(next, file);
  } catch (error) {
    throw new RmtopError('OUTPUT_FAILED', `cannot write ${file}`, { why: messageOf(error) });
  }
}
