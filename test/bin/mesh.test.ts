/** `rmtop --mesh` as its user starts it: listeners, files that change while it runs, flags beside files. */
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bulk, TestClient } from '../helpers/client.js';
import { ask, sharedServer } from '../helpers/cluster.js';
import { bootstrap, cluster, TO_A } from '../helpers/mesh-files.js';
import { meshFolder } from '../helpers/mesh-run.js';
import { type Program, runProgram, startProgram } from '../helpers/program.js';
import { until } from '../helpers/until.js';

const one = sharedServer();
const two = sharedServer();

/** A bootstrap with a listener of this name on a port that the system chooses, to a server. */
const listenerOn = (name: string, port: number, proxy = TO_A): string =>
  bootstrap(proxy, [cluster('a', [port])])
    .replaceAll('name: test', `name: ${name}`)
    .replace('port_value: 6400', 'port_value: 0');

/** Puts a file in the place of another at once, as editors and ConfigMaps do. */
function replace(folder: string, name: string, text: string): void {
  const aside = path.join(folder, `.${name}.new`);
  writeFileSync(aside, text);
  renameSync(aside, path.join(folder, name));
}

async function clientOf(rmtop: Program, name = ''): Promise<TestClient> {
  const [, port] = await rmtop.says(
    new RegExp(`${name === '' ? '' : `${name}: `}listening on 127\\.0\\.0\\.1:(\\d+)`),
  );
  const client = await TestClient.connect(Number(port));
  await until(
    async () => !/no upstream host/.test(await client.ask('GET', 'ready')),
    'the upstream to be found',
  );
  return client;
}

async function stop(rmtop: Program): Promise<void> {
  rmtop.child.kill('SIGTERM');
  assert.equal(await rmtop.ended, 143);
}

test.beforeEach(async () => {
  for (const server of [one, two]) await ask(server.port(), ['FLUSHALL']);
});

test('a folder of two listeners: a port each, told by name; --service runs one', async (t) => {
  const folder = meshFolder(t, {
    'a.yaml': listenerOn('first', one.port()),
    'b.yaml': listenerOn('second', two.port())
      .replaceAll('cluster: a', 'cluster: b')
      .replace('{name: a', '{name: b'),
    'c.yaml': 'kind: Deployment\napiVersion: apps/v1\n',
  });
  const rmtop = startProgram(t, ['--mesh', folder, '--no-tui']);
  const [first, second] = [await clientOf(rmtop, 'first'), await clientOf(rmtop, 'second')];
  assert.equal(await first.ask('SET', 'k', '1'), '+OK\r\n');
  assert.equal(await second.ask('GET', 'k'), '$-1\r\n');
  assert.equal(await ask(one.port(), ['GET', 'k']), '1');
  await stop(rmtop);
  first.close();
  second.close();

  const single = startProgram(t, ['--mesh', folder, '--service', 'second', '--no-tui']);
  const client = await clientOf(single);
  assert.equal(await client.ask('GET', 'k'), '$-1\r\n');
  assert.doesNotMatch(single.stderr(), /first/);
  await stop(single);
  client.close();

  const none = await runProgram(t, ['--mesh', folder, '--service', 'third', '--no-tui']);
  assert.equal(none.code, 3);
  assert.match(
    none.stderr,
    /error\[MESH\]: .*no Redis listener to run[\s\S]*'third'[\s\S]*there are: first, second/,
  );
  const both = await runProgram(t, ['--mesh', folder, '--listen', '127.0.0.1:0', '--no-tui']);
  assert.equal(both.code, 64);
  assert.match(both.stderr, /the files have 2 Redis listeners[\s\S]*--service first/);
});

test('a good change takes effect between two commands of a client; a bad one keeps the old and says why; --no-watch sees neither', async (t) => {
  const file = 'mesh.yaml';
  const folder = meshFolder(t, { [file]: listenerOn('carts', one.port()) });
  const rmtop = startProgram(t, ['--mesh', folder, '--no-tui']);
  const blind = startProgram(t, ['--mesh', folder, '--no-watch', '--no-tui']);
  const [client, other] = [await clientOf(rmtop), await clientOf(blind)];
  assert.equal(await client.ask('SET', 'k', 'of-one'), '+OK\r\n');
  await ask(two.port(), ['SET', 'k', 'of-two']);

  replace(folder, file, listenerOn('carts', two.port()));
  await rmtop.says(/the changed files are in force/);
  await until(
    async () => (await client.ask('GET', 'k')) === bulk('of-two'),
    'the new server, on the same connection',
  );
  assert.equal(await other.ask('GET', 'k'), bulk('of-one'), '--no-watch');

  replace(folder, file, 'static_resources: {listeners: [}');
  await rmtop.says(
    /error: the changed files are not taken, the old stay in force: .*\[READ-YAML\]|no Redis listener/,
  );
  assert.equal(await client.ask('GET', 'k'), bulk('of-two'));

  replace(
    folder,
    file,
    listenerOn('carts', two.port(), 'prefix_routes: {catch_all_route: {cluster: nobody}}'),
  );
  await rmtop.says(/not taken[\s\S]*\[ENVOY-UNKNOWNCLUSTER\]/);
  assert.equal(await client.ask('GET', 'k'), bulk('of-two'));

  replace(
    folder,
    file,
    listenerOn(
      'carts',
      one.port(),
      `${TO_A}\nfaults: [{fault_type: ERROR, fault_enabled: {default_value: {numerator: 100}}, commands: [GET]}]`,
    ),
  );
  await until(
    async () => (await client.ask('GET', 'k')) === '-Fault Injected: Error\r\n',
    'the new fault',
  );
  assert.equal(await other.ask('GET', 'k'), bulk('of-one'), '--no-watch');
  assert.doesNotMatch(blind.stderr(), /changed files/);
  await stop(rmtop);
  await stop(blind);
  client.close();
  other.close();
});

