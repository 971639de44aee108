/** `u` and `ctrl-r`: one history over rules, filter and options, whatever changed them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { TestScreen } from '../helpers/model.js';
import { until } from '../helpers/until.js';

const REDO = '\x12';

/** A screen with two commands. */
function screenOf(columns = 120, rows = 36): TestScreen {
  const screen = new TestScreen(columns, rows);
  screen.stream.command({ argv: ['GET', 'a'] });
  screen.stream.command({ argv: ['SET', 'b', '1'] });
  screen.update();
  return screen;
}

/** Types a key and waits for what is said then. */
async function says(screen: TestScreen, keys: string, wanted: RegExp): Promise<void> {
  screen.type(keys);
  await until(() => wanted.test(screen.news()), `${wanted} after ${JSON.stringify(keys)}`);
}

const ons = ({ model }: TestScreen): string =>
  model.desk.rules
    .filter(({ on }) => on)
    .map(({ id }) => id)
    .join(' ');

test('rules, the filter and options are undone in the order they were changed in, and done again', async () => {
  const screen = screenOf();
  await says(screen, 't1', /^t1 ON/);
  screen.type('/cmd=GET\r');
  assert.deepEqual(screen.rows, [1]);
  screen.type(':theme light\r');
  await says(screen, 't2', /^t2 ON/);
  assert.equal(ons(screen), 't1 t2');
  await says(screen, 'u', /^undone: t2 OFF: delay .* \(ctrl-r redo\)$/);
  assert.equal(ons(screen), 't1');
  await says(screen, 'u', /^undone: theme mono /);
  assert.equal(screen.model.styling.theme, 'mono');
  assert.deepEqual(screen.rows, [1]);
  await says(screen, 'u', /^undone: no filter /);
  assert.deepEqual(screen.rows, [1, 2]);
  await says(screen, 'u', /^undone: t1 OFF: error /);
  assert.equal(ons(screen), '');
  await says(screen, 'u', /^nothing to undo$/);
  await says(screen, REDO, /^redone: t1 ON: error .* \(u undo\)$/);
  await says(screen, REDO, /^redone: filter cmd=GET /);
  assert.deepEqual(screen.rows, [1]);
  await says(screen, REDO, /^redone: theme light /);
  await says(screen, REDO, /^redone: t2 ON/);
  assert.equal(ons(screen), 't1 t2');
  await says(screen, REDO, /^nothing to redo$/);
});

test('a new change ends what could be done again', async () => {
  const screen = screenOf();
  screen.type(':time delta\r');
  await says(screen, 'u', /^undone: time clock /);
  screen.type(':time start\r');
  await says(screen, REDO, /^nothing to redo$/);
});

test('rules that were made, changed, removed and loaded come back', async () => {
  const screen = screenOf();
  const before = screen.model.desk.rules;
  await says(screen, 'tn\x15error 5% if cmd=GET\r', /^t5 ON/);
  await says(screen, '5G', /./);
  screen.model.setCursor('faults', 4);
  await says(screen, 'l', /^t5: 10%/);
  await says(screen, 'd', /^t5 removed/);
  await says(screen, 'u', /^undone: t5 ON: error .*10% /);
  await says(screen, 'u', /^undone: t5 ON: error .* 5% /);
  await says(screen, 'u', /^undone: t5 is gone/);
  assert.deepEqual(screen.model.desk.rules, before);
  await says(screen, 't1', /t1 ON/);
  await says(screen, 't2', /t2 ON/);
  await says(screen, 't3', /t3 ON/);
  await says(screen, 't0', /all 3 rules OFF/);
  await says(screen, 'u', /^undone: 4 rules, t1 t2 t3 on/);
});

test('a filter that is being typed is no change yet; one that was given up never was', async () => {
  const screen = screenOf();
  screen.type('/cmd=G\x1b');
  await says(screen, 'u', /^nothing to undo$/);
  screen.type('/cmd=SET\r');
  screen.type('!');
  await says(screen, 'u', /^undone: filter cmd=SET /);
  assert.deepEqual(screen.rows, [2]);
  await says(screen, REDO, /^redone: filter off: cmd=SET /);
  assert.deepEqual(screen.rows, [1, 2]);
});

test('columns, marks only, the line of keys, the mouse and keys are options like any other', async () => {
  const screen = screenOf();
  const { model } = screen;
  screen.type('mM');
  assert.deepEqual(screen.rows, [2]);
  screen.type(':columns key,ms\r');
  screen.type('H');
  screen.type(':mouse on\r');
  screen.type(':key follow ctrl-t\r');
  assert.deepEqual(screen.kept.at(-1), {
    where: 'user',
    path: ['keys', 'follow'],
    value: 'ctrl-t',
  });
  await says(screen, 'u', /^undone: the change of keys /);
  assert.equal(model.keyChoices.size, 0);
  assert.deepEqual(screen.kept.at(-1), { where: 'user', path: ['keys', 'follow'], value: null });
  await says(screen, 'u', /^undone: mouse off /);
  assert.equal(screen.mouse, false);
  await says(screen, 'u', /^undone: line of keys on /);
  assert.ok(model.keyLine);
  await says(screen, 'u', /^undone: columns auto /);
  assert.equal(model.columns, null);
  await says(screen, 'u', /^undone: rows without a mark are shown, too /);
  assert.deepEqual(screen.rows, [1, 2]);
});

test('what is said names the keys in force', async () => {
  const screen = screenOf();
  screen.type(':key undo ctrl-t\r');
  await says(screen, 't1', /^t1 ON: .* \(ctrl-t undo\)$/);
  screen.type(':key close-client ctrl-x\r');
  screen.type(':key show-conns f8\r');
  await says(
    screen,
    '\x18',
    /^ctrl-x closes a client's connection: choose it in pane F8, Clients$/,
  );
  screen.type(':key order ctrl-y\r');
  await says(screen, 'v', /^rows are as they came: ctrl-y sorts them$/);
  await says(screen, '\x14', /^undone: the change of keys /);
  await says(screen, 'v', /^rows are as they came: o sorts them$/);
});
