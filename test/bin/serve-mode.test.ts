/** `rmtop serve --mode`: VCR's record modes in front of a real Redis. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { bulk, TestClient } from '../helpers/client.js';
import { ask, sharedServer } from '../helpers/cluster.js';
import { cmd, handMade } from '../helpers/hand-made.js';
import { type Program, runProgram, startProgram } from '../helpers/program.js';
import { folder } from '../helpers/record-files.js';

const { port: redis } = sharedServer();

type Session = (client: TestClient, rmtop: Program, port: number) => Promise<void>;

/** Runs a session against `serve FILE --mode …`, ends it, and gives what it said. */
async function during(
  t: TestContext,
  file: string,
  args: readonly string[],
  session: Session,
): Promise<{ readonly code: number | string; readonly said: string }> {
  const rmtop = startProgram(t, ['serve', file, '-l', '127.0.0.1:0', ...args]);
  const [, port] = await rmtop.says(/(?:serving|recording) .* on 127\.0\.0\.1:(\d+)/);
  const client = await TestClient.connect(Number(port));
  t.after(() => client.close());
  await session(client, rmtop, Number(port));
  rmtop.child.kill('SIGTERM');
  const code = await rmtop.ended;
  return { code, said: rmtop.stderr() };
}

const upstream = (): string[] => ['--upstream', `127.0.0.1:${redis()}`];

test('once: recorded from the real server, whole, then served without it, to the same clients', async (t) => {
  await ask(redis(), ['DEL', 'mode:n', 'mode:h', 'mode:t']);
  const file = path.join(folder(t), 'once.rmtop.gz');
  const clients = async (port: number): Promise<unknown> => {
    const io = new Redis(port, '127.0.0.1');
    const node = createClient({ url: `redis://127.0.0.1:${port}`, RESP: 3 });
    await node.connect();
    try {
      return [
        await io.incr('mode:n'),
        await io.multi().incr('mode:t').get('mode:t').exec(),
        await node.hSet('mode:h', { a: '1' }),
        { ...(await node.hGetAll('mode:h')) },
        await io.hgetall('mode:h'),
      ];
    } finally {
      io.disconnect();
      node.destroy();
    }
  };
  let first: unknown;
  const recorded = await during(
    t,
    file,
    ['--mode', 'once', ...upstream()],
    async (_c, _r, port) => {
      first = await clients(port);
      assert.equal(existsSync(file), false);
    },
  );
  assert.equal(recorded.code, 143, recorded.said);
  assert.match(recorded.said, /recorded \d+ commands into .*once\.rmtop\.gz/);
  assert.deepEqual(readdirSync(path.dirname(file)), ['once.rmtop.gz']);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await ask(redis(), ['DEL', 'mode:n', 'mode:h', 'mode:t']);
  let second: unknown;
  const served = await during(t, file, ['--mode', 'once'], async (client, _r, port) => {
    second = await clients(port);
    assert.match(await client.ask('GET', 'mode:never'), /^-RMTOPMISS/);
  });
  assert.equal(served.code, 143);
  assert.deepEqual(second, first);
  assert.equal(await ask(redis(), ['EXISTS', 'mode:n']), 0);
});

test('new: what is recorded is served, what is not comes from the server and is added', async (t) => {
  const file = handMade(t, [cmd(1, ['GET', 'mode:k'], 'recorded')]);
  await ask(redis(), ['SET', 'mode:k', 'real']);
  const added = await during(t, file, ['--mode', 'new', ...upstream()], async (client) => {
    assert.equal(await client.ask('GET', 'mode:k'), bulk('recorded'));
    assert.equal(await client.ask('STRLEN', 'mode:k'), ':4\r\n');
  });
  assert.match(added.said, /1 commands were added/);
  await during(t, file, ['--mode', 'none', ...upstream()], async (client) => {
    assert.equal(await client.ask('STRLEN', 'mode:k'), ':4\r\n');
    assert.match(await client.ask('TYPE', 'mode:k'), /^-RMTOPMISS/);
  });
  const none = path.join(folder(t), 'new.rmtop');
  await during(t, none, ['--mode', 'new', ...upstream()], async (client) => {
    assert.equal(await client.ask('GET', 'mode:k'), bulk('real'));
  });
  assert.match(readFileSync(none, 'utf8'), /"GET","mode:k"/);
});

