/** Settings files: found, checked, put in the place of flags; the order of precedence; and keeping one. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { RmtopError } from 'rmtop';
import { keepSetting } from '../../bin/settings/keep.js';
import { readSettings } from '../../bin/settings/read.js';
import { SETTINGS, settingsSchema } from '../../bin/settings/table.js';
import { runProgram, startProgram } from '../helpers/program.js';

type Place = { readonly home: string; readonly project: string; readonly deep: string };

function place(t: TestContext, files: Readonly<Record<string, string>> = {}): Place {
  const root = mkdtempSync(path.join(tmpdir(), 'rmtop-settings-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const home = path.join(root, 'home');
  const project = path.join(root, 'project');
  const deep = path.join(project, 'a', 'b');
  mkdirSync(path.join(home, '.config', 'rmtop'), { recursive: true });
  mkdirSync(deep, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(root, name), text);
  return { home, project, deep };
}

const USER = 'home/.config/rmtop/config.yaml';
const PROJECT = 'project/rmtop.yaml';

test('the project’s file is found from below, and comes before the user’s', (t) => {
  const { home, project, deep } = place(t, {
    [PROJECT]:
      'envoy: 1.40\nmesh: [mesh.yaml]\ncolumns: key, slot\ndelimiter: /\nfilters: { slow: rtt>10ms }\n',
    [USER]:
      'envoy: 1.36\ntheme: light\nmouse: true\nfps: 5\nfilters: { slow: rtt>1s, errs: err }\n',
  });
  const { files, values, filters } = readSettings({}, { HOME: home }, deep);
  assert.equal(files.length, 2);
  const said = Object.fromEntries([...values].map(([name, { value }]) => [name, value]));
  assert.deepEqual(said, {
    envoy: '1.40',
    mesh: [path.join(project, 'mesh.yaml')],
    columns: ['key', 'slot'],
    delimiter: '/',
    theme: 'light',
    mouse: true,
    fps: '5',
  });
  assert.deepEqual(filters, { slow: 'rtt>10ms', errs: 'err' });
  assert.deepEqual(readSettings({ config: false }, { HOME: home }, deep).files, []);
  const other = path.join(project, 'other.yaml');
  writeFileSync(other, '');
  assert.deepEqual(readSettings({ config: other }, { HOME: home }, deep).files, [other]);
});

const WRONG: readonly (readonly [text: string, at: string, message: RegExp])[] = [
  ['upsteam: a', '1:1', /there is no setting upsteam, did you mean upstream\?/],
  ['envoy: 1.40\nread-policy: NEAREST', '2:1', /read-policy is one of MASTER, /],
  ['mouse: maybe', '1:1', /mouse is true or false/],
  ['fps: fast', '1:1', /fps is a number/],
  ['upstream: [a, b]', '1:1', /upstream is one value/],
  ['- a', '1:1', /not a map/],
  ['a: [', '', /./],
  ['envoy: 1\nenvoy: 2', '2:1', /unique/i],
  ['password: hunter2', '1:1', /secrets are not kept in settings/],
  ['upstream: redis://:hunter2@h:1', '1:1', /has a password in it/],
  ['filters:\n  a: kye=1', '2:3', /unknown field "kye" at column 1 of the filter/],
  ['filters: err', '1:1', /is a map/],
  ['tolerances: none', '1:1', /tolerances is a list/],
  ['tolerances:\n  - tll=5s', '2:5', /'tll=5s' is not understood: wanted/],
  ['tolerances:\n  - iff: all', '2:5', /a rule has no iff, did you mean if\?/],
  ['tolerances:\n  - ignore: true', '2:5', /a rule has an if/],
  [
    'tolerances:\n  - if: all\n    path: [3]',
    '3:12',
    /path is text: put it in quotes, as '\[3\]\.name'/,
  ],
  ['tolerances:\n  - if: all\n    path: [3].name', '3:14', /a path needs quotes, as '\[3\]\.name'/],
  ['tolerances:\n  - if: all\n    path: [*]', '3:12', /a path needs quotes, as '\[3\]\.name'/],
  ['tolerances:\n  - if: kye=1\n    ignore: true', '2:9', /unknown field "kye" at column 1/],
  ['tolerances:\n  - if: all\n    json: [$.a, $]', '3:11', /is all of it/],
  ['tolerances:\n  - if: all\n    within: 5x', '3:13', /5x is no amount/],
  ['tolerances:\n  - if: all\n    ignore:', '3:', /ignore has no value/],
  ['redaction: values', '1:1', /redaction is a list of rules/],
  ['redaction:\n  - if: all\n    args: 2', '3:5', /a rule has no args, did you mean arg\?/],
  ['redaction:\n  - if: all\n    arg: 0', '3:10', /0 is no argument/],
  ['redaction:\n  - arg: 2', '2:5', /a rule has an if/],
  ['redaction:\n  - if: arg=x\n    arg: 2', '2:9', /"arg" is not asked here/],
  ['redaction:\n  - if: all\n    json: email', '3:11', /begins with \$/],
  ['keys: F', '1:1', /keys is a map: an action/],
  ['keys:\n  folow: T', '2:3', /no key does folow/],
  ['keys:\n  follow: ctrl-shift-q', '2:3', /there is no key ctrl-shift-q/],
  ['keys:\n  follow: ctrl-i', '2:3', /ctrl-i is Tab to a terminal/],
  ['keys:\n  follow: alt-x', '2:3', /alt is Esc and another key/],
  ['keys:\n  follow: #', '2:3', /follow has no key/],
  ['keys:\n  interrupt: x', '2:3', /interrupt has its key for good/],
  ['keys:\n  # two for one\n  freeze: T\n  follow: [F, q]', '4:3', /q is the key of back-or-quit/],
  ['keys:\n  freeze: T\n  follow: T', '2:3', /T is the key of follow/],
];

for (const [text, at, message] of WRONG)
  test(`says what is wrong with ${JSON.stringify(text)}, and where`, (t) => {
    const { home, deep, project } = place(t, { [PROJECT]: text });
    assert.throws(
      () => readSettings({}, { HOME: home }, deep),
      (error: unknown) => {
        assert.ok(error instanceof RmtopError);
        assert.equal(error.code, 'SETTINGS');
        assert.match(error.message, message);
        assert.ok(error.message.startsWith(`${path.join(project, 'rmtop.yaml')}:${at}`));
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      },
    );
  });

test('keys of both files go together, the project’s over the user’s; what is free may be taken', (t) => {
  const { home, deep } = place(t, {
    [PROJECT]: 'keys: { follow: T }\n',
    [USER]:
      "keys:\n  follow: x\n  freeze: [Space, F]\n  page-down: ctrl-f\n  order: []\n  note: '#'\n  hide-this: o\n",
  });
  const { keys } = readSettings({}, { HOME: home }, deep);
  assert.deepEqual(Object.fromEntries(keys), {
    follow: ['T'],
    freeze: [' ', 'F'],
    'page-down': ['ctrl-f'],
    order: [],
    note: ['#'],
    'hide-this': ['o'],
  });
});

test('tolerances of both files are in force; rmtop config shows them', async (t) => {
  const { home, deep, project } = place(t, {
    [PROJECT]: 'tolerances:\n  - if: key=session:*\n    json: [$.ts, $..at]\n  - latency=p99<2x\n',
    [USER]:
      'tolerances:\n  - { name: counts, if: cmd=INCR, within: 5% }\nredaction:\n  - { if: key=a, arg: [2, 3] }\n',
  });
  const { tolerances, redaction } = readSettings({}, { HOME: home }, deep);
  assert.deepEqual(redaction, [{ if: 'key=a', arg: [2, 3] }]);
  assert.deepEqual(tolerances, [
    { name: 'counts', if: 'cmd=INCR', within: '5%' },
    { if: 'key=session:*', json: ['$.ts', '$..at'] },
    'latency=p99<2x',
  ]);
  const file = path.join(project, 'rmtop.yaml');
  const shown = await runProgram(t, ['config', '--config', file], { HOME: home });
  assert.match(
    shown.stdout,
    /^tolerances:\n {2}- \{"if":"key=session:\*",.*\n {2}- "latency=p99<2x"$/m,
  );
  // What it prints is YAML again.
  const again = path.join(project, 'again.yaml');
  writeFileSync(again, shown.stdout);
  assert.deepEqual(
    readSettings({ config: again }, { HOME: home }, deep).tolerances,
    tolerances.slice(1),
  );
});

test('what is wrong with a key names what to write instead', (t) => {
  const { home, deep } = place(t, { [USER]: 'keys: { folow: T }\n' });
  const nextOf = (): readonly string[] => {
    try {
      readSettings({}, { HOME: home }, deep);
    } catch (error) {
      if (error instanceof RmtopError) return error.next;
    }
    return [];
  };
  assert.deepEqual(nextOf(), ['follow', 'rmtop keys']);
  writeFileSync(path.join(home, '.config/rmtop/config.yaml'), 'keys: { follow: q }\n');
  assert.deepEqual(nextOf(), ['back-or-quit: another key', 'rmtop keys']);
});

test('rmtop keys and rmtop config show the keys as the settings have them', async (t) => {
  const { home } = place(t, { [USER]: 'keys: { follow: ctrl-t, order: [] }\n' });
  const env = { HOME: home };
  const { stdout } = await runProgram(t, ['keys', '--json'], env);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const keysOf = (action: string): unknown => lines.find((line) => line.action === action)?.keys;
  assert.deepEqual([keysOf('follow'), keysOf('order'), keysOf('quit')], [['ctrl-t'], [], ['Q']]);
  assert.match((await runProgram(t, ['keys'], env)).stdout, /ctrl-t +follow +follow the newest/);
  const built = await runProgram(t, ['keys', '--no-config'], env);
  assert.match(built.stdout, /F +follow +follow the newest/);
  const config = await runProgram(t, ['config'], env);
  assert.match(config.stdout, /^keys:\n {2}follow: \["ctrl-t"\]\n {2}order: \[\]$/m);
});

test('a secret is not kept; a link to the file stays a link; what is taken out is gone', (t) => {
  const { home } = place(t, { [USER]: 'theme: light\nkeys: { follow: T }\n' });
  const file = path.join(home, '.config/rmtop/config.yaml');
  for (const [keys, value] of [
    [['upstream'], 'redis://me:hunter2@h:1'],
    [['password'], 'hunter2'],
    [['filters', 'slow'], 'client=redis://:hunter2@h'],
  ] as const) {
    const kept = keepSetting(file, keys, value);
    assert.match(kept.kind === 'problem' ? kept.message : '', /looks like a secret/);
  }
  const link = path.join(home, 'link.yaml');
  symlinkSync(file, link);
  assert.equal(keepSetting(link, ['theme'], 'dark').kind, 'kept');
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(keepSetting(file, ['keys', 'follow'], null).kind, 'kept');
  assert.equal(keepSetting(file, ['keys', 'never'], null).kind, 'kept');
  assert.equal(keepSetting(file, ['filters', 'never'], null).kind, 'kept');
  const { values, keys } = readSettings({}, { HOME: home }, home);
  assert.equal(values.get('theme')?.value, 'dark');
  assert.equal(keys.size, 0);
});

test('a setting is kept where it belongs, comments and all; a new file is for its owner only, another stays as it was', (t) => {
  const { home } = place(t, { [USER]: '# mine\ntheme: light # bright here\n' });
  const file = path.join(home, '.config/rmtop/config.yaml');
  chmodSync(file, 0o644);
  assert.equal(keepSetting(file, ['filters', 'slow'], 'rtt>10ms').kind, 'kept');
  assert.equal(keepSetting(file, ['columns'], ['key', 'ms']).kind, 'kept');
  const text = readFileSync(file, 'utf8');
  assert.match(text, /# mine\ntheme: light # bright here\n/);
  assert.match(text, /filters:\n {2}slow: rtt>10ms\n/);
  assert.equal(statSync(file).mode & 0o777, 0o644);
  assert.deepEqual(readSettings({}, { HOME: home }, home).filters, { slow: 'rtt>10ms' });
  const fresh = path.join(home, 'new', 'folder', 'config.yaml');
  assert.equal(keepSetting(fresh, ['theme'], 'dark').kind, 'kept');
  assert.equal(statSync(fresh).mode & 0o777, 0o600);
  assert.equal(keepSetting(fresh, ['fps'], '5').kind, 'kept');
  assert.match(readFileSync(fresh, 'utf8'), /^# .*rmtop config --schema.*\n\ntheme: dark\nfps: /);
  assert.equal(keepSetting('/dev/null/no', ['theme'], 'dark').kind, 'problem');
});

test('a flag comes before the environment, that before the files; rmtop config says which it was', async (t) => {
  const { home, project } = place(t, {
    [PROJECT]: 'upstream: 127.0.0.1:7001\nlisten: 127.0.0.1:7002\ntheme: dark\n',
  });
  const file = path.join(project, 'rmtop.yaml');
  const env = { HOME: home, RMTOP_CONFIG: file };
  const shown = await runProgram(t, ['config'], {
    ...env,
    RMTOP_UPSTREAM: 'redis://:hunter2@10.0.0.1:6379',
  });
  assert.equal(shown.code, 0);
  assert.match(shown.stdout, /^upstream: redis:\/\/\*\*\*@10\.0\.0\.1:6379 +# \$RMTOP_UPSTREAM$/m);
  assert.match(shown.stdout, new RegExp(`^listen: .*7002" +# ${file}:2$`, 'm'));
  // Each address is one that cannot be listened on, so what is refused tells which was taken.
  const listen = async (args: string[], more: NodeJS.ProcessEnv): Promise<string> => {
    const { stderr } = await runProgram(t, ['--no-tui', ...args], { ...env, ...more });
    return /'([^']*)' is not an address/.exec(stderr)?.[1] ?? stderr;
  };
  writeFileSync(file, 'listen: from-file\n');
  assert.equal(await listen([], {}), 'from-file');
  assert.equal(await listen([], { RMTOP_LISTEN: 'from-env' }), 'from-env');
  assert.equal(await listen(['-l', 'from-flag'], { RMTOP_LISTEN: 'from-env' }), 'from-flag');
  const free = startProgram(t, ['--no-tui', '--no-config', '-l', '127.0.0.1:0'], env);
  await free.says(/listening on 127\.0\.0\.1:\d+/);
});

test('a wrong file ends every command that heeds it, with the place and no stack', async (t) => {
  const { home, project } = place(t, { [PROJECT]: 'upsteam: a\n' });
  const env = { HOME: home, RMTOP_CONFIG: path.join(project, 'rmtop.yaml') };
  for (const args of [['--no-tui'], ['explain', 'GET', 'a'], ['record'], ['config']]) {
    const { code, stderr } = await runProgram(t, args, env);
    assert.equal(code, 64, args.join(' '));
    assert.match(stderr, /^error\[SETTINGS\]: .*rmtop\.yaml:1:1: there is no setting upsteam/);
    assert.doesNotMatch(stderr, /\n +at /);
  }
});

test('the schema knows every setting', () => {
  const { properties } = settingsSchema() as { readonly properties: object };
  assert.deepEqual(Object.keys(properties), [
    ...SETTINGS.map(({ name }) => name),
    'filters',
    'tolerances',
    'redaction',
    'keys',
  ]);
});

test('every setting is a flag of the plain command, or of the screen alone', async (t) => {
  const { stdout } = await runProgram(t, ['--help']);
  for (const { name, of } of SETTINGS)
    if (of !== 'ui') assert.match(stdout, new RegExp(`--${name}\\b`), name);
});
