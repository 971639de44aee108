/** `rmtop replay`: fewer connections, rounds, rates, steps, and what is put into the servers first; on a real cluster. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { sha1Of } from '../../src/recording/recorded-scripts.js';
import { TestClient } from '../helpers/client.js';
import { ask, sharedCluster } from '../helpers/cluster.js';
import { type Program, runProgram, startProgram } from '../helpers/program.js';
import type { TestProxyOptions } from '../helpers/proxy.js';
import { recorded } from '../helpers/recorded.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();

function seed(): string {
  return `127.0.0.1:${cluster().nodes[0]?.port ?? 0}`;
}

async function onAll(...command: string[]): Promise<unknown[]> {
  return Promise.all(cluster().nodes.map(({ port }) => ask(port, command).catch(() => null)));
}

/** Records what `play` does with connections to a proxy in front of the emptied cluster. */
async function record(
  t: TestContext,
  play: (connect: () => Promise<TestClient>) => Promise<void>,
  options: Partial<TestProxyOptions> = {},
): Promise<string> {
  await onAll('FLUSHALL');
  const { file } = await recorded(t, { seeds: [seed()], ...options }, async (proxy) => {
    const clients: TestClient[] = [];
    await play(async () => {
      const client = await TestClient.connect(proxy.port);
      clients.push(client);
      return client;
    });
    for (const client of clients) client.close();
    await Promise.all(clients.map(({ closed }) => closed));
  });
  return file;
}

/** Ten counts of two keys, and what they came to. */
async function counting(connect: () => Promise<TestClient>): Promise<void> {
  const client = await connect();
  for (let i = 0; i < 5; i++)
    await client.pipeline([
      ['INCR', 'a'],
      ['INCR', '{b}:n'],
      ['GET', 'a'],
    ]);
}

type Report = {
  readonly commands: number;
  readonly rounds?: number;
  readonly sent: number;
  readonly connections: number;
  readonly durationMs: number;
  readonly left: Readonly<Record<string, number>>;
  readonly replies: {
    readonly same: number;
    readonly different: number;
    readonly notCompared: number;
  };
  readonly routing: { readonly same: number; readonly changes: Readonly<Record<string, number>> };
  readonly differences: readonly {
    readonly n: number;
    readonly round?: number;
    readonly now: string;
  }[];
  readonly scripts: {
    readonly loaded: number;
    readonly missing: readonly { readonly sha1: string }[];
  };
};

async function replay(
  t: TestContext,
  file: string,
  ...args: string[]
): Promise<{ readonly code: number | string; readonly report: Report; readonly stderr: string }> {
  const { code, stdout, stderr } = await runProgram(t, [
    'replay',
    file,
    '-u',
    seed(),
    '--json',
    ...args,
  ]);
  assert.notEqual(stdout, '', stderr);
  return { code, report: JSON.parse(stdout) as Report, stderr };
}

const FAST = ['--speed', 'max'];

test('--conns: on one connection, transactions whole, and what cannot be shared on its own', async (t) => {
  const file = await record(
    t,
    async (connect) => {
      const [a, b, c] = [await connect(), await connect(), await connect()];
      await a.ask('MULTI');
      await b.ask('SET', 'other', '1');
      await a.ask('INCR', 'n');
      await b.ask('GET', 'other');
      await a.ask('EXEC');
      const popped = c.ask('BLPOP', 'list', '0');
      await b.ask('GET', 'n');
      await b.ask('RPUSH', 'list', 'x');
      await popped;
      await b.ask('MULTI');
      await b.ask('INCR', 'n');
      await a.ask('GET', 'n');
      await b.ask('EXEC');
      await a.ask('QUIT');
    },
    { settings: { open: true } },
  );
  const args = ['--conns', '1', '--open', '--flush', ...FAST];
  const { code, report, stderr } = await replay(t, file, ...args);
  assert.equal(code, 0, JSON.stringify(report));
  assert.match(stderr, /1 connections keep one of their own/);
  assert.deepEqual([report.connections, report.sent, report.left.folded], [2, 12, 1]);
  const all = await replay(t, file, '--open', '--flush', ...FAST);
  assert.deepEqual([all.code, all.report.connections, all.report.sent], [0, 3, 13]);
});

