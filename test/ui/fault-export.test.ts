/** `:fault export`: rules that are on become a RedisService that loads as what they were; the others are named. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { load } from '../helpers/mesh-files.js';
import { TestScreen } from '../helpers/model.js';
import { folder } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';

test('what the mesh can do is exported, what it cannot is said', async (t) => {
  const screen = new TestScreen(120, 36);
  const file = path.join(folder(t), 'faults.yaml');
  screen.type(`:fault export ${file}\r`);
  assert.match(JSON.stringify(screen.model.dialog), /what is on is exported/);
  screen.type('\x1b');
  screen.type('\x1b');
  for (const rule of ['error 20% if cmd=GET', 'hang 5%']) {
    const known = screen.model.desk.rules.length;
    screen.type(`:fault add ${rule}\r`);
    await until(() => screen.model.desk.rules.length > known, rule);
  }
  await until(() => screen.model.desk.on === 2, 'both are on');
  screen.type(`:fault export ${file}\r`);
  assert.match(screen.news(), /is left out: the mesh has no hang/);
  const text = readFileSync(file, 'utf8');
  assert.match(text, /^# t\d is left out: the mesh has no hang$/m);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const [listener] = load(text).listeners;
  assert.deepEqual(
    listener?.config.faults.map(({ percent, commands, action }) => [
      percent,
      commands,
      action.kind,
    ]),
    [[20, ['get'], 'error']],
  );
});
