/** `rmtop demo` without a terminal, as its user starts it: what it prints, how it ends, and that nothing is left of it. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { findServerProgram } from '../../bin/demo/servers.js';
import { type Program, startProgram } from '../helpers/program.js';
import { until } from '../helpers/until.js';

const REDIS_SERVER = process.env.REDIS_SERVER ?? 'redis-server';

/** A demo with a temporary folder of its own, so that what it leaves behind is seen. */
type Demo = Program & { readonly folder: string };

function startDemo(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = {}): Demo {
  const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-test-'));
  const program = startProgram(t, ['demo', ...args], { REDIS_SERVER, TMPDIR: folder, ...env });
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return { ...program, folder };
}

const ANY_PORT = ['--listen', '127.0.0.1:0'];
/** Of every kind of command some, however long that takes. */
const ENOUGH = ['--commands', '1000', '--for', '100s'];

/** The ports a demo's summary speaks of: the proxy's, the nodes' and the mirror's. */
function portsIn(text: string): number[] {
  return [...text.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
}

/** The ports of the servers whose folder this is. */
function portsOfServers(folder: string): number[] {
  return readdirSync(folder, { recursive: true })
    .map((name) => /nodes-(\d+)\.conf$/.exec(String(name))?.[1])
    .flatMap((port) => (port === undefined ? [] : [Number(port)]));
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Nothing listens on `ports` any more, and the temporary folder is empty; at once, or `soon` where a watchdog does it. */
async function assertGone(demo: Demo, ports: readonly number[], soon = false): Promise<void> {
  const isGone = async (): Promise<boolean> =>
    readdirSync(demo.folder).length === 0 &&
    (await Promise.all(ports.map(isListening))).every((listening) => !listening);
  if (soon) await until(isGone, 'the end of the servers');
  assert.deepEqual(readdirSync(demo.folder), []);
  assert.ok(await isGone(), 'a port is still open');
}

/** A table of the summary: its rows by their first cell. */
function rowsOf(text: string, head: string): Map<string, string[]> {
  const table = text.split('\n\n').find((part) => part.startsWith(head)) ?? '';
  const rows = table.split('\n').map((line) => line.trim().split(/\s{2,}/));
  return new Map(rows.slice(1).map(([name = '', ...cells]) => [name, cells]));
}

const numberIn = (text: string | undefined): number => Number(text?.replaceAll(',', ''));

/** What every summary must say. */
function assertSummary(text: string): void {
  const total = numberIn(/^([\d,]+) commands: /m.exec(text)?.[1]);
  assert.ok(total > 50, text);
  const nodes = rowsOf(text, 'node ');
  assert.deepEqual(
    [...nodes.keys()],
    ['s0.p', 's0.r1', 's1.p', 's1.r1', 's2.p', 's2.r1', 'mirror'],
  );
  let requested = 0;
  for (const [alias, [address, role, slots, requests]] of nodes) {
    assert.match(address ?? '', /^127\.0\.0\.1:\d+$/);
    if (alias === 'mirror') continue;
    assert.equal(role, alias.endsWith('.p') ? 'primary' : 'replica');
    assert.match(slots ?? '', /^\d+-\d+$/);
    requested += numberIn(requests);
  }
  assert.ok(requested > 0, text);
  const commands = rowsOf(text, 'command ');
  const calls = [...commands.values()].reduce((sum, [count]) => sum + numberIn(count), 0);
  assert.equal(calls, total);
  for (const name of ['SET', 'MSET', 'GET', 'LPOP']) assert.ok(commands.has(name), `no ${name}`);
  assert.match(
    text,
    /mirror 127\.0\.0\.1:\d+: [\d,]+ writes copied, [\d,]+ replies the same, [\d,]+ different/,
  );
}

// Most of their time is waiting.
describe('rmtop demo', { concurrency: 4 }, () => {
  test('on a real cluster: says so, prints where everything went, leaves nothing', async (t) => {
    const demo = startDemo(t, [...ANY_PORT, ...ENOUGH]);
    await demo.says(/listening on/);
    const ports = portsOfServers(demo.folder);
    assert.equal(ports.length, 6);
    assert.equal(await demo.ended, 0);
    const { version = '' } = findServerProgram() ?? {};
    assert.ok(demo.stderr().includes(`a real Redis Cluster of ${version}`), demo.stderr());
    assert.ok(demo.stdout().includes(`a real Redis Cluster (${version})`), demo.stdout());
    assertSummary(demo.stdout());
    assert.match(demo.stdout(), /^BLPOP x\d+: -ERR unknown command 'BLPOP', with args/m);
    assert.match(demo.stdout(), /Envoy 1\.40 does not know BLPOP/);
    assert.deepEqual(
      portsIn(demo.stdout())
        .filter((port) => ports.includes(port))
        .sort(),
      ports.sort(),
    );
    await assertGone(demo, portsIn(demo.stdout()));
  });

  test('on the fake, when asked', async (t) => {
    const demo = startDemo(t, ['--fake', ...ANY_PORT, ...ENOUGH]);
    assert.equal(await demo.ended, 0);
    assert.match(demo.stderr(), /embedded fake Redis Cluster \(as asked\)/);
    assertSummary(demo.stdout());
    await assertGone(demo, portsIn(demo.stdout()));
  });

  test('on the fake, where there is no server program', async (t) => {
    const demo = startDemo(t, [...ANY_PORT, ...ENOUGH], {
      REDIS_SERVER: '',
      PATH: '/nonexistent',
    });
    assert.equal(await demo.ended, 0);
    assert.match(demo.stderr(), /fake Redis Cluster \(no redis-server or valkey-server found\)/);
    assertSummary(demo.stdout());
    await assertGone(demo, portsIn(demo.stdout()));
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ] as const) {
    test(`${signal} ends it early, with its summary and ${code}`, async (t) => {
      const demo = startDemo(t, [...ANY_PORT, '--for', '10m']);
      await demo.says(/listening on/);
      const ports = portsOfServers(demo.folder);
      demo.child.kill(signal);
      assert.equal(await demo.ended, code);
      assert.match(demo.stdout(), /^rmtop demo: \d+ clients? on/);
      await assertGone(demo, [...ports, ...portsIn(demo.stdout())]);
    });
  }

  test('kill -9 leaves no server and no folder', async (t) => {
    const demo = startDemo(t, [...ANY_PORT, '--for', '10m']);
    await demo.says(/listening on/);
    const ports = portsOfServers(demo.folder);
    assert.equal(ports.length, 6);
    demo.child.kill('SIGKILL');
    assert.equal(await demo.ended, 'SIGKILL');
    await assertGone(demo, ports, true);
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`${signal} while the cluster starts leaves no server and no folder`, async (t) => {
      const demo = startDemo(t, [...ANY_PORT]);
      await until(() => portsOfServers(demo.folder).length === 6);
      const ports = portsOfServers(demo.folder);
      demo.child.kill(signal);
      await demo.ended;
      await assertGone(demo, ports, true);
    });
  }

  test('a reader that has enough does not make it fail', async (t) => {
    const demo = startDemo(t, ['--fake', ...ANY_PORT, '--for', '1s']);
    await demo.says(/listening on/);
    demo.child.stdout?.destroy();
    assert.equal(await demo.ended, 0);
  });

  test('two demos at once: the port that was not chosen is a free one', async (t) => {
    const demos = [0, 1].map(() => startDemo(t, ['--fake', '--for', '2s']));
    const ports = await Promise.all(
      demos.map(async (demo) => (await demo.says(/listening on 127\.0\.0\.1:(\d+)/))[1]),
    );
    assert.notEqual(ports[0], ports[1]);
    for (const demo of demos) assert.equal(await demo.ended, 0);
  });

  test('a chosen port that is taken ends it with 4, and no server is left', async (t) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const address = other.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const demo = startDemo(t, ['--listen', `127.0.0.1:${port}`]);
    assert.equal(await demo.ended, 4);
    assert.match(demo.stderr(), /error\[LISTEN_IN_USE\]/);
    await assertGone(demo, []);
  });

  test('--read-policy MASTER: replicas get nothing', async (t) => {
    const demo = startDemo(t, ['--fake', ...ANY_PORT, ...ENOUGH, '--read-policy', 'MASTER']);
    assert.equal(await demo.ended, 0);
    const nodes = rowsOf(demo.stdout(), 'node ');
    assert.deepEqual(
      ['s0.r1', 's1.r1', 's2.r1'].map((alias) => nodes.get(alias)?.[3]),
      ['0', '0', '0'],
    );
    assert.ok(numberIn(nodes.get('s0.p')?.[3]) > 0);
  });

  test('--open: what the mesh would refuse is forwarded, and told apart', async (t) => {
    const demo = startDemo(t, ['--fake', ...ANY_PORT, ...ENOUGH, '--open']);
    assert.equal(await demo.ended, 0);
    const told =
      demo.stdout().split('the mesh would refuse these; --open forwarded them\n')[1] ?? '';
    assert.match(told, /^BLPOP x\d+$/m);
    assert.doesNotMatch(demo.stdout(), /-ERR unknown command/);
  });

  test('mistakes in flags end it before anything is started', async (t) => {
    for (const args of [
      ['--for', 'ever'],
      ['--commands', '0'],
      ['--seed', 'x'],
      ['--read-policy', 'NONE'],
      ['--listen', 'nowhere'],
      ['--upstream', 'redis:6379'],
    ]) {
      const demo = startDemo(t, args);
      assert.equal(await demo.ended, 64, args.join(' '));
      assert.deepEqual(readdirSync(demo.folder), []);
      assert.doesNotMatch(demo.stderr(), /starting/);
    }
  });

  test('a server program that makes no cluster: what is wrong, what to type, and 4', async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-test-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const program = path.join(folder, 'redis-server');
    writeFileSync(
      program,
      '#!/bin/sh\n[ "$1" = --version ] && echo "v=1.2.3" && exit\necho too old\nexit 1\n',
    );
    chmodSync(program, 0o755);
    const demo = startDemo(t, [...ANY_PORT], { REDIS_SERVER: program });
    assert.equal(await demo.ended, 4);
    assert.match(
      demo.stderr(),
      /error\[NO_REDIS_SERVER\].*\n.*why: +too old\n.*next: rmtop demo --fake/,
    );
    await assertGone(demo, []);
  });
});
