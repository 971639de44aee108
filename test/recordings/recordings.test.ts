/** Every file in `recordings/`: it opens, the replay law holds, and fresh servers give it the same replies. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { REPLAY_DEFAULTS, type ReplayFlags } from '../../bin/replay/flags.js';
import { replayRecording } from '../../bin/replay/run.js';
import { RecordedCommand } from '../../src/recording/command.js';
import { openRecording } from '../../src/recording/reader.js';
import { checkLaw } from '../../src/recording/verify.js';
import { ask, sharedCluster, sharedServer } from '../helpers/cluster.js';
import { RECORDINGS } from '../helpers/record-files.js';
import { SCENES, type Stage } from './scenes.js';

const { cluster } = sharedCluster();
const aside = sharedServer();

function fileOf(name: string): string {
  return path.join(RECORDINGS, `${name}.rmtop`);
}

test('there is a recording of every scene, and of nothing else', () => {
  const files = readdirSync(RECORDINGS).map((file) => path.basename(file, '.rmtop'));
  assert.deepEqual(files.sort(), SCENES.map(({ name }) => name).sort());
});

for (const { name } of SCENES)
  test(`${name}: it is whole, and each command decides the same again`, async () => {
    const reader = await openRecording(fileOf(name), { strict: true });
    let commands = 0;
    for await (const entries of reader.batches())
      for (const { event } of entries) {
        if (!(event instanceof RecordedCommand)) continue;
        commands++;
        assert.equal(checkLaw(event, reader.context), null);
      }
    const { fin, torn, lastSeq } = reader.summary();
    assert.deepEqual([fin?.why, torn, lastSeq], ['quit', null, commands]);
    assert.ok(commands > 5);
  });

test('a decision that was changed breaks the law', async () => {
  const reader = await openRecording(fileOf('session'));
  const broken: (string | undefined)[] = [];
  for await (const entries of reader.batches())
    for (const { event } of entries) {
      if (!(event instanceof RecordedCommand) || event.json.rt !== 'cart:') continue;
      const other = new RecordedCommand(
        { ...event.json, rt: '*' },
        reader.context,
        event.decidedBy,
      );
      broken.push(checkLaw(other, reader.context)?.field);
    }
  assert.ok(broken.length > 0);
  assert.deepEqual(new Set(broken), new Set(['rt']));
});

/** Flags of a replay as fast as it goes. */
function flagsOf(more: Partial<ReplayFlags>): ReplayFlags {
  const upstream = `127.0.0.1:${cluster().nodes[0]?.port ?? 0}`;
  return { ...REPLAY_DEFAULTS, upstream, speed: 'max', guard: '30s', ...more };
}

for (const { name, replay, setUp } of SCENES) {
  if (replay === null) continue;
  test(`${name}: fresh servers give the same replies, and the mesh decides the same`, async () => {
    const { nodes } = cluster();
    for (const node of nodes.slice(0, 3)) await ask(node.port, ['FLUSHALL']);
    const stage: Stage = {
      ports: nodes.map((node) => node.port),
      aside: aside.port(),
      kill: async () => {},
    };
    await setUp?.(stage);
    const { report, outcome, exitCode } = await replayRecording(fileOf(name), flagsOf(replay));
    assert.deepEqual([report.differences, report.routes, outcome.closed], [[], [], []]);
    assert.equal(exitCode, 0);
    assert.ok(report.same > 5);
  });
}

test('failover: fresh servers differ where the dead one had failed, and nowhere else', async () => {
  const { report, exitCode } = await replayRecording(fileOf('failover'), flagsOf({ flush: true }));
  assert.equal(exitCode, 1);
  assert.ok(report.differences.length > 0);
  for (const { recorded } of report.differences)
    assert.match(recorded, /upstream failure|"during"|"before"/);
});