test('--times: rounds meet in the same keys, unless servers are emptied or keys vary', async (t) => {
  const file = await record(t, counting);
  await onAll('FLUSHALL');
  const met = await replay(t, file, '--times', '3', ...FAST);
  assert.equal(met.code, 1);
  assert.deepEqual([met.report.sent, met.report.commands, met.report.rounds], [45, 45, 3]);
  assert.equal(met.report.replies.different, 30);
  assert.deepEqual(
    met.report.differences.map(({ round }) => round),
    [...Array(15).fill(2), ...Array(15).fill(3)],
  );
  const emptied = await replay(t, file, '--times', '3', '--flush', ...FAST);
  assert.deepEqual([emptied.code, emptied.report.replies.same], [0, 45], JSON.stringify(emptied));
  const varied = await replay(t, file, '--times', '3', '--flush', '--vary', 'key', ...FAST);
  assert.deepEqual([varied.code, varied.report.replies.same], [0, 45], JSON.stringify(varied));
  const kept = await Promise.all(['a', 'a~round2', 'a~round3', '{b}:n~round3'].map(valueAt));
  assert.deepEqual(kept, ['5', '5', '5', '5']);
  const text = await runProgram(t, ['replay', file, '-u', seed(), '--times', '2', ...FAST]);
  assert.match(text.stdout, /^replayed 30 of 30 commands in 2 rounds on 2 connections/);
  assert.match(text.stdout, /\n#1 INCR a {3}\(integer\) 1 {2}> {2}\(integer\) 6\n/);
});

/** The value of a key, wherever it is. */
async function valueAt(key: string): Promise<unknown> {
  const values = await onAll('GET', key);
  return values.find((value) => typeof value === 'string');
}

test('--vary: names of keys in replies count as those recorded', async (t) => {
  const file = await record(
    t,
    async (connect) => {
      const client = await connect();
      await client.ask('RPUSH', 'list', 'x~round2');
      await client.ask('BLPOP', 'list', '1');
    },
    { settings: { open: true } },
  );
  const args = ['--open', '--flush', '--times', '2', '--vary', 'key', ...FAST];
  const { code, report } = await replay(t, file, ...args);
  assert.equal(code, 1, 'a value that ends as a key does is taken for one, and told');
  assert.deepEqual(
    report.differences.map(({ n, round }) => [n, round]),
    [[2, 2]],
  );
});

test('--loop: rounds until the time is over; a signal ends them with the report', async (t) => {
  const file = await record(t, counting);
  const looped = await replay(t, file, '--loop', '600ms', '--flush', ...FAST);
  assert.equal(looped.code, 0, JSON.stringify(looped.report));
  const { rounds = 1, sent, commands } = looped.report;
  assert.ok(rounds > 1 && sent > 15 && sent <= commands, JSON.stringify(looped.report));
  assert.equal(commands, 15 * rounds);
  const endless = startProgram(t, ['replay', file, '-u', seed(), '--loop', '60m', '--speed', '1']);
  await until(async () => Number(await valueAt('a')) > 20, 'some rounds');
  endless.child.kill('SIGINT');
  assert.equal(await endless.ended, 130);
  assert.match(endless.stdout(), /^replayed \d+ of \d+ commands in \d+ rounds/);
});

test('--rate: evenly, whatever the recorded times', async (t) => {
  const file = await record(t, counting);
  const { code, report } = await replay(t, file, '--rate', '50/s', '--flush');
  assert.equal(code, 0);
  assert.ok(report.durationMs >= 275, `${report.durationMs} ms for 15 commands`);
  const text = await runProgram(t, ['replay', file, '-u', seed(), '--rate', '5000/s', '--flush']);
  assert.match(text.stdout, /\(5000\/s, causal/);
});

function stepping(t: TestContext, file: string, ...args: string[]): Program {
  return startProgram(t, ['replay', file, '-u', seed(), '--step', '--flush', ...args], {}, 'pipe');
}

test('--step: a command for each line, until there are no more', async (t) => {
  const file = await record(t, counting);
  const one = stepping(t, file);
  await one.says(/^next: #1 INCR a$/m);
  assert.equal(await valueAt('a'), undefined);
  one.child.stdin?.write('\n');
  await one.says(/^#1 INCR a {3}same\nnext: #2 INCR \{b\}:n$/m);
  one.child.stdin?.write('x\n2\n');
  await one.says(/^rmtop: Enter, a number, c or q$/m);
  await one.says(/^#3 GET a {3}same\nnext: #4 INCR a$/m);
  one.child.stdin?.write('q\n');
  assert.equal(await one.ended, 0);
  assert.match(one.stdout(), /^replayed 3 of 15 commands .*\(by step, causal\)/);
  const rest = stepping(t, file, '--json');
  rest.child.stdin?.write('4\nc\n');
  assert.equal(await rest.ended, 0);
  assert.equal((JSON.parse(rest.stdout()) as Report).sent, 15);
  const ended = stepping(t, file, '--json');
  ended.child.stdin?.end('\n\n');
  assert.equal(await ended.ended, 0);
  assert.equal((JSON.parse(ended.stdout()) as Report).sent, 2);
});

test('--load: RESP or lines are sent first, each round; what is refused is named', async (t) => {
  const file = await record(t, async (connect) => {
    const direct = await connect();
    await direct.pipeline([
      ['SET', 'there', 'x y'],
      ['RPUSH', 'l', '1', '2'],
    ]);
    const client = await connect();
    await client.pipeline([
      ['GET', 'there'],
      ['LPOP', 'l'],
    ]);
  });
  const only = ['--only', '3..', '--flush', ...FAST];
  const made = path.dirname(file);
  const [lines, resp, wrong, none] = ['lines', 'resp', 'wrong', 'none'].map((name) =>
    path.join(made, name),
  ) as [string, string, string, string];
  writeFileSync(lines, '# what was there\nSET there "x y"\n\nRPUSH l 1 2\n');
  writeFileSync(
    resp,
    '*3\r\n$3\r\nSET\r\n$5\r\nthere\r\n$3\r\nx y\r\n*3\r\n$5\r\nRPUSH\r\n$1\r\nl\r\n$1\r\n1\r\n',
  );
  writeFileSync(wrong, 'SET there x\nINCR there\n');
  writeFileSync(none, '{"k":"x"}\n');
  assert.equal((await replay(t, file, ...only)).code, 1);
  for (const load of [lines, resp]) {
    const { code, stderr, report } = await replay(t, file, ...only, '--load', load, '--times', '2');
    assert.equal(code, 0, JSON.stringify(report));
    assert.match(stderr, /^rmtop: sent 2 commands of \S+ first\n$/);
  }
  const refused = await runProgram(t, ['replay', file, '-u', seed(), ...only, '--load', wrong]);
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /error\[REPLAY_FAILED\][\s\S]*command 2, INCR, was refused: ERR value/,
  );
  const unread = await runProgram(t, ['replay', file, '-u', seed(), ...only, '--load', none]);
  assert.deepEqual([unread.code, /error\[/.test(unread.stderr)], [5, true], unread.stderr);
  const far = [
    'replay',
    file,
    '--direct',
    '-u',
    '192.0.2.1:1',
    '-f',
    'class=read',
    '--load',
    lines,
  ];
  assert.equal((await runProgram(t, far)).code, 6);
});

test('an edited command: as it was received and not compared, or --as-forwarded', async (t) => {
  const file = await record(t, async (connect) => {
    const client = await connect();
    await client.pipeline([
      ['SET', 'k', '2'],
      ['GET', 'k'],
    ]);
  });
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text.replace('"a":["SET","k","2"]', '"a":["SET","k","2"],"ao":["SET","k","1"]'),
  );
  const received = await replay(t, file, '--flush', ...FAST);
  assert.match(received.stderr, /1 commands had been edited.*--as-forwarded/);
  assert.equal(received.report.replies.notCompared, 1);
  assert.deepEqual([received.code, await valueAt('k')], [1, '1']);
  const forwarded = await replay(t, file, '--flush', '--as-forwarded', ...FAST);
  assert.deepEqual([forwarded.code, forwarded.stderr, await valueAt('k')], [0, '', '2']);
});

test('--routing strict: which replica counts as well', async (t) => {
  const reads = async (connect: () => Promise<TestClient>): Promise<void> => {
    const client = await connect();
    await client.pipeline(Array.from({ length: 60 }, (_, i) => ['GET', `k${i}`]));
  };
  const drawn = await record(t, reads, { settings: { readPolicy: 'ANY' } });
  assert.equal((await replay(t, drawn, ...FAST)).code, 0);
  const strict = await replay(t, drawn, '--routing', 'strict', ...FAST);
  assert.equal(strict.code, 1);
  assert.deepEqual(Object.keys(strict.report.routing.changes), ['server']);
  const only = await record(t, reads, { settings: { readPolicy: 'REPLICA' } });
  const same = await replay(t, only, '--routing', 'strict', ...FAST);
  assert.deepEqual([same.code, same.report.routing.same], [0, 60], JSON.stringify(same.report));
});

test('EVALSHA: a script that was there before is loaded first, or its source is missed', async (t) => {
  const [known, other] = ['return KEYS[1]', 'return {KEYS[1], 2}'];
  const [knownSha, otherSha] = [known, other].map((source) => sha1Of(Buffer.from(source))) as [
    string,
    string,
  ];
  const file = await record(t, async (connect) => {
    await onAll('SCRIPT', 'LOAD', known);
    await onAll('SCRIPT', 'LOAD', other);
    const client = await connect();
    await client.ask('EVALSHA', knownSha.toUpperCase(), '1', 'k');
    await client.ask('EVALSHA', otherSha, '1', 'k');
    await client.ask('EVALSHA', otherSha, '1', 'k2');
    await client.ask('EVAL', known, '1', 'k');
  });
  await onAll('SCRIPT', 'FLUSH');
  const first = await replay(t, file, ...FAST);
  assert.equal(first.code, 1);
  assert.deepEqual(first.report.scripts.missing, [{ sha1: otherSha, n: 2, uses: 2 }]);
  assert.equal(first.report.scripts.loaded, 1);
  assert.deepEqual(
    first.report.differences.map(({ n }) => n),
    [2, 3],
  );
  const text = await runProgram(t, ['replay', file, '-u', seed(), ...FAST]);
  assert.match(
    text.stdout,
    new RegExp(
      `\\nscripts {3}0 loaded first {3}1 not in the recording: ${otherSha} \\(#2, 2 EVALSHA\\)\\n`,
    ),
  );
});

test('EVALSHA that had not been there, and EVAL after it: the same again on servers without scripts', async (t) => {
  const source = 'return redis.call("INCR", KEYS[1])';
  const sha = sha1Of(Buffer.from(source));
  await onAll('SCRIPT', 'FLUSH');
  const file = await record(t, async (connect) => {
    const client = await connect();
    assert.match(await client.ask('EVALSHA', sha, '1', 'n'), /^-NOSCRIPT/);
    await client.ask('EVAL', source, '1', 'n');
    await client.ask('EVALSHA', sha, '1', 'n');
  });
  for (let i = 0; i < 2; i++) {
    const { code, report } = await replay(t, file, '--flush', ...FAST);
    assert.equal(code, 0, JSON.stringify(report));
    assert.deepEqual(report.scripts, { loaded: 0, missing: [] });
  }
});
