/** The palette, the help, the command log, options, themes, the mouse, and the filter's line. On the model, key by key. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { COMMANDS } from '../../ui/commands.js';
import { keyHints, tabSpans, tabsLine } from '../../ui/components/foot.js';
import { shownKey } from '../../ui/key-table.js';
import { KEYS } from '../../ui/keys.js';
import { lookOf } from '../../ui/look.js';
import { point } from '../../ui/mouse.js';
import { PANES } from '../../ui/panes.js';
import { columnsOf } from '../../ui/stream/draw.js';
import { KeyDecoder } from '../../ui/terminal/keys.js';
import { supportOf } from '../../ui/terminal/support.js';
import { channels, plain } from '../../ui/text/styles.js';
import { HUES, THEMES } from '../../ui/theme.js';
import { TestScreen } from '../helpers/model.js';
import { until } from '../helpers/until.js';

function withFour(columns?: number, rows?: number): TestScreen {
  const screen = new TestScreen(columns, rows);
  screen.stream.client(1, 'api');
  screen.stream.client(2, 'worker');
  screen.stream.command({ argv: ['SET', 'user:1', 'a'], connection: 2, ms: 3 });
  screen.stream.command({ argv: ['GET', 'user:1'], reply: '$1\r\na\r\n', ms: 1 });
  screen.stream.command({ argv: ['GET', 'cart:1'], reply: '$-1\r\n', ms: 2 });
  screen.stream.command({ argv: ['INCR', 'user:1'], reply: '-ERR not an integer\r\n', ms: 9 });
  screen.update();
  return screen;
}

function noteOf(screen: TestScreen): string {
  const { dialog } = screen.model;
  return dialog?.kind === 'menu' ? dialog.note : '';
}

test('the palette has everything by name, and every key', () => {
  const screen = withFour();
  screen.type(':');
  const all = screen.menu();
  for (const { name, help } of COMMANDS) assert.ok(all.includes(name) && all.includes(help), name);
  for (const { help } of KEYS) assert.ok(all.includes(help), help);
  screen.type('freeze');
  assert.match(screen.menu().split('\n')[0] ?? '', /freeze the screen/);
  screen.type('\r');
  assert.ok(screen.model.feed.frozen);
  screen.type('p:thme');
  assert.match(screen.menu(), /^Command theme/m, 'letters in their order will do');
});

test('what may follow a command is offered, completed and checked', () => {
  const screen = withFour();
  screen.type(':theme li');
  assert.equal(screen.menu(), 'theme light');
  screen.type('\t');
  screen.type('\r');
  assert.equal(screen.model.look.theme.name, 'light');
  screen.type(':theme da\r');
  assert.equal(screen.model.look.theme.name, 'dark', 'the begin of the only option will do');
  screen.type(':theme purple\r');
  assert.equal(noteOf(screen), THEMES.join(', '));
  screen.type('\x15nosuch\r');
  assert.match(noteOf(screen), /there is nothing like that/);
  screen.type('\x15goto\r');
  assert.match(JSON.stringify(screen.model.dialog), /"text":"goto "/);
  screen.type('#2\r');
  assert.equal(screen.model.viewport.focus, 2);
  screen.type(':\x12');
  assert.match(JSON.stringify(screen.model.dialog), /goto #2/);
  screen.type('\x12');
  assert.match(JSON.stringify(screen.model.dialog), /theme da/);
});

test('@ has what was done, as lines that do it again', () => {
  const screen = withFour();
  screen.type('/get\r');
  screen.type('!!');
  screen.type('km');
  screen.type(':columns key,ms\r');
  screen.type('t1');
  screen.type('@');
  const lines = screen
    .menu()
    .split('\n')
    .map((line) => line.replace(/^\S+ /, ''));
  assert.deepEqual(lines.slice(0, 6), [
    ':fault t1 on',
    ':columns key,ms',
    ':mark',
    ':filter on',
    ':filter off',
    ':filter get',
  ]);
  screen.type('columns\r');
  assert.equal(screen.copied.at(-1)?.content, 'columns key,ms');
  screen.type('9');
  assert.match(screen.panes(), /:filter get/);
});

test('every key means one thing, and the help is the table that binds them', () => {
  const names = KEYS.flatMap(({ keys }) => keys);
  assert.equal(new Set(names).size, names.length, 'a key is bound twice');
  const screen = withFour();
  screen.type('?');
  const help = screen.menu();
  for (const { keys, help: text } of KEYS)
    assert.ok(help.includes(`${keys.map(shownKey).join(' ')}  ${text}`), text);
  screen.type('redo');
  assert.equal(screen.menu().split('\n').length, 1);
  screen.type('\x15?');
  assert.match(screen.menu(), /Field rtt>2ms/);
  assert.match(screen.menu(), /Flag nil/);
  screen.type('\x1b');
  screen.type('?more room\r');
  assert.equal(screen.model.zoom, 'full', 'Enter does what the line says');
});

/** As a terminal sends them. */
const BYTES: Readonly<Record<string, string>> = {
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
  home: '\x1b[H',
  end: '\x1b[F',
  pgup: '\x1b[5~',
  pgdn: '\x1b[6~',
  enter: '\r',
  esc: '\x1b',
  tab: '\t',
  f1: '\x1bOP',
  'shift-tab': '\x1b[Z',
};

