/** `cat --har` and `import --from har`: valid HAR 1.2 outside, and all of the recording inside. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { replay, serve } from 'rmtop/test';
import { HarRecords } from '../../src/recording/imports/har-records.js';
import { holds } from '../helpers/check.js';
import { TestClient } from '../helpers/client.js';
import { ask, sharedServer } from '../helpers/cluster.js';
import { cmd, handMade } from '../helpers/hand-made.js';
import { runProgram } from '../helpers/program.js';
import { folder, RECORDINGS } from '../helpers/record-files.js';
import { recorded } from '../helpers/recorded.js';

const { port: redis } = sharedServer();

type Fields = Readonly<Record<string, unknown>>;
type Har = { readonly log: Fields & { readonly entries: readonly HarEntry[] } };
type HarEntry = Fields & {
  readonly time: number;
  readonly timings: Readonly<Record<string, number>>;
  readonly request: Fields;
  readonly response: Fields;
};

/** The fields that HAR 1.2 asks for, and their types. What begins with `_` is free; `?` may be left out. */
const HAR_12 = {
  log: { version: 'string', creator: 'object', entries: 'array' },
  creator: { name: 'string', version: 'string' },
  entry: {
    startedDateTime: 'string',
    time: 'number',
    request: 'object',
    response: 'object',
    cache: 'object',
    timings: 'object',
    'connection?': 'string',
  },
  request: {
    method: 'string',
    url: 'string',
    httpVersion: 'string',
    cookies: 'array',
    headers: 'array',
    queryString: 'array',
    'postData?': 'object',
    headersSize: 'number',
    bodySize: 'number',
  },
  postData: { mimeType: 'string', params: 'array', text: 'string' },
  response: {
    status: 'number',
    statusText: 'string',
    httpVersion: 'string',
    cookies: 'array',
    headers: 'array',
    content: 'object',
    redirectURL: 'string',
    headersSize: 'number',
    bodySize: 'number',
  },
  content: { size: 'number', mimeType: 'string', 'text?': 'string' },
  timings: { 'blocked?': 'number', send: 'number', wait: 'number', receive: 'number' },
} as const;

function fits(value: unknown, name: keyof typeof HAR_12): void {
  const wanted: Readonly<Record<string, string>> = HAR_12[name];
  const object = value as Fields;
  for (const [field, type] of Object.entries(wanted)) {
    const key = field.replace('?', '');
    const given = object[key];
    if (given === undefined && field.endsWith('?')) continue;
    const is = Array.isArray(given) ? 'array' : typeof given;
    assert.equal(is, type, `${name}.${key}`);
  }
  const known = Object.keys(wanted).map((field) => field.replace('?', ''));
  const others = Object.keys(object).filter((key) => !known.includes(key) && !key.startsWith('_'));
  assert.deepEqual(others, [], `${name} has nothing else`);
}

/** Throws where the text is no HAR 1.2. */
function validHar(text: string): Har {
  const har = JSON.parse(text) as Har;
  assert.deepEqual(Object.keys(har), ['log']);
  fits(har.log, 'log');
  assert.equal(har.log.version, '1.2');
  fits(har.log.creator, 'creator');
  for (const entry of har.log.entries) {
    fits(entry, 'entry');
    assert.equal(new Date(String(entry.startedDateTime)).toISOString(), entry.startedDateTime);
    fits(entry.request, 'request');
    fits(entry.request.postData, 'postData');
    fits(entry.response, 'response');
    fits(entry.response.content, 'content');
    fits(entry.timings, 'timings');
    assert.equal(new URL(String(entry.request.url)).protocol, 'redis:');
    const sum = Object.values(entry.timings).reduce((all, each) => all + each, 0);
    assert.ok(Math.abs(entry.time - sum) < 0.01, 'time is the sum of the timings');
    assert.ok(Object.values(entry.timings).every((each) => each >= 0));
  }
  return har;
}

