/** Which recorded reply a command gets. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import test, { type TestContext } from 'node:test';
import { Command } from '../../src/commands/command.js';
import { parseArgumentRule } from '../../src/recording/loose.js';
import { Matcher, type MatchOptions, showSpoken } from '../../src/recording/matching.js';
import { readServable } from '../../src/recording/servable.js';
import type { JsonObject } from '../../src/recording/values.js';
import { cmd, handMade } from '../helpers/hand-made.js';

const OPTIONS: MatchOptions = {
  match: 'key',
  exhausted: 'auto',
  faults: false,
  rules: [],
  redactKey: '',
};

type Ask = (text: string | readonly (string | Buffer)[], client?: number, name?: string) => string;

/** A matcher of these lines; `ask` gives the reply's bytes as text, or `miss: …`. */
async function matcher(
  t: TestContext,
  lines: readonly JsonObject[],
  options: Partial<MatchOptions> = {},
): Promise<{
  readonly ask: Ask;
  readonly unit: (texts: readonly string[]) => string;
  readonly of: Matcher;
}> {
  const { script } = await readServable(handMade(t, lines));
  const of = new Matcher(script, { ...OPTIONS, ...options });
  const say = (answer: ReturnType<Matcher['answer']>): string =>
    answer.kind === 'miss'
      ? `miss: ${answer.text}`
      : (answer.spoken.reply?.toString('latin1') ?? answer.spoken.injected ?? '').trim();
  const words = (text: string | readonly (string | Buffer)[]): Command =>
    Command.of(typeof text === 'string' ? text.split(' ') : text);
  return {
    of,
    ask: (text, client = 1, name) =>
      say(of.answer([words(text)], false, { id: client, name: name ?? null })),
    unit: (texts) => say(of.answer(texts.map(words), true, { id: 1, name: null })),
  };
}

test('equal commands get their replies in order; the last read again, a write not', async (t) => {
  const { ask, of } = await matcher(t, [
    cmd(3, ['get', 'a'], 2),
    cmd(1, ['GET', 'a'], 1),
    cmd(2, ['SET', 'b', 'x'], { '+': 'OK' }),
  ]);
  assert.deepEqual([ask('Get a'), ask('GET a'), ask('GET a')], [':1', ':2', ':2']);
  assert.equal(ask('SET b x'), '+OK');
  assert.match(
    ask('SET b x'),
    /^miss: SET b x was asked more often than recorded: 1 reply, the last #2$/,
  );
  assert.equal(of.servedCount, 3);
  assert.deepEqual(of.leftovers(), []);
});

test('after the last reply: what was asked for', async (t) => {
  const lines = [cmd(1, ['GET', 'a'], 1), cmd(2, ['GET', 'a'], 2), cmd(3, ['INCR', 'n'], 1)];
  const last = await matcher(t, lines, { exhausted: 'last' });
  assert.deepEqual([last.ask('INCR n'), last.ask('INCR n')], [':1', ':1']);
  const error = await matcher(t, lines, { exhausted: 'error' });
  assert.deepEqual([error.ask('GET a'), error.ask('GET a')], [':1', ':2']);
  assert.match(error.ask('GET a'), /^miss: .* 2 replies/);
  const loop = await matcher(t, lines, { exhausted: 'loop' });
  assert.deepEqual(
    ['', '', '', ''].map(() => loop.ask('GET a')),
    [':1', ':2', ':1', ':2'],
  );
});

