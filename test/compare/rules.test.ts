/** Tolerances of a user's own: what rules say, what they let pass and under which name, and what is wrong with those that are none. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from '../../src/commands/command.js';
import { type Comparison, compareReplies, ignoredBy } from '../../src/compare/compare.js';
import { jsonDifference } from '../../src/compare/json.js';
import { JsonPath, parseJsonPath } from '../../src/compare/json-path.js';
import { parseReplyPath } from '../../src/compare/reply-path.js';
import { parseToleranceRule, type ToleranceRule } from '../../src/compare/rules.js';
import {
  DEFAULT_TOLERANCES,
  NO_TOLERANCES,
  parseTolerances,
  readTolerances,
} from '../../src/compare/tolerances.js';
import { encodeReply } from '../../src/resp/encode.js';
import type { Reply } from '../../src/resp/value.js';

const text = (value: string): Reply => ({ type: '$', value: Buffer.from(value) });
const int = (value: number): Reply => ({ type: ':', value: String(value) });
const list = (...items: Reply[]): Reply => ({ type: '*', items });
const map = (pairs: Readonly<Record<string, Reply>>): Reply => ({
  type: '%',
  pairs: Object.entries(pairs).map(([key, value]) => [text(key), value] as const),
});

function compared(argv: string, a: Reply, b: Reply, ...rules: ToleranceRule[]): Comparison {
  const bytes = (reply: Reply): Buffer => encodeReply(reply, 3);
  return compareReplies(
    Command.of(argv.split(' ')),
    bytes(a),
    bytes(b),
    readTolerances(rules, NO_TOLERANCES),
  );
}

function outcome(...args: Parameters<typeof compared>): string {
  const found = compared(...args);
  if (found.kind === 'tolerated') return `tolerated by ${found.by.join(', ')}`;
  return found.kind === 'diff' ? `${found.path}: ${found.a} > ${found.b}` : found.kind;
}

test('a whole reply is left out for the commands that fit, and for no others', () => {
  const rule = { name: 'sessions', if: 'key=session:*', ignore: true };
  assert.equal(outcome('GET session:1', text('a'), text('b'), rule), 'tolerated by sessions');
  assert.equal(outcome('GET session:1', text('a'), int(1), rule), 'tolerated by sessions');
  assert.equal(outcome('GET session:1', text('a'), text('a'), rule), 'same');
  assert.equal(outcome('GET cart:1', text('a'), text('b'), rule), ': "a" > "b"');
  assert.equal(
    outcome('GET a', text('a'), text('b'), { if: 'cmd=GET', ignore: true }),
    'tolerated by cmd=GET',
  );
  const given = readTolerances([rule]);
  assert.equal(ignoredBy(Command.of(['GET', 'session:1']), given), 'sessions');
  assert.equal(ignoredBy(Command.of(['GET', 'cart:1']), given), null);
  assert.equal(
    compareReplies(Command.of(['GET', 'session:1']), Buffer.from('+a\r\n'), null, given).kind,
    'missing',
  );
});

test('a path leaves out a part, and the rest is still compared', () => {
  const rule = (path: string): ToleranceRule => ({ name: 'r', if: 'all', path });
  const [a, b] = [list(text('x'), text('1')), list(text('x'), text('2'))];
  assert.equal(outcome('LRANGE k 0 -1', a, b, rule('[1]')), 'tolerated by r');
  assert.equal(outcome('LRANGE k 0 -1', a, b, rule('[*]')), 'tolerated by r');
  assert.equal(outcome('LRANGE k 0 -1', a, b, rule('[0]')), '[1]: "1" > "2"');
  const nested = (name: string, at: number): Reply => list(map({ name: text(name), at: int(at) }));
  assert.equal(outcome('X k', nested('n', 1), nested('n', 2), rule('[*].at')), 'tolerated by r');
  assert.equal(outcome('X k', nested('n', 1), nested('n', 2), rule('[0].a*')), 'tolerated by r');
  assert.equal(
    outcome('X k', nested('n', 1), nested('m', 2), rule('[*].at')),
    '[0].name: "n" > "m"',
  );
  // What only one side has, too.
  assert.equal(outcome('LRANGE k 0 -1', a, list(text('x')), rule('[1]')), 'tolerated by r');
  assert.equal(
    outcome('HGETALL k', map({ f: text('1') }), map({ f: text('1'), ts: text('9') }), rule('.ts')),
    'tolerated by r',
  );
  assert.equal(
    outcome('HGETALL k', map({ f: text('1') }), map({ f: text('2'), ts: text('9') }), rule('.ts')),
    '.f: "1" > "2"',
  );
});

test('the path that a difference is told with is one that a rule takes', () => {
  const deep = (value: number): Reply =>
    list(text('a'), map({ 'user.name': map({ 'a "b" [c]': list(int(value)) }) }));
  const told = compared('X k', deep(1), deep(2));
  assert.ok(told.kind === 'diff' && told.path !== '');
  const path = told.kind === 'diff' ? told.path : '';
  assert.equal(outcome('X k', deep(1), deep(2), { name: 'r', if: 'all', path }), 'tolerated by r');
});

test('numbers may be apart by an amount or a share, in the part that is meant', () => {
  const rule = (within: number | string, path?: string): ToleranceRule => ({
    name: 'near',
    if: 'all',
    within,
    ...(path === undefined ? {} : { path }),
  });
  assert.equal(outcome('INCR k', int(100), int(103), rule(3)), 'tolerated by near');
  assert.equal(outcome('INCR k', int(100), int(104), rule(3)), ': (integer) 100 > (integer) 104');
  assert.equal(outcome('GET k', text('1.00'), text('1.04'), rule('5%')), 'tolerated by near');
  assert.equal(outcome('GET k', text('1.00'), text('1.06'), rule('5%')).startsWith(': '), true);
  assert.equal(outcome('GET k', text('a'), text('b'), rule('50%')), ': "a" > "b"');
  const [a, b] = [list(int(1), int(10)), list(int(2), int(11))];
  assert.equal(outcome('X k', a, b, rule(1)), 'tolerated by near');
  assert.equal(outcome('X k', a, b, rule(1, '[1]')), '[0]: (integer) 1 > (integer) 2');
});

test('parts of JSON are left out, at any depth; what else differs is told by its place', () => {
  const doc = (ts: number, name: string): Reply =>
    text(JSON.stringify({ ts, user: { name, seen: ts }, items: [{ id: ts }, { id: 2 }] }));
  const rule = (json: string | string[]): ToleranceRule => ({ name: 'ts', if: 'cmd=GET', json });
  const all = ['$.ts', '$.user.seen', '$.items[0].id'];
  assert.equal(outcome('GET k', doc(1, 'a'), doc(2, 'a'), rule(all)), 'tolerated by ts');
  assert.equal(
    outcome('GET k', doc(1, 'a'), doc(2, 'a'), rule(['$.ts', '$..seen', '$.items[*].id'])),
    'tolerated by ts',
  );
  assert.equal(outcome('GET k', doc(1, 'a'), doc(2, 'b'), rule(all)), '$.user.name: "a" > "b"');
  assert.equal(outcome('GET k', doc(1, 'a'), doc(2, 'a'), rule('$.ts')), '$.user.seen: 1 > 2');
  assert.equal(outcome('GET k', text('plain'), text('other'), rule('$.ts')), ': "plain" > "other"');
  const near = { name: 'ts', if: 'all', json: '$..ts', within: 5 };
  assert.equal(
    outcome('GET k', text('{"ts":1,"a":1}'), text('{"a":1, "ts":4}'), near),
    'tolerated by ts',
  );
  assert.equal(outcome('GET k', text('{"ts":1}'), text('{"ts":9}'), near), '$.ts: 1 > 9');
  // In a list, only there.
  const [a, b] = [list(doc(1, 'a'), doc(1, 'a')), list(doc(2, 'a'), doc(1, 'a'))];
  const inList = (path: string): ToleranceRule => ({ name: 'ts', if: 'all', path, json: '$..*' });
  assert.equal(outcome('MGET k l', a, b, inList('[0]')), 'tolerated by ts');
  assert.equal(outcome('MGET k l', a, b, inList('[1]')).startsWith('[0]: '), true);
});

test('documents are compared by value: integers no double can hold, names twice, deep nesting', () => {
  const used = new Set<string>();
  const path = parseJsonPath('$.ts');
  assert.ok(path instanceof JsonPath);
  const allowance = [{ name: 'r', path, isNear: null }];
  const differ = (a: string, b: string): string | null | undefined =>
    jsonDifference(a, b, allowance, used)?.path;
  assert.equal(differ('{"n":12345678901234567890}', '{"n":12345678901234567891}'), '$.n');
  assert.equal(jsonDifference('{"n":1.0}', '{ "n": 1 }', allowance, used), null);
  assert.equal(jsonDifference('{"a b":1}', '{"a b":2}', allowance, used)?.path, '$["a b"]');
  assert.equal(jsonDifference('{"ts":1', '{"ts":2}', allowance, used), undefined);
  assert.equal(jsonDifference('1', '2', allowance, used), undefined);
  const deep = (value: number): string => `${'['.repeat(100_000)}${value}${']'.repeat(100_000)}`;
  assert.notEqual(jsonDifference(deep(1), deep(2), allowance, used), null);
});

test('JSON paths that are not understood say where', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['ts', /begins with \$/],
    ['$', /is all of it/],
    ['$.', /column 2/],
    ['$.a[?(@.b)]', /column 4/],
    ['$.a[1:2]', /column 4/],
    ['$.a[-1]', /column 4/],
    ["$['a','b']", /column 2/],
    ['$.a b', /column 4/],
    ['$...a', /column 2/],
  ];
  for (const [path, message] of wrong) {
    const found = parseJsonPath(path);
    assert.ok(!(found instanceof JsonPath), path);
    assert.match(found.message, message);
  }
  for (const right of [
    '$.a',
    "$['a b']",
    '$["a"]',
    '$[0]',
    '$[*]',
    '$.*',
    '$..a',
    '$..[0]',
    '$.é-1',
  ])
    assert.ok(parseJsonPath(right) instanceof JsonPath, right);
});

test('a path is followed at the cost of its length, however often it might match', () => {
  const path = parseJsonPath(`$${'..a'.repeat(30)}`);
  assert.ok(path instanceof JsonPath);
  let state = path.start;
  for (let i = 0; i < 10_000; i++) state = path.step(state, 'a');
  assert.equal(state.length, 31);
  assert.ok(path.isAt(state));
});

test('paths of replies', () => {
  const names = (path: string, of: string): boolean => {
    const parsed = parseReplyPath(path);
    assert.equal(parsed.kind, 'path', path);
    return parsed.kind === 'path' && parsed.names(of);
  };
  assert.ok(names('[3].name', '[3].name'));
  assert.ok(!names('[3].name', '[13].name'));
  assert.ok(names('[*][0]', '[12][0]'));
  assert.ok(!names('[*]', '[1].name'));
  assert.ok(names('.user:*', '.user:12'));
  assert.ok(!names('.a?', '.ab'));
  for (const wrong of ['', 'name', '[x]', '[1', '3'])
    assert.equal(parseReplyPath(wrong).kind, 'problem', wrong);
});

test('rules that are none say under which key, and why', () => {
  const wrong: readonly (readonly [ToleranceRule, keyof ToleranceRule, RegExp])[] = [
    [{ if: 'kye=1', ignore: true }, 'if', /unknown field "kye" at column 1 .*did you mean "key"/],
    [{ if: 'rtt>2ms', ignore: true }, 'if', /"rtt" is not asked here at column 1 .*only cmd class/],
    [{ if: 'err', ignore: true }, 'if', /"err" is not asked here/],
    [{ if: 'key=~/(a+)+$/', ignore: true }, 'if', /column 7/],
    [{ if: 'all' }, 'if', /a rule says what it tolerates/],
    [{ if: 'all', name: 'order', ignore: true }, 'name', /built-in/],
    [{ if: 'all', name: ' ', ignore: true }, 'name', /give it one/],
    [{ if: 'all', ignore: false }, 'ignore', /is true, or left out/],
    [{ if: 'all', ignore: true, within: 5 }, 'ignore', /no within/],
    [{ if: 'all', within: '5x' }, 'within', /5x is no amount/],
    [{ if: 'all', within: 0 }, 'within', /0 is no amount/],
    [{ if: 'all', path: 'name' }, 'path', /as differences are told/],
    [{ if: 'all', json: ['$.a', 'b'] }, 'json', /begins with \$/],
  ];
  for (const [rule, key, message] of wrong) {
    const found = parseToleranceRule(rule);
    assert.equal(found.kind, 'problem', JSON.stringify(rule));
    if (found.kind !== 'problem') continue;
    assert.equal(found.key, key, found.message);
    assert.match(found.message, message);
  }
  assert.throws(() => readTolerances([{ if: 'all' }]), /a tolerance's if: /);
});

test('rules stand beside the built-in tolerances, and are switched off with them or alone', () => {
  const given = readTolerances(['ttl=5s', { name: 'r', if: 'all', ignore: true }]);
  assert.deepEqual([given.ttlMs, given.rules.length, given.order], [5000, 1, true]);
  assert.equal(parseTolerances(['none'], given).rules.length, 0);
  assert.equal(parseTolerances(['rules=off'], given).rules.length, 0);
  assert.equal(parseTolerances(['rules=off'], given).ttlMs, 5000);
  const bytes = (reply: Reply): Buffer => encodeReply(reply, 2);
  // What a built-in one covers is told by its name.
  const found = compareReplies(
    Command.of(['TTL', 'k']),
    bytes(int(100)),
    bytes(int(101)),
    readTolerances([{ name: 'r', if: 'all', within: '50%' }], DEFAULT_TOLERANCES),
  );
  assert.deepEqual(found, { kind: 'tolerated', by: ['ttl'] });
});

test('in a transaction each command has the rules that are for it', () => {
  const queued = [Command.of(['GET', 'session:1']), Command.of(['GET', 'cart:1'])];
  const tolerances = readTolerances([{ name: 'r', if: 'key=session:*', ignore: true }]);
  const exec = (a: string, b: string): Buffer => encodeReply(list(text(a), text(b)), 2);
  const of = (a: Buffer, b: Buffer): Comparison =>
    compareReplies(Command.of(['EXEC']), a, b, tolerances, { queued });
  assert.deepEqual(of(exec('1', 'x'), exec('2', 'x')), { kind: 'tolerated', by: ['r'] });
  assert.equal(of(exec('1', 'x'), exec('2', 'y')).kind, 'diff');
});