function bytesOf(key: string): string {
  const letter = /^ctrl-(.)$/.exec(key)?.[1];
  return letter === undefined
    ? (BYTES[key] ?? key)
    : String.fromCharCode(letter.charCodeAt(0) - 0x60);
}

test('each key can be pressed in each pane, with rows and without, and the screen can be drawn afterwards', () => {
  for (const pane of PANES)
    for (const isEmpty of [true, false]) {
      const screen = isEmpty ? new TestScreen(120, 36) : withFour(120, 36);
      for (const key of KEYS.flatMap(({ keys }) => keys)) {
        screen.model.dialog = null;
        screen.model.filterBar.press('esc', '');
        screen.model.show(pane.id);
        screen.type(bytesOf(key));
        screen.panes();
        screen.menu();
        screen.news();
      }
      assert.ok(screen.quits >= 1);
    }
});

test('Tab completes the filter, up and down go through what was typed before', () => {
  const screen = withFour();
  screen.type('/client.n\t');
  assert.equal(screen.model.filterBar.line?.text, 'client.name');
  screen.type('=worker\r');
  assert.deepEqual(screen.rows, [1]);
  screen.type('/\x15why in {ra\t');
  assert.equal(screen.model.filterBar.line?.text, 'why in {random');
  screen.type('\x15node=s0.\t');
  assert.equal(screen.model.filterBar.line?.text, 'node=s0.');
  assert.deepEqual(screen.model.filterBar.completions, ['s0.p', 's0.r1']);
  screen.type('\x15client.name=w\t');
  assert.equal(screen.model.filterBar.line?.text, 'client.name=worker');
  screen.type('\x15err\r');
  assert.deepEqual(screen.rows, [4]);
  screen.type('/\x1b[A');
  assert.equal(screen.model.filterBar.line?.text, 'err');
  screen.type('\x1b[A');
  assert.equal(screen.model.filterBar.line?.text, 'client.name=worker');
  screen.type('\x1b[B\x1b[B');
  assert.equal(screen.model.filterBar.line?.text, '');
  screen.type('\x1b');
  assert.equal(screen.model.filterBar.text, 'err', 'Esc leaves everything as it was');
});

test('* adds the cell under the cursor to the filter, # its opposite, ! switches it off and on', () => {
  const screen = withFour(120, 36);
  screen.type('k*');
  assert.equal(screen.model.filterBar.text, 'key=cart:1');
  assert.deepEqual(screen.rows, [3]);
  screen.type('!');
  assert.equal(screen.rows.length, 4);
  assert.match(screen.bar(), /\(off\) key=cart:1/);
  screen.type('!');
  assert.deepEqual(screen.rows, [3]);
  screen.type('/\x15\rG');
  screen.type('#');
  assert.equal(screen.model.filterBar.text, '!key=user:1');
  assert.deepEqual(screen.rows, [3]);
  screen.type('/\x15get|set\r');
  screen.type('G*');
  assert.match(screen.model.filterBar.text, /^\(get\|set\) & key=cart:1$/);
});