test('a read is not answered from before a write to its key that was served', async (t) => {
  const { ask } = await matcher(t, [
    cmd(1, ['GET', 'a'], null),
    cmd(2, ['SET', 'a', '1'], { '+': 'OK' }),
    cmd(3, ['GET', 'a'], '1'),
    cmd(4, ['MGET', 'a', 'b'], ['1', null]),
    cmd(5, ['GET', 'b'], null),
    cmd(6, ['DEL', 'a'], 1),
  ]);
  assert.equal(ask('SET a 1'), '+OK');
  assert.equal(ask('GET a'), '$1\r\n1');
  assert.equal(ask('DEL a'), ':1');
  assert.match(
    ask('GET a'),
    /^miss: every recorded reply of GET a is from before the write #6.*last is #3/,
  );
  assert.match(ask('MGET a b'), /^miss: every .* #6/);
  assert.equal(ask('GET b'), '$-1');
});

test('a flush makes all earlier replies old', async (t) => {
  const { ask } = await matcher(t, [
    cmd(1, ['GET', 'a'], 'x'),
    cmd(2, ['FLUSHALL'], { '+': 'OK' }),
    cmd(3, ['GET', 'a'], null),
  ]);
  assert.equal(ask('FLUSHALL'), '+OK');
  assert.equal(ask('GET a'), '$-1');
});

test('each client gets the replies of its own connection, by name, then by order of arrival', async (t) => {
  const lines = [
    { k: 'conn', t: 0, c: 1, addr: '', resp: 2 },
    { k: 'conn', t: 0, c: 2, addr: '', resp: 2, name: 'worker' },
    cmd(1, ['GET', 'a'], 'one'),
    cmd(2, ['GET', 'a'], 'two', { c: 2 }),
  ];
  const { ask } = await matcher(t, lines);
  assert.equal(ask('GET a', 10, 'worker'), '$3\r\ntwo');
  assert.equal(ask('GET a', 11), '$3\r\none');
});

test('strict: the next command of the same connection, and no other', async (t) => {
  const lines = [
    { k: 'conn', t: 0, c: 1, addr: '', resp: 2 },
    { k: 'conn', t: 0, c: 2, addr: '', resp: 2 },
    cmd(1, ['GET', 'a'], 'one'),
    cmd(2, ['GET', 'x'], 'two', { c: 2 }),
    cmd(3, ['GET', 'b'], 'three'),
  ];
  const { ask } = await matcher(t, lines, { match: 'strict' });
  assert.match(ask('GET b', 1), /^miss: GET b: next on the recorded connection c1 is GET a #1$/);
  assert.equal(ask('GET a', 1), '$3\r\none');
  assert.equal(ask('GET x', 2), '$3\r\ntwo');
  assert.equal(ask('GET b', 1), '$5\r\nthree');
  assert.match(ask('GET c', 1), /^miss: .* c1 asked nothing after #3$/);
  assert.match(ask('GET a', 3), /^miss: .* 2 recorded connections is taken$/);
});

test('loose: name and keys; other arguments by rules; the last wins', async (t) => {
  const lines = [
    cmd(1, ['SET', 'a', '{"x":1,"y":2}'], { '+': 'FIRST' }),
    cmd(2, ['SET', 'a', 'session-1'], { '+': 'LAST' }),
    cmd(3, ['SET', 'b', '1'], { '+': 'B' }),
  ];
  const any = await matcher(t, lines, { match: 'loose' });
  assert.equal(any.ask('SET a whatever EX 5'), '+LAST');
  assert.match(any.ask('SET c 1'), /^miss: no recorded reply for SET c 1 \(nearest: SET b 1 #3/);
  const json = await matcher(t, lines, {
    match: 'loose',
    rules: [parseArgumentRule('SET 2 json')],
  });
  assert.equal(json.ask(['SET', 'a', '{"y":2, "x":1}']), '+FIRST');
  assert.match(json.ask('SET a other'), /^miss/);
  const glob = await matcher(t, lines, {
    match: 'loose',
    rules: [parseArgumentRule('set 2 glob session-*')],
  });
  assert.equal(glob.ask('SET a session-99'), '+LAST');
  assert.match(glob.ask('SET a session-99 NX'), /^miss/);
  for (const wrong of ['SET', 'SET x json', 'SET 2 glob', 'SET 2 json $.x', 'SET 0 ignore'])
    assert.throws(() => parseArgumentRule(wrong), { code: 'USAGE' }, wrong);
});

test('removed and cut arguments: by their hash where the key is known, else anything fits', async (t) => {
  const h = createHmac('sha256', 'k').update('secret').digest('hex').slice(0, 12);
  const big = 'x'.repeat(5000);
  const sha256 = createHash('sha256').update(big).digest('hex');
  const lines = [
    cmd(1, ['SET', 'a', { red: 'value', len: 6, h }], { '+': 'OK' }),
    cmd(2, ['SET', 'a', { red: 'value', len: 6, h }], { '+': 'AGAIN' }),
    cmd(3, ['APPEND', 'b', { cut: 5000, head: 'xxx', sha256 }], 5000),
  ];
  const unknown = await matcher(t, lines);
  assert.deepEqual([unknown.ask('SET a one'), unknown.ask('SET a two')], ['+OK', '+AGAIN']);
  assert.match(unknown.ask('SET a one two'), /^miss/);
  assert.equal(unknown.ask(['APPEND', 'b', big]), ':5000');
  assert.match(unknown.ask(['APPEND', 'b', `${big.slice(1)}y`]), /^miss/);
  const known = await matcher(t, lines, { redactKey: 'k' });
  assert.match(known.ask('SET a other'), /^miss/);
  assert.equal(known.ask('SET a secret'), '+OK');
});

test('option words in any case, values not', async (t) => {
  const { ask } = await matcher(t, [cmd(1, ['SET', 'a', 'v', 'EX', '5', 'nx'], { '+': 'OK' })]);
  assert.match(ask('SET a V EX 5 NX'), /^miss/);
  assert.equal(ask('set a v ex 5 NX'), '+OK');
});

test('a transaction is one unit', async (t) => {
  const { unit, of } = await matcher(t, [
    cmd(1, ['MULTI'], { '+': 'OK' }),
    cmd(2, ['INCR', 'n'], { '+': 'QUEUED' }, { x: 'T' }),
    cmd(3, ['GET', 'n'], { '+': 'QUEUED' }, { x: 'T' }),
    cmd(4, ['EXEC'], [1, '1'], { x: 'T' }),
    cmd(5, ['MULTI'], { '+': 'OK' }),
    cmd(6, ['INCR', 'other'], { '+': 'QUEUED' }, { x: 'T' }),
    cmd(7, ['DISCARD'], { '+': 'OK' }, { x: 'T' }),
    cmd(8, ['GET', 'n'], '1'),
  ]);
  assert.match(unit(['INCR n']), /^miss: no recorded reply for MULTI \[INCR n\] EXEC \(nearest: /);
  assert.equal(unit(['INCR n', 'GET n']), '*2\r\n:1\r\n$1\r\n1');
  assert.deepEqual(of.leftovers().map(showSpoken), ['GET n']);
  assert.equal(of.queuedReply([Command.of(['INCR', 'n'])])?.toString(), '+QUEUED\r\n');
  assert.equal(of.queuedReply([Command.of(['INCR', 'x'])]), null);
});

test('a miss names what comes nearest, and shows nothing that could not be printed', async (t) => {
  const { ask, of } = await matcher(t, [
    cmd(1, ['GET', 'user:41'], '1'),
    cmd(1042, ['GET', 'user:42'], '2'),
    cmd(1043, ['GET', 'price'], '3'),
    cmd(1044, ['HGET', 'h', 'f'], '3'),
  ]);
  assert.equal(
    ask('GET user:421'),
    'miss: no recorded reply for GET user:421 (nearest: GET user:42 #1042, differs in argument 1; 2 others)',
  );
  assert.match(ask('HGET h'), /nearest: HGET h f #1044, has 1 argument more\)$/);
  assert.match(ask('LPUSH l 1'), /\(no LPUSH was recorded\)$/);
  assert.match(ask(['NOSUCH\r\n', '\x1b[2J']), /^miss: [\x20-\x7e]*$/);
  assert.deepEqual([...of.misses.values()], [1, 1, 1, 1]);
});

test('injected faults are repeated only when asked; what was not kept is said to be missing', async (t) => {
  const fault = { f: [{ id: 't1', kind: 'error', roll: 0.1 }] };
  const lines = [
    cmd(1, ['GET', 'a'], { '-': 'Fault Injected: Error' }, fault),
    cmd(2, ['GET', 'a'], '1', { f: [{ id: 't2', kind: 'delay', roll: 0.1 }] }),
    cmd(3, ['GET', 'b'], { '-': 'Fault Injected: Error' }, fault),
    cmd(4, ['GET', 'c'], undefined, { rs: 9_000_000 }),
    cmd(5, ['GET', 'd'], { cut: 2_000_000, head: 'x', sha256: '' }, { rs: 2_000_011 }),
    cmd(6, ['GET', 'e'], undefined, { e: 'client_closed' }),
  ];
  const without = await matcher(t, lines);
  assert.equal(without.ask('GET a'), '$1\r\n1');
  assert.match(without.ask('GET b'), /^miss: GET b has only replies that were injected/);
  assert.match(
    without.ask('GET c'),
    /^miss: the recorded reply of GET c #4 is not there: it was removed$/,
  );
  assert.match(without.ask('GET d'), /it was cut: 2000000 bytes$/);
  assert.match(without.ask('GET e'), /^miss: no recorded reply for GET e/);
  assert.deepEqual(without.of.leftovers(), []);
  const repeated = await matcher(t, lines, { faults: true });
  assert.deepEqual(
    [repeated.ask('GET a'), repeated.ask('GET a')],
    ['-Fault Injected: Error', '$1\r\n1'],
  );
});
