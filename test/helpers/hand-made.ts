/** Recordings written by hand: what a served one answers hangs on a few lines. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { JsonObject } from '../../src/recording/values.js';
import { folder } from './record-files.js';

const HEADER = {
  k: 'rmtop',
  v: 1,
  min: 1,
  id: 'HANDMADE01',
  part: 1,
  t0: '2026-11-30T12:04:00.000000Z',
  tool: 'rmtop 0.1.0',
  listen: ['127.0.0.1:6380'],
  up: '127.0.0.1:7001',
  redact: { mode: 'auth', key: 'none' },
  capture: 'replies',
};

/** A command of connection 1 that came at `n` ms and took 1 ms. */
export function cmd(
  n: number,
  a: JsonObject['a'],
  r: JsonObject['r'],
  more: JsonObject = {},
): JsonObject {
  return {
    k: 'cmd',
    n,
    t: n / 1000,
    d: 0.001,
    c: 1,
    a,
    u: 's0.p',
    ...(r === undefined ? {} : { r }),
    ...more,
  };
}

/** A file with these lines after a header. */
export function handMade(
  t: TestContext,
  lines: readonly JsonObject[],
  header: JsonObject = {},
): string {
  const file = path.join(folder(t), 'made.rmtop');
  const all = [{ ...HEADER, ...header }, ...lines, { k: 'fin', t: 9, why: 'quit', n: 99 }];
  writeFileSync(file, all.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return file;
}
