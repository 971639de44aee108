/** `rmtop serve --auth recorded`: clients log in as those of the recording did, in front of a mesh that wanted passwords. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { serve } from 'rmtop/test';
import { bulk, TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';
import { cmd, handMade } from '../helpers/hand-made.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { recorded } from '../helpers/recorded.js';

const { port: redis } = sharedServer();

async function connected(t: TestContext, port: number): Promise<TestClient> {
  const client = await TestClient.connect(port);
  t.after(() => client.close());
  return client;
}

const WRONG = '-WRONGPASS invalid username-password pair or user is disabled.\r\n';
const NO_AUTH = '-NOAUTH Authentication required.\r\n';

test('a recording of clients that had to log in wants logins; removed passwords may be any', async (t) => {
  const session = async (port: number): Promise<unknown> => {
    const io = new Redis(port, '127.0.0.1', { username: 'app', password: 'pw', lazyConnect: true });
    const node = createClient({
      url: `redis://127.0.0.1:${port}`,
      username: 'app',
      password: 'pw',
      RESP: 2,
    });
    await Promise.all([io.connect(), node.connect()]);
    try {
      return [await io.set('sa:a', '1'), await node.get('sa:a')];
    } finally {
      io.disconnect();
      node.destroy();
    }
  };
  const { file, result } = await recorded(
    t,
    {
      seeds: [`127.0.0.1:${redis()}`],
      credentials: { username: 'app', passwords: ['pw'] },
      settings: { downstreamAuth: { username: 'app', passwords: 1 } },
    },
    async ({ handle }) => {
      const { port } = handle.address;
      const stranger = await connected(t, port);
      assert.match(await stranger.ask('GET', 'sa:a'), /^-NOAUTH/);
      return session(port);
    },
  );
  assert.doesNotMatch(readFileSync(file, 'utf8'), /"pw"/);
  const rmtop = startProgram(t, ['serve', file, '-l', '127.0.0.1:0', '--auth', 'recorded']);
  const [, port] = await rmtop.says(/serving .* on 127\.0\.0\.1:(\d+)/);
  assert.deepEqual(await session(Number(port)), result);
  const client = await connected(t, Number(port));
  assert.deepEqual(
    await client.pipeline([
      ['GET', 'sa:a'],
      ['PING'],
      ['AUTH'],
      ['AUTH', 'a', 'b', 'c'],
      ['AUTH', 'app', 'any'],
      ['GET', 'sa:a'],
      ['RESET'],
      ['GET', 'sa:a'],
    ]),
    [
      NO_AUTH,
      NO_AUTH,
      "-ERR wrong number of arguments for 'auth' command\r\n",
      '-ERR syntax error\r\n',
      '+OK\r\n',
      bulk('1'),
      '+RESET\r\n',
      NO_AUTH,
    ],
  );
  assert.match(await client.ask('HELLO', '3'), /^-NOAUTH HELLO must be called/);
  assert.match(await client.ask('HELLO', '2', 'AUTH', 'app', 'x'), /^\*14\r\n/);
  assert.equal(await client.ask('GET', 'sa:a'), bulk('1'));
});

test('where the recording kept users or passwords, they must be the same; a refused login is refused again', async (t) => {
  const file = handMade(t, [
    cmd(1, ['AUTH', 'bob', { red: 'auth' }], { '+': 'OK' }),
    cmd(2, ['AUTH', 'eve', { red: 'auth' }], { '-': 'WRONGPASS no, eve' }),
    cmd(3, ['HELLO', '3', 'SETNAME', 'AUTH', 'AUTH', 'default', 'known'], { '+': 'OK' }),
    cmd(4, ['GET', 'a'], '1'),
    cmd(5, ['GET', 'a'], '1', { c: 2 }),
  ]);
  const fake = await serve(file, { auth: 'recorded' });
  t.after(() => fake.close());
  const client = await connected(t, fake.port);
  assert.deepEqual(
    await client.pipeline([
      ['GET', 'a'], // connection 2 had not logged in
      ['AUTH', 'bob', 'anything'],
      ['AUTH', 'eve', 'anything'],
      ['AUTH', 'ann', 'anything'],
      ['AUTH', 'default', 'known'],
      ['AUTH', 'known'],
      ['AUTH', 'unknown'],
    ]),
    [bulk('1'), '+OK\r\n', '-WRONGPASS no, eve\r\n', WRONG, '+OK\r\n', '+OK\r\n', WRONG],
  );
  assert.deepEqual(fake.misses(), ['a login that was not recorded (2 times)']);
  await client.ask('HELLO', '3', 'AUTH', 'ann', 'x');
  // A HELLO that is refused changes nothing.
  assert.equal(await client.ask('GET', 'none').then((reply) => reply.slice(0, 10)), '-RMTOPMISS');
});

test('without a recorded login every AUTH is refused; by default any will do', async (t) => {
  const file = handMade(t, [cmd(1, ['GET', 'a'], '1')]);
  const rmtop = startProgram(t, ['serve', file, '-l', '127.0.0.1:0', '--auth', 'recorded']);
  const [, port] = await rmtop.says(/serving .* on 127\.0\.0\.1:(\d+)/);
  await rmtop.says(/no login is recorded in .*made\.rmtop: every AUTH is refused/);
  const client = await connected(t, Number(port));
  assert.deepEqual(
    await client.pipeline([
      ['GET', 'a'],
      ['AUTH', 'x'],
    ]),
    [bulk('1'), WRONG],
  );
  const open = await serve(file);
  t.after(() => open.close());
  assert.equal(await (await connected(t, open.port)).ask('AUTH', 'x'), '+OK\r\n');
  const wrong = await runProgram(t, ['serve', file, '--auth', 'some']);
  assert.deepEqual([wrong.code, /any, recorded/.test(wrong.stderr)], [64, true]);
});
