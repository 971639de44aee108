/** Fault rules as text, and the desk they are switched at. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type MeshConfig, parseRule, ruleText, singleUpstreamConfig } from 'rmtop';
import { FaultDesk } from '../../ui/faults/desk.js';
import { until } from '../helpers/until.js';

const RULES = [
  'error "Fault Injected: Error" 20% if cmd=SET key=session:*',
  'error "say \\"no\\" \\\\ never" 1.5% on reply',
  'delay 50ms+-10ms 5% if class=read node=*.r1',
  'delay 1500ms 100% on reply max 3',
  'close RST 1% if client.name=worker',
  'close after12B 1%',
  'hang 100% if node=s1.p',
  'hang 250ms 10% max 10',
  'drip 10/5ms 100%',
  'moved 10% if slot in {0..5460}',
  'ask 10.1.2.3:6379 10%',
  'down 100% if shard=s2',
];

test('what a rule is written as is read as the same rule', () => {
  for (const text of RULES) {
    const rule = parseRule(text);
    assert.equal(rule.kind, 'rule', `${text}: ${rule.kind === 'problem' ? rule.message : ''}`);
    if (rule.kind === 'rule') assert.equal(ruleText(rule), text);
  }
});

test('presets have the words of Redis, and durations may be in seconds', () => {
  const rule = parseRule('error LOADING 20%');
  assert.ok(rule.kind === 'rule' && rule.action.kind === 'error');
  assert.equal(rule.action.text, 'LOADING Redis is loading the dataset in memory');
  const delay = parseRule('delay 2s');
  assert.ok(delay.kind === 'rule' && delay.action.kind === 'delay');
  assert.equal(delay.action.ms, 2000);
});

test('what is wrong is said', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /begin with a kind: delay, error/],
    ['eror 20%', /no fault is called eror/],
    ['delay 20%', /how long\?/],
    ['error 120%', /from 0% to 100%/],
    ['error NOPE', /no preset/],
    ['error 20% if kye=a', /in the scope: unknown field "kye", did you mean "key"\?/],
    ['error 20% if rtt>2ms', /in the scope: /],
    ['hang max 0', /max wants a number/],
    ['drip 5ms', /drip 10\/5ms/],
    ['close RST now', /what is now\?/],
  ];
  for (const [text, message] of wrong) {
    const rule = parseRule(text);
    assert.ok(rule.kind === 'problem', text);
    assert.match(rule.message, message);
  }
});

/** A desk over a core that takes configurations when it is told to. */
function desk(): {
  readonly desk: FaultDesk;
  readonly said: string[];
  config: MeshConfig;
  take: () => Promise<void>;
} {
  let config = singleUpstreamConfig(['redis:6379'], {});
  const said: string[] = [];
  let waiting: (() => void)[] = [];
  const made = new FaultDesk({
    config: () => config,
    reconfigure: (next) =>
      new Promise((resolve) => {
        waiting.push(() => {
          config = next;
          resolve();
        });
      }),
    say: (text) => said.push(text),
    seed: 1,
    isRecorded: false,
    keyOf: (action) => ({ undo: 'u', faults: 't', remove: 'd' })[action],
  });
  return {
    desk: made,
    said,
    get config() {
      return config;
    },
    take: async () => {
      for (const each of waiting) each();
      waiting = [];
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('a rule is said to be on only when the core has taken it', async () => {
  const at = desk();
  void at.desk.toggle('t1');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(at.said, []);
  await at.take();
  assert.match(at.said[0] ?? '', /^t1 ON: error .* 20% if class=write +\(u undo\)$/);
  assert.deepEqual(
    at.config.rules.map(({ id, on }) => [id, on]),
    [
      ['t1', true],
      ['t2', false],
      ['t3', false],
      ['t4', false],
    ],
  );
});

test('a profile is read as it was written, and a wrong line is named', async () => {
  const at = desk();
  void at.desk.toggle('t2');
  await at.take();
  const { profile } = at.desk;
  const other = desk();
  assert.equal(other.desk.load(profile), null);
  await other.take();
  assert.equal(other.desk.profile, profile);
  assert.match(
    other.desk.load('# mine\n+ error 20%\n- wobble 3%\n') ?? '',
    /^line 3: no fault is called wobble/,
  );
});

test('a rule with a limit goes off by itself, and says so; the limit is part of its text', async () => {
  const said: string[] = [];
  let config: MeshConfig = singleUpstreamConfig(['127.0.0.1:1']);
  const desk = new FaultDesk({
    config: () => config,
    reconfigure: async (now) => {
      config = now;
    },
    say: (text) => said.push(text),
    seed: 1,
    isRecorded: false,
    keyOf: (action) => ({ undo: 'u', faults: 't', remove: 'd' })[action],
  });
  assert.equal(desk.load('- delay 5ms 100% for 40ms if cmd=GET\n- hang 1% for 2m\n'), null);
  assert.equal(desk.profile, '- delay 5ms 100% if cmd=GET for 40ms\n- hang 1% for 2m\n');
  assert.equal(desk.load(desk.profile), null);
  assert.equal(desk.limits.leftMs('t1'), null);
  await desk.toggle('t1');
  assert.match(said.at(-1) ?? '', /^t1 ON: delay 5ms 100% if cmd=GET for 40ms/);
  await until(() => said.some((text) => /^t1 OFF: its time is over/.test(text)), 'the end of t1');
  assert.equal(config.rules.find(({ id }) => id === 't1')?.on, false);
  await desk.toggle('t2');
  assert.ok((desk.limits.leftMs('t2') ?? 0) > 100_000);
  await desk.allOff();
  assert.equal(desk.limits.leftMs('t2'), null);
});

test('what the core does not take is not what the desk shows', async () => {
  const said: string[] = [];
  const config = singleUpstreamConfig(['127.0.0.1:1']);
  const desk = new FaultDesk({
    config: () => config,
    reconfigure: () => Promise.reject(new RangeError('it is busy')),
    say: (text) => said.push(text),
    seed: 1,
    isRecorded: false,
    keyOf: (action) => ({ undo: 'u', faults: 't', remove: 'd' })[action],
  });
  await desk.toggle('t1');
  assert.match(said.at(-1) ?? '', /the core did not take it: it is busy/);
  assert.equal(desk.on, 0);
});