test('every cell that can be chosen gives a condition that fits its own command', () => {
  const screen = withFour(200, 50);
  screen.type('g');
  const conditions = new Set<string>();
  for (let i = 0; i < 20; i++) screen.type('h');
  for (let i = 0; i < 12; i++) {
    screen.type('/\x15\r');
    screen.type(':goto #1\r');
    screen.type('*');
    const { text } = screen.model.filterBar;
    if (text !== '') assert.ok(screen.rows.includes(1), `${text} does not fit #1`);
    conditions.add(text);
    screen.type('l');
  }
  for (const wanted of [
    'client.name=worker',
    'cmd=SET',
    'key=user:1',
    'rtt>=3000us',
    'rep.size>=5B',
  ])
    assert.ok(conditions.has(wanted), `${wanted} is not among ${[...conditions].join('   ')}`);
});

test('K gives an action another key: the help, the line of keys and the tabs show it, the old one is free', () => {
  const screen = withFour();
  const { model } = screen;
  const hints = (): string =>
    keyHints(model, 80)
      .map((each) => `${each.name} ${each.hint}`)
      .join();
  screen.type('Kfollow\r');
  assert.match(screen.news(), /Press the key for follow; Esc leaves it/);
  screen.type('\x1b');
  assert.equal(screen.kept.length, 0);
  screen.type('\r');
  screen.type('q');
  assert.match(noteOf(screen), /q is the key of back-or-quit/);
  screen.type('\r');
  screen.type('T');
  assert.deepEqual(screen.kept, [{ where: 'user', path: ['keys', 'follow'], value: 'T' }]);
  assert.match(screen.menu(), /^yours follow {2}T /);
  screen.type('\x1b');
  assert.match(hints(), /T follow/);
  screen.type('k');
  screen.type('F');
  assert.equal(model.viewport.follow, false, 'F does nothing now');
  screen.type('T');
  assert.equal(model.viewport.follow, true);
  screen.type(':key freeze F ctrl-g\r');
  screen.type('F');
  assert.ok(model.feed.frozen);
  screen.type('\x07');
  assert.ok(!model.feed.frozen);
  screen.type(':key show-slots s\r');
  screen.type('s');
  assert.equal(model.pane, 'slots');
  assert.ok(tabSpans(model, 80).length > 0);
  assert.match(plain(tabsLine(model, 80)), / \[s Slots\] /);
  screen.type('?follow');
  assert.match(screen.menu(), /^Find T {2}follow the newest/m);
  screen.type('\x1b');
  screen.type(':key freeze default\r');
  screen.type('Kfollow');
  screen.type('\x1b[3~');
  assert.deepEqual(screen.kept.at(-1), { where: 'user', path: ['keys', 'follow'], value: null });
  assert.match(noteOf(screen), /^$/);
});

test('a key that is taken, or none, is told with what to do; the usual key comes back only where it is free', () => {
  const screen = withFour();
  screen.type(':key folow x\r');
  assert.equal(noteOf(screen), 'no key does folow; try follow');
  screen.type('\x15key follow pgdwn\r');
  assert.equal(noteOf(screen), 'there is no key pgdwn; try PgDn');
  screen.type('\x15key follow 1\r');
  assert.match(noteOf(screen), /^1 is the key of show-stream/);
  screen.type('\x15key order none\r');
  assert.equal(noteOf(screen), '');
  screen.type(':key follow o\r');
  screen.type(':key order default\r');
  assert.equal(noteOf(screen), 'o is the key of follow now: give that another first');
  assert.equal(screen.model.keyChoices.get('order')?.length, 0);
});

test('/ in a pane of text finds in it: n and N go on, what is found stands out, the filter stays as it was', () => {
  const screen = withFour();
  const { model } = screen;
  screen.type('g');
  screen.type('\r]]');
  screen.panes();
  screen.type('/user');
  assert.equal(model.filterBar.line, null);
  assert.match(screen.news(), /find in Detail> user/);
  screen.type('\r');
  assert.match(screen.news(), /1 of \d/);
  const { found } = model.scrolls.detail;
  assert.ok(found !== null);
  screen.type('9/filter');
  assert.match(screen.news(), /find in Log> /);
  screen.type('\x1b');
  screen.type('6/get\r');
  assert.equal(model.filterBar.text, 'get', 'a pane of figures is none of text');
  screen.type('?/freeze');
  assert.match(screen.menu(), /^Find p {2}freeze/);
});

