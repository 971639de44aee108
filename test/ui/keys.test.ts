/** Every key in every pane: it has one meaning, breaks nothing, and what is drawn after it fits. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { act } from '../../ui/input.js';
import { KEYS } from '../../ui/keys.js';
import { PANES } from '../../ui/panes.js';
import { widthOf } from '../../ui/text/fit.js';
import { TestScreen } from '../helpers/model.js';

const names = KEYS.flatMap((binding) => binding.keys);

test('a key has one meaning', () => {
  const twice = names.filter((name, i) => names.indexOf(name) !== i);
  assert.deepEqual(twice, []);
});

function filled(columns: number, rows: number): TestScreen {
  const screen = new TestScreen(columns, rows);
  const { stream } = screen;
  stream.client(1, 'api-1');
  for (let i = 0; i < 40; i++)
    stream.command({ argv: ['SET', `user:${i % 5}`, 'v'], atMs: i * 10 });
  stream.command({ argv: ['NOSUCH', 'a'], reply: "-ERR unknown command 'NOSUCH'\r\n" });
  stream.pending('GET', 'user:1');
  screen.update();
  return screen;
}

/** A key as the decoder names it; what types something says so. */
function press(screen: TestScreen, name: string): void {
  act(screen.model, { kind: 'key', name, text: name.length === 1 ? name : '' });
}

test('every key in every pane: nothing breaks, what is drawn fits, and Esc leads back', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-keys-'));
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });
  const [columns, rows] = [80, 24];
  for (const pane of PANES) {
    const screen = filled(columns, rows);
    const { model } = screen;
    for (const name of names) {
      model.show(pane.id);
      const what = `${name} in ${pane.id} at ${columns}x${rows}`;
      try {
        press(screen, name);
        for (const line of screen.panes().split('\n'))
          assert.ok(widthOf(line) <= columns, `${what}: too wide: ${line}`);
        for (let i = 0; i < 4 && (model.dialog !== null || model.pane !== 'stream'); i++)
          press(screen, 'esc');
        if (model.filterBar.line !== null) press(screen, 'esc');
      } catch (error) {
        throw new TypeError(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
      }
      assert.equal(model.dialog, null, `${what}: something stays open`);
      assert.equal(model.filterBar.line, null, `${what}: the filter is still being typed`);
      assert.equal(model.pane, 'stream', `${what}: Esc does not lead back`);
      if (model.feed.frozen) press(screen, 'p');
    }
  }
  assert.deepEqual(readdirSync(folder), [], 'no key alone writes a file');
});
