/** What snapshots of a recording become: commands, times to live, and what is told of the rest. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { otherFromJson, otherToJson } from '../../src/recording/others.js';
import {
  newSnapshotReport,
  reportPutBack,
  type SnapshotEvent,
  SnapshotState,
  snapshotLines,
} from '../../src/recording/snapshot-state.js';

/** A value as Redis 7.0 dumps it: `1`, RDB version 10. */
const ONE = Buffer.from([0, 0xc0, 1, 10, 0, 1, 2, 3, 4, 5, 6, 7, 8]).toString('base64');

function saved(key: string, more: Partial<SnapshotEvent> = {}): SnapshotEvent {
  return {
    type: 'snapshot',
    atUs: 1000,
    seq: 3,
    key,
    upstream: 'redis',
    dump: ONE,
    ttlMs: -1,
    left: null,
    ...more,
  };
}

const ABSENT = { dump: null, ttlMs: -2 } as const;

test('a line is the event again, whatever it says', () => {
  const events = [
    saved('a'),
    saved('\u00ff\u0000', { ttlMs: 5 }),
    saved('gone', ABSENT),
    saved('big', { ...ABSENT, left: { why: 'large', detail: '12 bytes' } }),
    saved('red', { ...ABSENT, left: { why: 'redacted', detail: '' } }),
  ];
  for (const event of events) {
    const line = otherToJson(event);
    assert.deepEqual(line === null ? null : otherFromJson(line, new Set()), event);
  }
});

test('what is damaged, or says what is not known, is not saved; without a key it is nothing', () => {
  const line = { k: 'note', t: 0, n: 1 };
  const read = (snap: object) => otherFromJson({ ...line, snap: { ...snap } }, new Set());
  for (const snap of [{ key: 'a', ttl: 5 }, { key: 'a', left: 'later' }, { key: 'a' }]) {
    const event = read(snap);
    assert.equal(event?.type === 'snapshot' ? event.left?.why : null, 'failed');
  }
  assert.equal(read({ ttl: -2 }), null);
});

test('the first of a key counts, times to live come last and are longer by what passes until the key is met', () => {
  const state = new SnapshotState();
  for (const event of [
    saved('ttl', { ttlMs: 500, seq: 9 }),
    saved('soon', { ttlMs: 0 }),
    saved('a'),
    saved('a', ABSENT),
    saved('gone', ABSENT),
    saved('late', { ...ABSENT, left: { why: 'rate', detail: '' } }),
    saved('late'),
  ])
    state.add(event);
  const made = [...state.commands((seq) => seq * 10)].map(({ request }) =>
    request.filter((word) => String(word) !== String(Buffer.from(ONE, 'base64'))).join(' '),
  );
  assert.deepEqual(made, [
    'RESTORE a 0 REPLACE',
    'DEL gone',
    'RESTORE late 0 REPLACE',
    'RESTORE ttl 590 REPLACE',
    'RESTORE soon 30 REPLACE',
  ]);
  assert.deepEqual(state.leftOut, []);
});

test('an older server is told as what it is; other refusals in its own words', () => {
  const state = new SnapshotState();
  state.add(saved('a'));
  state.add(saved('b', { ...ABSENT, left: { why: 'refused', detail: 'NOPERM no' } }));
  const report = newSnapshotReport(state);
  const [what] = state.commands(() => 0);
  assert.ok(what !== undefined);
  reportPutBack(report, what, 'ERR DUMP payload version or checksum are wrong');
  reportPutBack(report, what, 'no upstream host');
  assert.deepEqual(snapshotLines(report), [
    'snapshot  0 keys restored   0 that were not there removed',
    '          1 not saved, refused by the server: "b" (NOPERM no)',
    '          "a" NOT restored: its value is in RDB version 10 (Redis 7.0), which this server is too old for',
    '          "a" NOT restored: no upstream host',
  ]);
});