test('a filter is kept by name, and used by it', () => {
  const screen = withFour();
  screen.type('/get\r');
  screen.type(':filter save reads\r');
  assert.deepEqual(screen.kept, [{ where: 'user', path: ['filters', 'reads'], value: 'get' }]);
  screen.type(':filter\r');
  assert.equal(screen.rows.length, 4);
  screen.type(':filter @re');
  assert.match(screen.menu(), /filter @reads/);
  screen.type('\r');
  assert.deepEqual(screen.rows, [2, 3]);
  screen.type(':filter @nosuch\r');
  assert.match(noteOf(screen), /there is no filter @nosuch: reads/);
});

test('O shows what can be set and what it is set to', () => {
  const screen = withFour();
  screen.type('O');
  assert.match(screen.menu(), /\[x\] theme mono/);
  screen.type('contrast\r');
  assert.match(screen.menu(), /\[x\] theme contrast/);
  screen.type('symbols block\r');
  assert.equal(screen.model.look.symbols, 'block');
  assert.match(screen.menu(), /\[x\] symbols block +test: .*█/);
  screen.type('mouse\r');
  assert.equal(screen.mouse, true);
  screen.type('time delta\r');
  assert.equal(screen.model.time, 'delta');
  screen.type('\x1b');
  screen.type(':columns key,ms\r');
  screen.type('Okeep\r');
  assert.deepEqual(
    screen.kept.splice(0).map(({ where, path, value }) => [where, ...path, value]),
    [
      ['user', 'theme', 'contrast'],
      ['user', 'symbols', 'block'],
      ['user', 'mouse', true],
      ['user', 'columns', ['key', 'ms']],
    ],
  );
  screen.type('\x1b');
  screen.type('/get\r');
  screen.type(':filter save reads\r');
  screen.kept.length = 0;
  screen.type('\x1b');
  screen.type('Okeep project\r');
  assert.deepEqual(
    screen.kept.map(({ where, path, value }) => [where, ...path, value]),
    [
      ['project', 'columns', ['key', 'ms']],
      ['project', 'filters', 'reads', 'get'],
    ],
  );
  assert.match(screen.news(), /kept in settings.yaml: columns, filters.reads/);
  screen.type('\x1b');
  screen.type(':keep both\r');
  assert.equal(noteOf(screen), 'user, project');
});

function luminance(hex: string): number {
  const [r, g, b] = channels(hex).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}

test('each colour can be read on the background it is for', () => {
  const onBlack = (hex: string): number => (luminance(hex) + 0.05) / 0.05;
  const onWhite = (hex: string): number => 1.05 / (luminance(hex) + 0.05);
  for (const [meaning, hue] of Object.entries(HUES)) {
    assert.ok(onBlack(hue.dark) >= 4.5, `${meaning} dark: ${onBlack(hue.dark)}`);
    assert.ok(onWhite(hue.light) >= 4.5, `${meaning} light: ${onWhite(hue.light)}`);
    assert.ok(onBlack(hue.contrast) >= 7, `${meaning} contrast: ${onBlack(hue.contrast)}`);
    assert.ok(onWhite(hue['contrast-light']) >= 7, `${meaning}: ${onWhite(hue['contrast-light'])}`);
  }
});

test('a theme is the flag’s, else the environment’s, else by the background', () => {
  const look = (env: Record<string, string>, theme: 'light' | null, isLight: boolean): string => {
    const support = supportOf({ TERM: 'xterm-256color', ...env }, 'auto', theme);
    return lookOf({ ...support, symbols: 'auto', isLight }).theme.name;
  };
  assert.equal(look({}, null, false), 'dark');
  assert.equal(look({}, null, true), 'light');
  assert.equal(look({ RMTOP_THEME: 'contrast' }, null, true), 'contrast-light');
  assert.equal(look({ RMTOP_THEME: 'mono' }, 'light', false), 'light');
  assert.equal(supportOf({ COLORFGBG: '0;15' }, 'auto').isLight, true);
  assert.equal(supportOf({}, 'auto').isLight, null);
});

