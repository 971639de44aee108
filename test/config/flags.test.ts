import assert from 'node:assert/strict';
import test from 'node:test';
import { parse } from 'yaml';
import { exportFaults } from '../../src/config/export.js';
import { parseRule, ruleText } from '../../src/config/fault-text.js';
import {
  applyOverrides,
  type FlagTexts,
  parseDownstreamAuth,
  parseFlags,
} from '../../src/config/flags.js';
import { RmtopError } from '../../src/errors.js';
import { plainRoute, singleUpstreamConfig } from '../../src/mesh/config.js';
import { bootstrap, listener, load } from '../helpers/mesh-files.js';

const usage =
  (why: RegExp) =>
  (error: unknown): boolean =>
    error instanceof RmtopError && error.code === 'USAGE' && why.test(error.why ?? '');
const apply = (texts: FlagTexts, config = singleUpstreamConfig(['127.0.0.1:7001'])) =>
  applyOverrides(config, parseFlags(texts, 1));

test('--route adds a prefix, replaces the one of the files, and says so', () => {
  const { config, notes } = apply({ route: ['a:=h:1', 'a:b=h:2,strip', '*=[::1]:3', 'x=y=h:4'] });
  assert.deepEqual(
    config.routes.map(({ prefix, upstream, strip }) => [prefix, upstream, strip]),
    [
      ['a:b', 'h:2', 3],
      ['x=y', 'h:4', 0],
      ['a:', 'h:1', 0],
      [null, '[::1]:3', 0],
    ],
  );
  assert.deepEqual(notes, ['--route: the catch-all goes to [::1]:3 instead of redis']);
  assert.deepEqual(Object.keys(config.upstreams).sort(), ['[::1]:3', 'h:1', 'h:2', 'h:4']);
  assert.equal(config.upstreams['h:1']?.kind, 'auto');
});

test('--mirror is for every route', () => {
  const config = {
    ...singleUpstreamConfig(['127.0.0.1:7001']),
    routes: [plainRoute('p', 'redis'), plainRoute(null, 'redis')],
  };
  const { config: with2, notes } = apply({ mirror: ['h:1', 'h:2,12.5%,writes'] }, config);
  for (const route of with2.routes) {
    assert.deepEqual(route.mirrors, [
      { upstream: 'h:1', fraction: { numerator: 100, of: 100 }, excludeReads: false },
      { upstream: 'h:2', fraction: { numerator: 125_000, of: 1_000_000 }, excludeReads: true },
    ]);
  }
  assert.equal(notes.length, 2);
});

test('--fault makes rules t1, t2 … with seeds of their own; if may be left out before a field', () => {
  const { config } = apply({
    fault: [
      'error 50% cmd=GET',
      'delay 200ms 10% class=read',
      'error "LOADING if not" if key=a*',
      'hang',
    ],
  });
  assert.deepEqual(
    config.rules.map(({ id, percent, scope, seed, action }) => [
      id,
      percent,
      scope,
      seed,
      action.kind,
    ]),
    [
      ['t1', 50, 'cmd=GET', 1, 'error'],
      ['t2', 10, 'class=read', 2, 'delay'],
      ['t3', 100, 'key=a*', 3, 'error'],
      ['t4', 100, '', 4, 'hang'],
    ],
  );
  assert.deepEqual(config.rules[1]?.action, { kind: 'delay', ms: 200, jitterMs: 0, at: 'request' });
});

test('what a rule says is what it reads as', () => {
  for (const text of [
    'delay 50ms+-10ms 5% on reply max 10 if class=read',
    'error "a \\"b\\"" 20%',
    'close RST 1% if cmd=GET',
    'close after12B 100%',
    'drip 10/5ms 100%',
    'moved 127.0.0.1:1 100%',
    'hang 2000ms 100%',
    'down 100% if key=x',
  ]) {
    const rule = parseRule(text);
    assert.ok(rule.kind === 'rule', text);
    assert.deepEqual(parseRule(ruleText(rule)), rule, text);
  }
});

test.describe('a flag that is wrong says what was wanted', () => {
  const WRONG: readonly (readonly [texts: FlagTexts, why: RegExp])[] = [
    [{ route: ['a:'] }, /PREFIX=HOST:PORT/],
    [{ route: ['a:=host'] }, /'host' is not HOST:PORT/],
    [{ route: ['a:='] }, /where to/],
    [{ route: ['a:=h:1,fast'] }, /there is: strip/],
    [{ route: ['*=h:1,strip'] }, /no prefix to strip/],
    [{ route: ['a=h:1', 'a=h:2'] }, /twice/],
    [{ mirror: ['h:1,150%'] }, /at most 100%/],
    [{ mirror: ['h:1,reads'] }, /writes/],
    [{ mirror: ['redis'] }, /HOST:PORT/],
    [{ fault: ['explode 5%'] }, /no fault is called explode/],
    [{ fault: ['delay 10%'] }, /how long/],
    [{ fault: ['error 120%'] }, /from 0% to 100%/],
    [{ fault: ['error 5% if nosuch=1'] }, /in the scope/],
    [{ fault: ['error 5% if ms>3'] }, /in the scope/],
  ];
  for (const [texts, why] of WRONG)
    test(JSON.stringify(texts), () => assert.throws(() => parseFlags(texts, 1), usage(why)));
});

test('--downstream-auth-file: passwords, one a line, with one user at most', () => {
  assert.deepEqual(parseDownstreamAuth('pw\n', 'f'), { username: null, passwords: ['pw'] });
  assert.deepEqual(parseDownstreamAuth('u:a:b\r\nu:c', 'f'), {
    username: 'u',
    passwords: ['a:b', 'c'],
  });
  assert.throws(() => parseDownstreamAuth('\n', 'f'), usage(/empty/));
  assert.throws(() => parseDownstreamAuth('u:', 'f'), usage(/no password/));
  assert.throws(
    () => parseDownstreamAuth('u:hunter2\nv:hunter2', 'f'),
    (error) => usage(/2 users/)(error) && !JSON.stringify(error).includes('hunter2'),
  );
});

test('rules that fit are exported as a RedisService, which reads as the same faults', () => {
  const { rules } = parseFlags(
    {
      fault: [
        'error 30% cmd in {GET, HGETALL}',
        'delay 250ms 50% on reply',
        'delay 1s',
        'error "OOM"',
        'error 1.5%',
        'hang',
        'error if key=a*',
        'error max 3',
        'delay 5ms+-1ms on reply',
      ],
    },
    1,
  );
  const { faults } = listener(
    load(
      bootstrap(
        'prefix_routes: {catch_all_route: {cluster: a}}\nfaults: [{fault_type: ERROR, delay: 0.25s, commands: [SET], fault_enabled: {default_value: {numerator: 10}}}]',
      ),
    ),
  ).config;
  const { yaml, left } = exportFaults({ host: 'cart-cache.shop.svc.cluster.local', faults, rules });
  assert.deepEqual(
    left.map((each) => each.id),
    ['t3', 't4', 't5', 't6', 't7', 't8', 't9'],
  );
  assert.equal(parse(yaml).metadata.namespace, 'shop');
  const again = listener(load(yaml)).config.faults;
  assert.deepEqual(
    again.map(({ percent, commands, action }) => [
      action.kind,
      percent,
      commands,
      action.kind === 'delay' ? action.ms : action.delayMs,
    ]),
    [
      ['error', 10, ['set'], 250],
      ['error', 30, ['get', 'hgetall'], 0],
      ['delay', 50, [], 250],
    ],
  );
  assert.equal(exportFaults({ host: 'a', faults: [], rules: [] }).yaml, '');
});