async function exported(t: TestContext, file: string, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(t, ['cat', file, '--har', ...flags]);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function imported(t: TestContext, text: string | Buffer, ...flags: string[]) {
  const from = path.join(folder(t), 'in.har');
  const file = path.join(folder(t), 'back.rmtop');
  writeFileSync(from, text);
  const ran = await runProgram(t, ['import', '--from', 'har', from, '-o', file, ...flags]);
  return { ...ran, file };
}

test('a real session: what viewers see of it; taken back it is the same, serves and replays', async (t) => {
  await ask(redis(), ['FLUSHALL']);
  const asked: (string | Buffer)[][] = [
    ['SET', 'rate:10.0.0.7', 'a "b"\nc'],
    ['INCR', 'rate:10.0.0.7'],
    ['HSET', '{x}/h?', 'f', Buffer.from([0, 255, 13, 10])],
    ['HGETALL', '{x}/h?'],
    ['AUTH', 's3cret'],
  ];
  const { file } = await recorded(t, { seeds: [redis()] }, async ({ handle }) => {
    const client = await TestClient.connect(handle.address.port);
    t.after(() => client.close());
    for (const each of asked) await client.ask(...each);
  });
  const text = await exported(t, file);
  const { log } = validHar(text);
  assert.deepEqual(
    log.entries.map(({ request, response }) => [request.method, request.url, response.status]),
    [
      ['SET', 'redis://s0.p/0/SET/rate:10.0.0.7', 200],
      ['INCR', 'redis://s0.p/0/INCR/rate:10.0.0.7', 500],
      ['HSET', 'redis://s0.p/0/HSET/%7Bx%7D%2Fh%3F', 200],
      ['HGETALL', 'redis://s0.p/0/HGETALL/%7Bx%7D%2Fh%3F', 200],
      ['AUTH', 'redis://rmtop/0/AUTH', 500],
    ],
  );
  assert.doesNotMatch(text, /s3cret/);
  const { code, stderr, file: back } = await imported(t, text);
  assert.deepEqual([code, /imported 5 commands/.test(stderr)], [0, true], stderr);
  assert.equal(readFileSync(back, 'utf8'), readFileSync(file, 'utf8'));
  const fake = await serve(back);
  const client = await TestClient.connect(fake.port);
  t.after(() => client.close());
  assert.match(await client.ask('INCR', 'rate:10.0.0.7'), /^-ERR value is not an integer/);
  client.close();
  await fake.close();
  await ask(redis(), ['FLUSHALL']);
  const again = await replay(back, { url: `redis://127.0.0.1:${redis()}` });
  assert.deepEqual([again.different, again.differences], [0, []]);
});

test('every recording of the tree is valid HAR and comes back line by line, spread over lines as well', async (t) => {
  for (const name of readdirSync(RECORDINGS).filter((each) => each.endsWith('.rmtop'))) {
    const file = path.join(RECORDINGS, name);
    const text = await exported(t, file);
    const har = validHar(text);
    const lines = readFileSync(file, 'utf8');
    const inside = [
      ...(har.log._rmtop as readonly unknown[]),
      ...har.log.entries.flatMap(({ _rmtop }) => _rmtop as readonly unknown[]),
    ];
    assert.deepEqual(
      inside,
      lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
      name,
    );
    if (name !== 'session.rmtop' && name !== 'pubsub-open.rmtop') continue;
    const spread = await imported(t, `\ufeff${JSON.stringify(har, null, 2)}`);
    assert.equal(spread.code, 0, spread.stderr);
    assert.equal(readFileSync(spread.file, 'utf8'), lines, name);
  }
});

test('filtered, redacted, without commands; on the way out and on the way back', async (t) => {
  const file = handMade(t, [
    cmd(1, ['SET', 'a', 'hidden'], { '+': 'OK' }),
    cmd(2, ['GET', 'b'], 'x'),
  ]);
  const one = validHar(await exported(t, file, '-f', 'cmd=GET')).log.entries;
  assert.deepEqual(
    one.map(({ request, connection }) => [request.method, connection]),
    [['GET', '1']],
  );
  const clean = await exported(t, file, '--redact', 'values');
  validHar(clean);
  assert.doesNotMatch(clean, /hidden/);
  const later = await imported(t, await exported(t, file), '--redact', 'values');
  assert.equal(later.code, 0, later.stderr);
  assert.doesNotMatch(readFileSync(later.file, 'utf8'), /hidden/);
  const none = await exported(t, handMade(t, []));
  assert.deepEqual(validHar(none).log.entries, []);
  assert.equal((await imported(t, none)).code, 0);
  const packed = await imported(t, await exported(t, file), '--force');
  assert.equal(existsSync(packed.file), true);
});

test('what is no HAR of ours, a torn one, and flags that do not fit', async (t) => {
  const foreign = { log: { version: '1.2', creator: { name: 'x', version: '1' }, entries: [{}] } };
  for (const [text, why] of [
    [JSON.stringify(foreign), /it has no _rmtop/],
    ['hello', /it is no JSON/],
    ['[{"_rmtop":[{}]}]', /it is no JSON/],
    ['', /it has no _rmtop/],
    ['['.repeat(5000), /it is no JSON/],
    [JSON.stringify({ log: { _rmtop: [{ k: 'other' }] } }), /should start with/],
  ] as const) {
    const { code, stderr, file } = await imported(t, text);
    assert.deepEqual([code, /error\[NO_RECORDING\]/.test(stderr)], [5, true], stderr);
    assert.equal(existsSync(file), false, 'nothing is left behind');
    assert.match(stderr, why);
  }
  const file = handMade(t, [cmd(1, ['GET', 'a'], '1'), cmd(2, ['GET', 'b'], '2')]);
  const text = await exported(t, file);
  const torn = await imported(t, text.slice(0, text.lastIndexOf('"n":2')));
  assert.equal(torn.code, 0);
  assert.match(torn.stderr, /the end is torn[\s\S]*imported 1 commands/);
  const missing = await runProgram(t, [
    'import',
    '--from',
    'har',
    '/nonexistent.har',
    '-o',
    path.join(folder(t), 'x.rmtop'),
  ]);
  assert.deepEqual([missing.code, /FILE_UNREADABLE/.test(missing.stderr)], [64, true]);
  for (const args of [
    ['cat', file, file, '--har'],
    ['cat', file, '--har', '--json'],
    ['cat', file, '--har', '--fixture'],
    ['import', '--from', 'har', '--lua', file],
    ['import', '--from', 'pcap', file],
  ]) {
    const { code, stderr } = await runProgram(t, args);
    assert.deepEqual([code, /error\[USAGE\]/.test(stderr)], [64, true], args.join(' '));
  }
});

test('records are found wherever the chunks end', () => {
  const records = [
    { k: 'rmtop', t: '"}]{[\\' },
    { k: 'cmd', a: [{ b64: 'x' }, '\\"', '{"_rmtop":['] },
  ];
  const document = {
    _rmtop: [{ no: 1 }],
    log: {
      'a"b': { _rmtop: [{ no: 2 }] },
      _rmtop: [records[0]],
      text: '"_rmtop":[{"no":3}]',
      entries: [
        { request: { _rmtop: [{ no: 4 }] }, _rmtop: [records[1], records[0]] },
        { _rmtop: [] },
      ],
    },
  };
  const bytes = Buffer.from(JSON.stringify(document));
  holds(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
      const finder = new HarRecords();
      const found: string[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length] ?? 1;
        found.push(...finder.push(bytes.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(
        found.map((text) => JSON.parse(text)),
        [records[0], records[1], records[0]],
      );
      assert.ok(finder.isWhole);
    }),
    300,
  );
});
