/** What is published: the tarball holds what it needs and nothing else, and works in somebody else's project. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { install, type PackedFile, pack, repository } from './helpers/packed.js';

const work = mkdtempSync(path.join(tmpdir(), 'rmtop-package-'));
const project = path.join(work, 'project');
let files: readonly PackedFile[] = [];

before(() => {
  const packed = pack(work);
  files = packed.files;
  cpSync(path.join(repository(), 'test/examples/shopping-cart'), project, { recursive: true });
  install(packed.tarball, project, ['ioredis', '@types/node']);
});
after(() => rmSync(work, { recursive: true, force: true }));

test('the tarball holds what is run and its types: no tests, no sources, no maps', () => {
  const paths = files.map((file) => file.path);
  for (const wanted of [
    'package.json',
    'README.md',
    'dist/bin/rmtop.js',
    'dist/src/index.js',
    'dist/src/index.d.ts',
    'dist/src/test.js',
    'dist/src/test.d.ts',
    'dist/src/recording/writer-worker.js',
    'dist/src/proxy/worker.js',
  ])
    assert.ok(paths.includes(wanted), wanted);
  const others = paths.filter(
    (each) =>
      !/^dist\/(?:src|ui|bin)\/.*\.(?:js|d\.ts)$/.test(each) &&
      !['package.json', 'README.md'].includes(each),
  );
  assert.deepEqual(others, []);
  const own = path.join(project, 'node_modules/rmtop');
  for (const each of paths.filter((name) => name.endsWith('.js')))
    assert.ok(!readFileSync(path.join(own, each), 'utf8').includes('sourceMappingURL='), each);
});

test('npx rmtop starts: its help, its version, a command that needs nothing', () => {
  const help = execFileSync('npx', ['--no-install', 'rmtop', '--help'], {
    cwd: project,
    encoding: 'utf8',
  });
  assert.match(help, /rmtop demo/);
  const run = (...args: string[]): string =>
    execFileSync(path.join(project, 'node_modules/.bin/rmtop'), args, {
      cwd: project,
      encoding: 'utf8',
    });
  const { version } = JSON.parse(readFileSync(path.join(repository(), 'package.json'), 'utf8')) as {
    version: string;
  };
  assert.equal(run('--version').trim(), version);
  assert.match(run('cat', 'fixtures/cart.rmtop'), /cart:7/);
});

test("the example's tests and the README's pass without a Redis", () => {
  const readme = readFileSync(path.join(project, 'node_modules/rmtop/README.md'), 'utf8');
  const [, shown = ''] = /```js\n(.*?)```/s.exec(readme) ?? [];
  writeFileSync(path.join(project, 'readme.test.mjs'), shown);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--test'], {
    cwd: project,
    encoding: 'utf8',
    // A test that is run by a test runner reports to it otherwise.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, REDIS_SERVER: '/nonexistent' },
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^# pass 6$/m);
});

test('its types hold in a strict project', () => {
  writeFileSync(
    path.join(project, 'types.ts'),
    `import { decide, explain, loadMesh, readRecording, createProxy, type Decision } from 'rmtop';
import { record, replay, serve, startProxy, type Seen } from 'rmtop/test';
export async function use(): Promise<string | null> {
  const fake = await serve('a.rmtop', { match: 'key' });
  const proxy = await startProxy({ upstream: fake.url, readPolicy: 'REPLICA' });
  const seen: Seen = await proxy.command('GET a');
  const decision: Decision = seen.decision;
  await fake.done({ expectAll: true });
  // @ts-expect-error: there is no such mode
  await serve('a.rmtop', { match: 'fuzzy' });
  return decision.action.kind === 'forward' ? seen.prefix : null;
}
export const all = [decide, explain, loadMesh, readRecording, createProxy, record, replay];
`,
  );
  const tsc = path.join(repository(), 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      tsc,
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
      'types.ts',
    ],
    { cwd: project, encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout);
});
