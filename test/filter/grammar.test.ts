import assert from 'node:assert/strict';
import test from 'node:test';
import { parseFilter } from '../../src/filter/filter.js';

/** The examples of `ux.md` d.5, and those in the drawings. */
const EXAMPLES = [
  '',
  'get',
  'user:42',
  'cart:*',
  '"err"',
  'cmd in {GET, MGET}',
  '!cmd in {PING,INFO} & rtt>0.3ms',
  'key=session:* & rtt > 2ms',
  'key=cart:{42}:items',
  'key =~ /^user:\\d+$/',
  'class=write & !policy=MASTER',
  'slot in {0..5460, 12000}',
  'node=s2.* | node.addr=10.1.2.5:6379',
  'err & !error=~/^MOVED/',
  'mirror.state=diff',
  'fault | held',
  'client.name=worker db=0',
  '(set or del) and key=lock:*',
  'not nil rtt>=10ms',
  'rep.size>=64KiB',
  'arg="\\x00\\xff"',
  '~m get ~k user ~e',
  'hops>0',
  'keys>1 & split',
  'why in {fallback,random}',
  't in {10s..20s}',
  'replay.diff!=same',
  '!cmd in {PING,INFO}',
  'class=read node=*.r1',
  'cmd=SET key=session:*',
  'node=s1.p',
  'slot in {5461..10922}',
  'rtt>2ms',
  'err nil pending replied held edited replayed marked mirrored diff fault redirected split slow tx pubsub refused all',
  'err !~m get',
  'key!=a key !~ /b/ n==3',
  'not(get)||NOT set&&del',
  "reply='a b'",
  'req.size in {0..1KiB, 4M}',
];

for (const text of EXAMPLES) {
  test(`parses ${text === '' ? 'nothing' : text}`, () => {
    const parsed = parseFilter(text);
    assert.equal(
      parsed.kind,
      'filter',
      parsed.kind === 'problem' ? `${parsed.message} at ${parsed.column}` : '',
    );
  });
}

/** What is wrong, at which column, and what is said about it. */
const WRONG: readonly (readonly [string, number, RegExp, RegExp?])[] = [
  ['kye=foo', 1, /^unknown field "kye"$/, /did you mean "key"/],
  ['rtt>', 5, /^expected a value$/, /e\.g\. rtt>2ms/],
  ['cmd in {GET', 12, /^expected , or }$/, /e\.g\. cmd in \{GET, MGET\}/],
  ['(get', 5, /^expected \)$/],
  ['get)', 4, /closes nothing/],
  ['get &', 6, /^expected a condition$/],
  ['key="abc', 9, /^expected a closing "$/],
  ['key=~/(/', 7, /^not a regular expression/],
  ['rtt>fast', 5, /^expected a duration/, /rtt>2ms/],
  ['rtt>5', 5, /^expected a duration/],
  ['slot=1.5', 6, /^expected a whole number/],
  ['err=1', 1, /takes no value/],
  ['key>3', 1, /is text/],
  ['n=~/1/', 1, /is a number/],
  ['~zz', 1, /^unknown short form "~zz"$/, /~m ~k/],
  ['~k', 3, /^expected a value$/],
  ['why=becuase', 5, /none of its values/],
  ['role=replika', 6, /none of its values/, /did you mean "replica"/],
  ['slot in {5..}', 13, /^expected the end of the range$/],
  ['key in {a..b}', 9, /has no ranges/],
  ['cmd in GET', 8, /^expected \{$/],
  ['cmd in {}', 9, /^expected a value$/],
  ['user:42=x', 1, /is no field/],
  ['arg="\\xg0"', 8, /two hex digits/],
  ['or get', 1, /^expected a condition$/],
  [`${'('.repeat(200)}get`, 102, /nested too deeply/],
];

for (const [text, column, message, hint] of WRONG) {
  test(`says what is wrong with ${text.slice(0, 30)}`, () => {
    const parsed = parseFilter(text);
    assert.equal(parsed.kind, 'problem');
    if (parsed.kind !== 'problem') return;
    assert.match(parsed.message, message);
    assert.equal(parsed.column, column);
    if (hint !== undefined) assert.match(parsed.hint ?? '', hint);
  });
}

test('says how bare words were read', () => {
  const parsed = parseFilter('get user:42 cart:* /x/ "err"');
  assert.deepEqual(
    parsed.kind === 'filter' && parsed.readings.map(({ word, meaning }) => `${word}: ${meaning}`),
    [
      'get: cmd=GET',
      'user:42: key or argument contains it',
      'cart:*: key=cart:*',
      '/x/: key=~/x/',
      '"err": key or argument contains it',
    ],
  );
});

test('a field that is known too late is wrong where the filter is asked early', () => {
  const early = parseFilter('cmd=SET & rtt>1ms', 'decision');
  assert.deepEqual(early.kind === 'problem' && [early.column, early.message], [
    11,
    '"rtt" is known only after the reply',
  ]);
  assert.equal(parseFilter('cmd=SET & node=s1.p', 'decision').kind, 'filter');
  assert.equal(parseFilter('err', 'decision').kind, 'problem');
});

test('a regular expression that may take long is refused on the data path only', () => {
  for (const source of ['(a+)+', '(a|b*)*', '(x)\\1', 'a(?=b)', 'y'.repeat(201)]) {
    assert.equal(parseFilter(`key=~/${source}/`, 'arrival').kind, 'problem', source);
    assert.equal(parseFilter(`key=~/${source}/`).kind, 'filter', source);
  }
  for (const source of ['^user:\\d+$', '(a|b)+', '[*+]{2}', 'a+b*'])
    assert.equal(parseFilter(`key=~/${source}/`, 'arrival').kind, 'filter', source);
});