test('reports of the mouse are decoded, whole or in pieces; others are left out', () => {
  const decoder = new KeyDecoder();
  const push = (text: string): unknown[] => decoder.push(Buffer.from(text));
  assert.deepEqual(push('\x1b[<0;5;7M'), [{ kind: 'mouse', what: 'click', x: 4, y: 6 }]);
  assert.deepEqual(push('\x1b[<0;5'), []);
  assert.deepEqual(push(';7m'), [], 'the button goes up');
  assert.deepEqual(push('\x1b[<64;1;1M\x1b[<65;300;200M'), [
    { kind: 'mouse', what: 'wheel-up', x: 0, y: 0 },
    { kind: 'mouse', what: 'wheel-down', x: 299, y: 199 },
  ]);
  assert.deepEqual(push('\x1b[<35;1;1M\x1b[<0;0;0M\x1b[<M'), []);
});

test('a click focuses, opens, sorts, shows a pane and does what the line of keys names; the wheel scrolls', async () => {
  const screen = withFour();
  const { model } = screen;
  const at = (x: number, y: number, what: 'click' | 'wheel-up' | 'wheel-down' = 'click'): void => {
    point(model, { kind: 'mouse', what, x, y }, screen.update());
    screen.update();
  };
  const firstRow = 4;
  at(10, firstRow + 1);
  assert.equal(model.viewport.focus, 2);
  assert.equal(model.pane, 'stream');
  at(10, firstRow + 1);
  assert.equal(model.pane, 'detail', 'again: it is opened');
  const faults = tabSpans(model, 80).find(({ pane }) => pane.id === 'faults');
  at(faults?.from ?? 0, 1);
  assert.equal(model.pane, 'faults');
  screen.type('1');
  at(10, firstRow, 'wheel-down');
  assert.equal(model.viewport.focus, 4);
  at(10, firstRow, 'wheel-up');
  assert.equal(model.viewport.focus, 1);
  let head = 0;
  for (const column of columnsOf(model, 80)) {
    if (column.id === 'ms') break;
    head += column.width + 1;
  }
  at(head, firstRow - 1);
  await until(() => model.viewport.ordered !== null, 'sorted');
  assert.deepEqual(screen.model.viewport.ordered?.order, { column: 'ms', reverse: false });
  at(head, firstRow - 1);
  assert.equal(model.viewport.ordered?.order.reverse, true);
  const help = keyHints(model, 80).find(({ name }) => name === '?');
  at(help?.from ?? 0, 23);
  assert.match(screen.menu(), /next row/);
  at(10, firstRow + 1, 'wheel-down');
  assert.equal(model.dialog?.kind === 'menu' && model.dialog.at, 1);
  screen.type('\x1b');
  at(10, 2);
  assert.ok(model.filterBar.line !== null);
});

test('function keys are keys with names, in the ways that terminals send them; F1 is the help', () => {
  const decoder = new KeyDecoder();
  const names = (bytes: string): readonly string[] =>
    decoder
      .push(Buffer.from(bytes))
      .map((input) => (input.kind === 'key' ? input.name : input.kind));
  assert.deepEqual(names('\x1bOP\x1bOS'), ['f1', 'f4']);
  assert.deepEqual(names('\x1b[11~\x1b[15~\x1b[17~\x1b[24~'), ['f1', 'f5', 'f6', 'f12']);
  assert.deepEqual(names('\x1b[[A\x1b[[Ej'), ['f1', 'f5', 'j']);
  assert.deepEqual(names('\x1b[1;2P\x1b[15;5~'), ['shift-f1', 'ctrl-f5']);
  assert.deepEqual(names('\x1b['), []);
  assert.deepEqual(names('['), []);
  assert.deepEqual(names('B'), ['f2']);
  const screen = withFour();
  screen.type('\x1bOP');
  assert.match(screen.menu(), /\? F1 {2}this help/);
  screen.type('\x1b');
  screen.type(':key filter F5\r');
  screen.type('\x1b[15~');
  assert.ok(screen.model.filterBar.line !== null);
});
