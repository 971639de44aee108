/** A user's own redaction: what rules take out of arguments, replies, transactions and messages, and that nothing else changes. */
import assert from 'node:assert/strict';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { Command } from '../../src/commands/command.js';
import { JsonPath, parseJsonPath } from '../../src/compare/json-path.js';
import { Block } from '../../src/events/reader.js';
import { maskJson } from '../../src/recording/json-mask.js';
import { Recorder } from '../../src/recording/recorder.js';
import { headerOf, REDACT_AUTH, Redactor, redactionOf } from '../../src/recording/redact.js';
import {
  compileRedactRules,
  maskedCommand,
  parseRedactRule,
  type RedactRule,
  redactRulesOf,
} from '../../src/recording/redact-rules.js';
import type { JsonObject } from '../../src/recording/values.js';
import type { WriterOptions } from '../../src/recording/writer.js';
import { folder, HEADER, readAll, writing } from '../helpers/record-files.js';
import { TestStream } from '../helpers/stream.js';

function paths(...texts: string[]): JsonPath[] {
  return texts.map((text) => {
    const path = parseJsonPath(text);
    assert.ok(path instanceof JsonPath, text);
    return path;
  });
}

test('parts of JSON are taken out, and every other byte stays', () => {
  const mask = (text: string, ...of: string[]): string | null => maskJson(text, paths(...of));
  assert.equal(
    mask('{ "id" : 1.50,\t"email":"a@b.c", "z":[1, 2] }', '$.email'),
    '{ "id" : 1.50,\t"email":"(redacted)", "z":[1, 2] }',
  );
  assert.equal(
    mask('{"a":{"email":{"x":["}",1]}},"b":2}', '$.a.email'),
    '{"a":{"email":"(redacted)"},"b":2}',
  );
  assert.equal(
    mask('[{"e":1},{"e":"\\"]"},{"f":2}]', '$[*].e'),
    '[{"e":"(redacted)"},{"e":"(redacted)"},{"f":2}]',
  );
  assert.equal(mask('[[1,2],[3]]', '$[1]'), '[[1,2],"(redacted)"]');
  assert.equal(
    mask('{"a":{"e":1},"e":[{"e":2}]}', '$..e'),
    '{"a":{"e":"(redacted)"},"e":"(redacted)"}',
  );
  // A name twice, a name with escapes, numbers that no double holds, empty containers.
  assert.equal(mask('{"e":1,"e":2}', '$.e'), '{"e":"(redacted)","e":"(redacted)"}');
  assert.equal(
    mask('{"\\u0065":1,"n":12345678901234567890,"x":{},"y":[]}', '$.e'),
    '{"\\u0065":"(redacted)","n":12345678901234567890,"x":{},"y":[]}',
  );
  assert.equal(mask('{"a\\\\":"\\\\","e":true}', '$.e'), '{"a\\\\":"\\\\","e":"(redacted)"}');
  const same = '{"a":1}';
  assert.equal(mask(same, '$.e', '$.a.b', '$[0]'), same);
  assert.equal(mask('plain "email"', '$.email'), 'plain "email"');
  // What looks like JSON, cannot be read and may hold it goes as a whole.
  assert.equal(mask('{"email":"a@b.c", x', '$.email'), null);
  assert.equal(mask('{"email":1}\n{"email":2}', '$.email'), null);
  assert.equal(mask('{42}:x', '$.email'), '{42}:x');
  assert.equal(mask('{42}:x', '$.*'), null);
});

test('a masked document is JSON, and masking it again changes nothing', () => {
  const documents = [
    '{"a":[{"e":"x","b":null},{"e":{"e":1}}],"e":-1.5e3}',
    '  [ {"e" : [ ] , "c":"," } , "e" ]  ',
    `${'['.repeat(20_000)}{"e":1}${']'.repeat(20_000)}`,
  ];
  for (const text of documents)
    for (const path of ['$..e', '$.e', '$[0].e', '$.*', '$..*', '$.a[1].e.e']) {
      const masked = maskJson(text, paths(path));
      assert.ok(masked !== null);
      assert.doesNotThrow(() => JSON.parse(masked), masked.slice(0, 200));
      assert.equal(maskJson(masked, paths(path)), masked);
    }
  const long = `{"e":"${'x\\"'.repeat(1_000_000)}","f":1}`;
  assert.equal(maskJson(long, paths('$.e')), '{"e":"(redacted)","f":1}');
});

const SECRET = 'ada@example.org';
const DOC = `{"id":7,"email":"${SECRET}"}`;
const MASKED = '{"id":7,"email":"(redacted)"}';

const RULES: readonly RedactRule[] = [
  { name: 'session', if: 'key=session:*', arg: 2 },
  { if: 'key=user:* | cmd=PUBLISH', json: ['$.email', '$..phone'] },
];