test('all: recorded anew, faults included; what did not end well, or held nothing, leaves the old', async (t) => {
  const file = handMade(t, [cmd(1, ['GET', 'mode:k'], 'recorded')]);
  const before = readFileSync(file, 'utf8');
  await ask(redis(), ['SET', 'mode:k', 'real']);
  const args = ['--mode', 'all', ...upstream()];
  const killed = await during(t, file, args, async (client, rmtop) => {
    assert.equal(await client.ask('GET', 'mode:k'), bulk('real'));
    rmtop.child.kill('SIGKILL');
  });
  assert.equal(killed.code, 'SIGKILL');
  assert.equal(readFileSync(file, 'utf8'), before);
  const empty = await during(t, file, args, async () => {});
  assert.match(empty.said, /no command came: .*made\.rmtop stays as it was/);
  assert.equal(readFileSync(file, 'utf8'), before);

  const faults = ['--fault', 'error LOADING max 1 if cmd=TTL'];
  const rmtop = startProgram(t, [
    ...['serve', file, '-l', '127.0.0.1:0', ...args, ...faults],
    ...['--idle-exit', '100ms'],
  ]);
  const [, port] = await rmtop.says(/recording .* on 127\.0\.0\.1:(\d+)/);
  const client = await TestClient.connect(Number(port));
  t.after(() => client.close());
  assert.deepEqual(
    await client.pipeline([
      ['TTL', 'mode:k'],
      ['TTL', 'mode:k'],
    ]),
    ['-LOADING Redis is loading the dataset in memory\r\n', ':-1\r\n'],
  );
  assert.equal(await rmtop.ended, 0, rmtop.stderr());
  await during(t, file, ['--mode', 'none'], async (served) => {
    assert.equal(await served.ask('TTL', 'mode:k'), ':-1\r\n');
    assert.match(await served.ask('GET', 'mode:k'), /^-RMTOPMISS/);
  });
});

test('what does not go together is said, and a server that is not there', async (t) => {
  const file = handMade(t, [cmd(1, ['GET', 'a'], '1')]);
  const none = path.join(folder(t), 'none.rmtop');
  for (const [args, why] of [
    [[file, '--mode', 'some'], /none, once, new, all/],
    [[file, '--upstream', '127.0.0.1:1'], /used with --mode/],
    [[file, '--mode', 'none', '--on-miss', 'nil'], /--mode none and --on-miss do not go together/],
    [[file, '--mode', 'new'], /--mode new wants to know the real servers/],
    [[file, '--mode', 'all'], /--mode all wants to know/],
    [[none, '--mode', 'once'], /there is no .*none\.rmtop yet/],
    [['-', '--mode', 'new', '--upstream', '127.0.0.1:1'], /used with a file/],
    [[none, '--mode', 'once', '-u', '127.0.0.1:1', '--cluster'], /through one port/],
    [[file, '--mode', 'all', '-u', 'nonsense:x'], /nonsense:x/],
  ] as const) {
    const { code, stderr } = await runProgram(t, ['serve', ...args]);
    assert.deepEqual([code, /^error\[(?:USAGE|BAD_ADDRESS)\]/.test(stderr)], [64, true], stderr);
    assert.match(stderr, why);
  }
  const missing = await runProgram(t, ['serve', none, '--mode', 'none']);
  assert.deepEqual([missing.code, /error\[FILE_UNREADABLE\]/.test(missing.stderr)], [64, true]);
  const nowhere = path.join(folder(t), 'no', 'such', 'folder.rmtop');
  const unwritable = await runProgram(t, ['serve', nowhere, '--mode', 'once', ...upstream()]);
  assert.deepEqual([unwritable.code, /OUTPUT_FAILED/.test(unwritable.stderr)], [5, true]);
});
