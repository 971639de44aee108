/** Reading traffic and the comforts in the real program on a real terminal. One terminal for as much as can be, for each start costs seconds. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';
import { openTerminal, type ProgramTerminal } from '../helpers/pty.js';
import { until } from '../helpers/until.js';

const { port } = sharedServer();

type Place = { readonly home: string; readonly settings: string };

/** A home of its own, with settings in it. */
function place(t: TestContext, settings: string): Place {
  const home = mkdtempSync(path.join(tmpdir(), 'rmtop-home-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const folder = path.join(home, '.config', 'rmtop');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'config.yaml');
  writeFileSync(file, settings);
  return { home, settings: file };
}

async function opened(t: TestContext, home: string): Promise<ProgramTerminal> {
  const args = ['-u', `127.0.0.1:${port()}`, '-l', '127.0.0.1:0'];
  const terminal = openTerminal(t, args, { env: { HOME: home, SSH_TTY: '/dev/pts/0' } });
  await terminal.shows(/\[ok\] upstream/);
  return terminal;
}

async function client(t: TestContext, terminal: ProgramTerminal): Promise<TestClient> {
  const [, listen] = /rmtop :(\d+)/.exec(terminal.text()) ?? [];
  const made = await TestClient.connect(Number(listen));
  t.after(() => made.close());
  return made;
}

/** What the terminal was asked to put on the clipboard last. */
function clipboard({ output }: ProgramTerminal): string {
  const [, base64 = ''] = [...output.matchAll(/\x1b\]52;c;([^\x07]*)\x07/g)].at(-1) ?? [];
  return Buffer.from(base64, 'base64').toString();
}

test('marks, notes, order, find, copies, files, decoding and the palette', async (t) => {
  const { home } = place(t, '');
  const terminal = await opened(t, home);
  const app = await client(t, terminal);
  await app.ask('SET', 'json', '{"id":12345678901234567890}');
  await app.ask('SET', 'packed', gzipSync('{"in":"gzip"}'));
  await app.ask('GET', 'json');
  await app.ask('GET', 'packed');
  await terminal.shows(/> +4 .*GET +packed/);

  terminal.type('kkm');
  await terminal.shows(/>\* +2 .*SET +packed/);
  terminal.type(';look here\r');
  await terminal.shows(/note +look here/);
  terminal.type('M');
  await terminal.shows((text) => /MARKED/.test(text) && !/GET +json/.test(text), 'only the mark');
  terminal.type('U');
  await terminal.shows((text) => !/MARKED/.test(text) && /GET +json/.test(text), 'all of them');

  terminal.type('\\get & key=json\r');
  await terminal.shows(/> +3 .*GET +json/);
  terminal.type('yk');
  await terminal.shows(/copied key \(OSC 52\)/);
  assert.equal(clipboard(terminal), 'json');
  terminal.type('yj');
  await terminal.shows(/copied JSON \(OSC 52\)/);
  assert.deepEqual(JSON.parse(clipboard(terminal)).a, ['GET', 'json']);
  terminal.type('yf');
  await terminal.shows(/copied filter/);
  assert.equal(clipboard(terminal), 'cmd=GET & key=json');

  const file = path.join(home, 'reply.bin');
  terminal.type(`:save-reply ${file}\r`);
  await terminal.shows(/27 bytes in/);
  assert.equal(readFileSync(file, 'utf8'), '{"id":12345678901234567890}');
  assert.equal(statSync(file).mode & 0o777, 0o600);

  terminal.type('\r');
  await terminal.shows(/\[Decision\]/);
  terminal.type(']');
  await terminal.shows(/looks like JSON[\s\S]*"id": 12345678901234567890/);
  terminal.type(':decode text\r');
  await terminal.shows(/string, 27 B +text[\s\S]*"\{\\"id\\":/);
  terminal.type(':decode auto\r');
  await terminal.shows(/looks like JSON/);
  terminal.type('\x1b');
  await terminal.shows(/> +3 /);
  terminal.type('j\r');
  await terminal.shows(/gzip of 13 B, looks like JSON[\s\S]*"in": "gzip"/);
  terminal.type('\x1b');
  await terminal.shows(/> +4 /);

  terminal.type('osize\r');
  await terminal.shows(/BY size[\s\S]*> +[34] .*GET/);
  await app.ask('SET', 'later', 'x');
  terminal.type('F');
  await terminal.shows(/> +5 .*SET +later/);

  terminal.type('@');
  await terminal.shows(
    /done so far >[\s\S]*:order size reverse[\s\S]*:decode auto[\s\S]*:find get/,
  );
  terminal.type('\x1b');
  await terminal.shows(/> +5 .*SET +later/);
  terminal.type('Q');
  assert.equal((await terminal.ended()).code, 0);
});

test('settings come from the user’s file; what is set is kept there; the mouse is let go at the end', async (t) => {
  const { home, settings } = place(
    t,
    '# mine\ntheme: light\nmouse: true\ncolumns: [command, key, ms]\nfilters: { reads: get }\n',
  );
  const terminal = await opened(t, home);
  assert.equal(terminal.modes().mouse, 'vt200');
  const app = await client(t, terminal);
  await app.ask('SET', 'a', '1');
  await app.ask('GET', 'a');
  await app.ask('GET', 'b');
  await terminal.shows(/^ +CMD +KEY +ms$[\s\S]*^> +GET +b/m);
  // The light theme's blue for reads, and not the dark one's.
  assert.ok(terminal.output.includes('\x1b[38;5;24m'), 'the light theme');
  // A click on the first row; rows begin under the header, the tabs, the filter and the heads.
  terminal.type('\x1b[<0;10;5M\x1b[<0;10;5m');
  await terminal.shows(/^> +SET +a/m);
  terminal.type('\x1b[<65;10;8M');
  await terminal.shows(/^> +GET +b/m);
  terminal.type(':filter @reads\r');
  await terminal.shows(/\/ get .*2\/3 shown/);
  terminal.type(':filter save mine\r');
  await terminal.shows(/@mine is in/);
  await until(() => /mine: get/.test(readFileSync(settings, 'utf8')), 'it is in the file');
  assert.match(readFileSync(settings, 'utf8'), /^# mine\ntheme: light/);
  terminal.type('Q');
  assert.equal((await terminal.ended()).code, 0);
  assert.equal(terminal.modes().mouse, 'none');
});

test('keys are as the user’s file has them, change with K and are kept; what a team shares goes to the project', async (t) => {
  const { home, settings } = place(t, '# mine\nkeys:\n  freeze: T # not p\n  filter: [F20, s]\n');
  const args = ['-u', `127.0.0.1:${port()}`, '-l', '127.0.0.1:0'];
  const env = { HOME: home, SSH_TTY: '/dev/pts/0' };
  const refused = openTerminal(t, args, { env });
  await refused.shows(/config\.yaml:4:3: there is\s+no key F20/);
  assert.equal((await refused.ended()).code, 64);
  writeFileSync(settings, '# mine\nkeys:\n  freeze: T # not p\n  filter: s\n');
  const terminal = openTerminal(t, args, { env, cwd: home });
  await terminal.shows([/\[ok\] upstream/, / s filter /]);
  const app = await client(t, terminal);
  await app.ask('SET', 'a', '1');
  await app.ask('GET', 'a');
  await terminal.shows([/> +2 .*GET +a/, / s filter /]);
  terminal.type('T');
  await terminal.shows([/FROZEN/, /T shows what has come since/]);
  terminal.type('T');
  await terminal.shows(/FOLLOW/);
  terminal.type('/sget\r');
  await terminal.shows(/\/ get .*1\/2 shown/);
  terminal.type(':filter save reads\r');
  await terminal.shows(/@reads is in/);
  terminal.type('Kfollow\r');
  await terminal.shows(/Press the key for follow/);
  terminal.type('Q');
  await terminal.shows(/Q is the key of quit/);
  terminal.type('\r');
  await terminal.shows(/Press the key for follow/);
  terminal.type('\x14');
  await terminal.shows(/follow: ctrl-t +\(kept in/);
  terminal.type('\x1b');
  await terminal.shows(/ ctrl-t follow /);
  terminal.type(':keep project\r');
  await terminal.shows(/kept in .*rmtop\.yaml: filters\.reads/);
  const mine = readFileSync(settings, 'utf8');
  assert.match(mine, /^# mine\nkeys:\n {2}freeze: T # not p\n {2}filter: s\n {2}follow: ctrl-t\n/);
  const shared = path.join(home, 'rmtop.yaml');
  assert.match(
    readFileSync(shared, 'utf8'),
    /^# .*config --schema.*\n\nfilters:\n {2}reads: get\n$/,
  );
  assert.equal(statSync(shared).mode & 0o777, 0o600);
  terminal.type('Q');
  assert.equal((await terminal.ended()).code, 0);
});
