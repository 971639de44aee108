/** `rmtop completion` in a real bash, and `rmtop keys`. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { spawn } from '@lydell/node-pty';
import { shownKey } from '../../ui/key-table.js';
import { KEYS } from '../../ui/keys.js';
import { until } from '../helpers/until.js';

const RMTOP = path.join(import.meta.dirname, '..', '..', 'bin', 'rmtop.js');
const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-completion-'));
const script = path.join(folder, 'completion.bash');

const run = (...args: string[]): string =>
  execFileSync(process.execPath, [RMTOP, ...args], { encoding: 'utf8' });

before(() => {
  writeFileSync(script, run('completion', 'bash'));
  writeFileSync(path.join(folder, 'a recording.rmtop'), '');
  writeFileSync(path.join(folder, 'mesh.yaml'), '');
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** What Tab offers at the end of these words, as bash breaks them. */
function offers(...words: string[]): string[] {
  const code = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _rmtop; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', code, 'bash', script, 'rmtop', ...words], {
    encoding: 'utf8',
    cwd: folder,
  })
    .split('\n')
    .filter(Boolean);
}

test('commands, and the plain command’s flags', () => {
  assert.deepEqual(offers('rep'), ['replay']);
  assert.ok(['demo', 'check', 'explain', 'completion'].every((name) => offers('').includes(name)));
  assert.deepEqual(offers('--read-p'), ['--read-policy']);
  assert.ok(offers('--').includes('--theme'));
});

test('a subcommand’s own flags, though flags with values stand before it', () => {
  assert.deepEqual(offers('-u', 'replay', 'demo', '--fa'), ['--fake']);
  assert.ok(!offers('demo', '--').includes('--tls-ca'));
});

test('values of flags, also behind =', () => {
  const policies = ['MASTER', 'PREFER_MASTER', 'REPLICA', 'PREFER_REPLICA', 'ANY'];
  assert.deepEqual(offers('--read-policy', ''), policies);
  assert.deepEqual(offers('--read-policy', '=', 'REP'), ['REPLICA']);
  assert.deepEqual(offers('--read-policy', '='), policies);
  assert.deepEqual(offers('--theme', 'c'), ['contrast']);
  assert.ok(offers('-f', 'client').includes('client.name'));
});

test('files, blanks in their names and all', () => {
  assert.deepEqual(offers('cat', 'a'), ['a recording.rmtop']);
  assert.deepEqual(offers('--mesh', 'me'), ['mesh.yaml']);
  assert.deepEqual(offers('completion', 'f'), ['fish']);
});

test('a person at a real bash presses Tab', async (t) => {
  const pty = spawn('bash', ['--norc', '--noprofile', '-i'], {
    cols: 100,
    rows: 24,
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm', PS1: '$ ', HOME: folder },
  });
  t.after(() => pty.kill('SIGKILL'));
  let output = '';
  pty.onData((data) => {
    output += data;
  });
  pty.write(`source ${script}; echo sour''ced\r`);
  await until(() => output.includes('sourced\r\n'), `the script is taken:\n${output}`);
  pty.write('rmtop demo --fak\t');
  await until(() => output.includes('rmtop demo --fake '), `a flag is completed:\n${output}`);
  pty.write('--color=alw\t');
  await until(() => output.includes('--color=always '), `a value is completed:\n${output}`);
});

test('zsh and fish get every command and every flag, too', () => {
  const flags = [...run('--help').matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
  assert.ok(flags.length > 30);
  const zsh = run('completion', 'zsh');
  const fish = run('completion', 'fish');
  for (const flag of flags) {
    assert.ok(zsh.includes(`'*${flag}`), `zsh has no ${flag}`);
    assert.ok(fish.includes(` -l ${flag?.slice(2)} `), `fish has no ${flag}`);
  }
  for (const name of ['demo', 'replay', 'completion']) {
    assert.ok(zsh.includes(`'${name}:`));
    assert.ok(fish.includes(` -a ${name} `));
  }
});

test('rmtop keys prints the table that binds them, and the palette', () => {
  const text = run('keys');
  for (const { keys, help } of KEYS)
    assert.ok(text.includes(`${keys.map(shownKey).join('  ')} `) && text.includes(help), help);
  assert.match(text, /:order COLUMN/);
  const lines = run('keys', '--json').trim().split('\n');
  assert.deepEqual(Object.keys(JSON.parse(lines[0] ?? '')), ['section', 'action', 'keys', 'help']);
  assert.ok(lines.length > KEYS.length);
});
