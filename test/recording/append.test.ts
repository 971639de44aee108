/** New episodes at the end of a recording. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { appendRecording } from '../../src/recording/append.js';
import { cmd, handMade } from '../helpers/hand-made.js';
import { repository } from '../helpers/packed.js';
import { folder, readAll } from '../helpers/record-files.js';

test('numbers, times, connections and versions go on; every decision is made as before', async (t) => {
  const recordings = path.join(repository(), 'recordings');
  const file = path.join(folder(t), 'both.rmtop');
  copyFileSync(path.join(recordings, 'session.rmtop'), file);
  const other = path.join(recordings, 'failover.rmtop');
  const [first, second] = [await readAll(file, true), await readAll(other, true)];
  const count = await appendRecording(file, other);
  assert.equal(count, second.reader.summary().commands);
  const both = await readAll(file, true);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const summary = both.reader.summary();
  assert.equal(summary.commands, first.reader.summary().commands + count);
  assert.equal(summary.fin?.cmds, summary.commands);
  const decided = ({ entries }: typeof both): unknown[] =>
    entries.flatMap(({ event }) => {
      if (event?.type !== 'command') return [];
      const { topologyVersion: _t, configVersion: _c, ...decision } = event.decision;
      return [[event.command.argv.map(String), decision]];
    });
  assert.deepEqual(decided(both), [...decided(first), ...decided(second)]);
  const seqs = both.entries.flatMap(({ event }) => (event?.type === 'command' ? [event.seq] : []));
  assert.equal(new Set(seqs).size, seqs.length);
});

test('nothing to add changes nothing', async (t) => {
  const file = handMade(t, [cmd(1, ['GET', 'a'], '1')]);
  const before = readFileSync(file, 'utf8');
  assert.equal(await appendRecording(file, handMade(t, [])), 0);
  assert.equal(readFileSync(file, 'utf8'), before);
});