type Asked = {
  readonly argv: readonly (string | Buffer)[];
  readonly reply?: string;
  readonly multi?: boolean;
};

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** Records what `say` says. */
function recorderOf(options: WriterOptions, say: (stream: TestStream) => void): void {
  const recorder = new Recorder(options, () => 0);
  const stream = new TestStream();
  stream.subscribe({
    lossless: true,
    behind: false,
    accept: (block, used) => {
      recorder.block(new Block(block, used));
      return true;
    },
  });
  stream.client(1, 'worker');
  say(stream);
  stream.flush();
  recorder.end('quit');
}

/** The lines of a recording of these commands. */
async function lines(
  t: TestContext,
  commands: readonly Asked[],
  rules: readonly RedactRule[] = RULES,
): Promise<{ readonly lines: JsonObject[]; readonly text: string }> {
  const redact = { ...REDACT_AUTH, rules };
  const file = path.join(folder(t), 'a.rmtop');
  const options = writing(file, { redact, header: { ...HEADER, redact: headerOf(redact) } });
  recorderOf(options, (stream) => {
    for (const { argv, reply = '+OK\r\n', multi = false } of commands)
      stream.command({ argv, reply, session: { multi } });
  });
  const { entries } = await readAll(file, true);
  return {
    lines: entries.map(({ json }) => json).filter(({ k }) => k === 'cmd'),
    text: entries.map((entry) => entry.text).join('\n'),
  };
}

test('arguments and replies of the commands that fit lose what a rule names; others are as they were', async (t) => {
  const { lines: found, text } = await lines(t, [
    { argv: ['SET', 'session:1', SECRET, 'EX', '60'] },
    { argv: ['GET', 'session:1'], reply: bulk(SECRET) },
    { argv: ['SET', 'user:7', DOC] },
    { argv: ['MGET', 'user:7', 'user:8'], reply: `*2\r\n${bulk(DOC)}$-1\r\n` },
    { argv: ['SET', 'cart:1', '{"email":"kept"}'] },
    { argv: ['GET', 'cart:1'], reply: bulk('{"email":"kept"}') },
    { argv: ['HSET', 'user:9', 'doc', Buffer.from([0xff, ...Buffer.from(DOC)]), 'n', '1'] },
    { argv: ['GET', 'user:x'], reply: bulk(`{"email":"${SECRET}"`) },
    { argv: ['DUMP', 'user:7'], reply: bulk('packed') },
  ]);
  assert.ok(!text.includes(SECRET));
  assert.deepEqual(
    found.map(({ a, r }) => [a, r]),
    [
      [['SET', 'session:1', { red: 'session', len: SECRET.length }, 'EX', '60'], { '+': 'OK' }],
      [['GET', 'session:1'], { red: 'session', len: SECRET.length }],
      [['SET', 'user:7', MASKED], { '+': 'OK' }],
      [
        ['MGET', 'user:7', 'user:8'],
        [MASKED, null],
      ],
      [['SET', 'cart:1', '{"email":"kept"}'], { '+': 'OK' }],
      [['GET', 'cart:1'], '{"email":"kept"}'],
      [['HSET', 'user:9', 'doc', { red: 'rule', len: DOC.length + 1 }, 'n', '1'], { '+': 'OK' }],
      [['GET', 'user:x'], { red: 'json', len: SECRET.length + 11 }],
      [['DUMP', 'user:7'], { red: 'rule', len: 6 }],
    ],
  );
});

test('the replies in EXEC’s are those of the commands that were queued; where they are not known, any rule might be meant', async (t) => {
  const queued = (...argv: string[]): Asked => ({ argv, reply: '+QUEUED\r\n', multi: true });
  const exec: Asked = {
    argv: ['EXEC'],
    reply: `*3\r\n${bulk(DOC)}${bulk('plain')}${bulk(SECRET)}`,
    multi: true,
  };
  const all = [
    { argv: ['MULTI'] },
    queued('GET', 'user:7'),
    queued('GET', 'cart:1'),
    queued('GET', 'session:1'),
    exec,
  ];
  const { lines: found, text } = await lines(t, all);
  assert.ok(!text.includes(SECRET));
  assert.deepEqual(found.at(-1)?.r, [MASKED, 'plain', { red: 'session', len: SECRET.length }]);
  const { lines: late, text: lateText } = await lines(t, all.slice(2));
  assert.ok(!lateText.includes(SECRET));
  assert.ok(Array.isArray(late.at(-1)?.r));
});