test('flags beside files override them, and say so', async (t) => {
  const folder = meshFolder(t, {
    'mesh.yaml': listenerOn(
      'carts',
      one.port(),
      `${TO_A}\ndownstream_auth_password: {inline_string: of-the-file}`,
    ),
    'pw.txt': 'of-the-flag\n',
  });
  const address = `127.0.0.1:${two.port()}`;
  const rmtop = startProgram(t, [
    '--mesh',
    folder,
    '--no-tui',
    ...['--route', `two:=${address},strip`],
    ...['--mirror', `${address},writes`],
    ...['--fault', 'error "OOM no more" 100% cmd=INCR'],
    ...['--downstream-auth-file', path.join(folder, 'pw.txt')],
    ...['--read-policy', 'ANY'],
    ...['--op-timeout', '3s'],
  ]);
  const [, port] = await rmtop.says(/listening on 127\.0\.0\.1:(\d+)/);
  const client = await TestClient.connect(Number(port));
  assert.equal(await client.ask('AUTH', 'of-the-file'), '-ERR invalid password\r\n');
  assert.equal(await client.ask('AUTH', 'of-the-flag'), '+OK\r\n');
  for (const key of ['warm', 'two:warm'])
    await until(
      async () => (await client.ask('SET', key, '1')) === '+OK\r\n',
      'the upstreams to be found',
    );
  assert.equal(await client.ask('SET', 'two:k', 'routed'), '+OK\r\n');
  assert.equal(await ask(two.port(), ['GET', 'k']), 'routed');
  assert.equal(await client.ask('INCR', 'n'), '-OOM no more\r\n');
  await until(async () => {
    assert.equal(await client.ask('SET', 'copied', 'yes'), '+OK\r\n');
    return (await ask(two.port(), ['GET', 'copied'])) === 'yes';
  }, 'the copy');
  for (const says of [
    /carts: --mirror: 100% of the writes of every route/,
    /carts: --downstream-auth-file overrides the files, which had a login of their own/,
    /carts: --read-policy overrides the files: ANY instead of MASTER/,
    /carts: --op-timeout overrides the files: 3000 instead of 5000/,
  ])
    assert.match(rmtop.stderr(), says);
  assert.doesNotMatch(rmtop.stderr(), /of-the-f/);
  await stop(rmtop);
  client.close();
});

test('--upstream takes the place of the servers behind the catch-all; a login of the environment goes to no server of the files', async (t) => {
  const folder = meshFolder(t, {
    'mesh.yaml': bootstrap(
      'prefix_routes: {routes: [{prefix: "two:", cluster: b}], catch_all_route: {cluster: a}}',
      [cluster('a', [1]), cluster('b', [two.port()])],
    ).replace('port_value: 6400', 'port_value: 0'),
  });
  // A server without a password would answer an AUTH with an error, which an ACL log or MONITOR shows; here: statistics.
  await ask(two.port(), ['CONFIG', 'RESETSTAT']);
  const rmtop = startProgram(t, ['--mesh', folder, '--no-tui', '-u', `127.0.0.1:${one.port()}`], {
    REDIS_URL: 'redis://user:of-the-env@127.0.0.1:9',
  });
  const client = await clientOf(rmtop);
  assert.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  await until(
    async () => (await client.ask('SET', 'two:k', 'v')) === '+OK\r\n',
    'the other upstream',
  );
  assert.equal(await ask(one.port(), ['GET', 'k']), 'v');
  assert.match(rmtop.stderr(), /--upstream overrides the servers of a: 127\.0\.0\.1:/);
  assert.doesNotMatch(String(await ask(two.port(), ['INFO', 'commandstats'])), /cmdstat_auth/);
  await stop(rmtop);
  client.close();
});

test('files that give nothing to run, or cannot be read, end it with what to type next', async (t) => {
  const folder = meshFolder(t, { 'a.yaml': 'kind: Pod\napiVersion: v1\n' });
  const nothing = await runProgram(t, ['--mesh', folder, '--no-tui']);
  assert.equal(nothing.code, 3);
  assert.match(nothing.stderr, /error\[MESH\][\s\S]*READ-NOTHING[\s\S]*next: rmtop check/);
  const missing = await runProgram(t, ['--mesh', path.join(folder, 'none.yaml'), '--no-tui']);
  assert.equal(missing.code, 64);
  assert.match(missing.stderr, /error\[FILE_UNREADABLE\]/);
  const set = await runProgram(t, ['--mesh', folder, '--set', 'novalue', '--no-tui']);
  assert.equal(set.code, 64);
  assert.match(set.stderr, /--set 'novalue' is not NAME=VALUE/);
  for (const { stderr } of [nothing, missing, set]) assert.doesNotMatch(stderr, /\n\s+at /);
});
