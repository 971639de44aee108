/** `--ring` under the screen, in a real terminal: `W` writes what is held and goes on holding. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { checkRecording } from '../../bin/check/recording.js';
import { recordingLines } from '../../bin/check/recording-text.js';
import { RecordedCommand } from '../../src/recording/command.js';
import { partPath } from '../../src/recording/sink.js';
import { TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';
import { openTerminal } from '../helpers/pty.js';
import { folder, readAll } from '../helpers/record-files.js';

const { port } = sharedServer();

/** The commands of a file that a ring has written. */
async function written(file: string): Promise<string[]> {
  const { entries, reader } = await readAll(file, true);
  assert.equal(reader.summary().fin?.why, 'flush');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  return entries.flatMap(({ event }) =>
    event instanceof RecordedCommand ? [event.command.argv.map(String).join(' ')] : [],
  );
}

test('W on a ring: what is held is written, and what comes after it is held for the next time', async (t) => {
  const file = path.join(folder(t), 'ring.rmtop');
  const terminal = openTerminal(t, [
    ...['-u', `127.0.0.1:${port()}`, '-l', '127.0.0.1:0'],
    ...['-o', file, '--ring', '10m'],
  ]);
  await terminal.shows([/\[ok\] upstream/, /REC \d/]);
  const [, listen] = /rmtop :(\d+)/.exec(terminal.text()) ?? [];
  const client = await TestClient.connect(Number(listen));
  t.after(() => client.close());
  await client.ask('SET', 'first', '1');
  await client.ask('GET', 'first');
  await terminal.shows(/GET +first/);
  terminal.type('W');
  await terminal.shows([/recorded \S*ring\.rmtop/, /REC \d/]);
  assert.deepEqual(await written(file), ['SET first 1', 'GET first']);
  await client.ask('SET', 'second', '2');
  await terminal.shows(/SET +second/);
  const second = partPath(file, 2);
  assert.ok(!existsSync(second), 'nothing is written that was not asked for');
  terminal.type('W');
  await terminal.shows([/recorded \S*ring-0002\.rmtop/, /REC \d/]);
  assert.deepEqual(await written(second), ['SET second 2']);
  const report = await checkRecording(second);
  assert.deepEqual([report.ok, report.ended], [true, 'flush'], JSON.stringify(report.findings));
  assert.match(recordingLines(report).join('\n'), /all that was in memory[\s\S]*what a ring held/);
  terminal.type('q');
  await terminal.shows(/Quit\? y\/N/);
  terminal.type('y');
  assert.equal((await terminal.ended()).code, 0);
});