test('messages are looked at as PUBLISH sent them; a line of MONITOR goes whole', async (t) => {
  const redact = { ...REDACT_AUTH, rules: RULES };
  const file = path.join(folder(t), 'a.rmtop');
  recorderOf(writing(file, { redact }), (stream) => {
    const push = (reply: string): void =>
      stream.other({ type: 'push', atUs: 9, connection: 1, reply });
    push(`>3\r\n${bulk('message')}${bulk('news')}${bulk(DOC)}`);
    push(`+1.5 [0 127.0.0.1:1] "SET" "user:7" "${SECRET}"\r\n`);
  });
  const { entries } = await readAll(file, true);
  const pushes = entries.map(({ json }) => json).filter(({ k }) => k === 'push');
  assert.deepEqual(pushes[0]?.r, { '>': ['message', 'news', MASKED] });
  assert.ok(!JSON.stringify(pushes).includes(SECRET));
});

test('what a key held goes where a rule may be for a command on it', () => {
  const left = (rules: readonly RedactRule[], key: string): boolean => {
    const line = { k: 'note', t: 1, snap: { key, dump: { b64: 'AAEC' }, ttl: 5 } };
    return new Redactor({ ...REDACT_AUTH, rules }).other(line) === line;
  };
  assert.deepEqual(
    ['session:1', 'user:1', 'cart:1'].map((key) => left([{ if: 'key=session:*', arg: 2 }], key)),
    [false, true, true],
  );
  // Which commands there were on it is not known.
  assert.equal(left([{ if: 'key=session:* cmd=SET', arg: 2 }], 'cart:1'), false);
});

test('keys are kept whatever a rule says, and so is what routes a script', async (t) => {
  const { lines: found } = await lines(
    t,
    [
      { argv: ['SET', 'k', 'v'] },
      { argv: ['EVAL', 'return 1', '1', 'k', 'x'] },
      { argv: ['CONFIG', 'GET', 'maxmemory'] },
    ],
    [{ if: 'all', arg: [1, 3, 4] }],
  );
  assert.deepEqual(
    found.map(({ a }) => a),
    [
      ['SET', 'k', 'v'],
      ['EVAL', { red: 'rule', len: 8 }, '1', 'k', { red: 'rule', len: 1 }],
      ['CONFIG', 'GET', 'maxmemory'],
    ],
  );
});

test('a command that comes is made what it would have been recorded as', () => {
  const rules = compileRedactRules(RULES);
  const masked = (...argv: string[]): string[] =>
    maskedCommand(Command.of(argv), rules).argv.map(String);
  assert.deepEqual(masked('SET', 'user:7', DOC), ['SET', 'user:7', MASKED]);
  assert.deepEqual(masked('SET', 'cart:7', DOC), ['SET', 'cart:7', DOC]);
  // It fits what was removed as it is.
  assert.deepEqual(masked('SET', 'session:7', 'x'), ['SET', 'session:7', 'x']);
  const command = Command.of(['GET', 'user:7']);
  assert.equal(maskedCommand(command, rules), command);
});

test('the header has the rules; those that a later version wrote and nobody knows are passed over', () => {
  const redact = { ...REDACT_AUTH, mode: 'keys', glob: 'a:*', rules: RULES } as const;
  const header = { k: 'rmtop', redact: JSON.parse(JSON.stringify(headerOf(redact))) as JsonObject };
  assert.deepEqual(redactionOf(header), redact);
  const odd = { redact: { rules: [{ if: 'all', xpath: '/' }, 7, { if: 'key=a', json: '$.b' }] } };
  assert.deepEqual(redactRulesOf(odd), [{ if: 'key=a', json: '$.b' }]);
  assert.deepEqual(redactRulesOf({}), []);
});

test('rules that are none say under which key, and why', () => {
  const wrong: readonly (readonly [RedactRule, keyof RedactRule, RegExp])[] = [
    [{ if: 'kye=1', arg: 1 }, 'if', /did you mean "key"/],
    // It would have to be asked of what is no longer there, and would itself tell what it was.
    [{ if: 'arg=hunter2', arg: 1 }, 'if', /"arg" is not asked here/],
    [{ if: 'hunter2', arg: 1 }, 'if', /"arg" is not asked here/],
    [{ if: 'rtt>1ms', arg: 1 }, 'if', /"rtt" is not asked here/],
    [{ if: 'all' }, 'if', /says what it removes/],
    [{ if: 'all', arg: 0 }, 'arg', /0 is no argument/],
    [{ if: 'all', arg: [2, 1.5] }, 'arg', /1\.5 is no argument/],
    [{ if: 'all', arg: '2' as never }, 'arg', /2 is no argument/],
    [{ if: 'all', json: '$' }, 'json', /all of it/],
    [{ if: 'all', name: '"x', arg: 1 }, 'name', /a word/],
  ];
  for (const [rule, key, message] of wrong) {
    const found = parseRedactRule(rule);
    assert.equal(found.kind, 'problem', JSON.stringify(rule));
    if (found.kind !== 'problem') continue;
    assert.equal(found.key, key, found.message);
    assert.match(found.message, message);
  }
  assert.throws(() => compileRedactRules([{ if: 'all' }]), /a redaction's if: /);
});
