/** What a filter says by a command's name alone never differs from what it says of the command. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from '../../src/commands/command.js';
import { Facts, type World } from '../../src/filter/facts.js';
import { parseFilter } from '../../src/filter/filter.js';
import { parse } from '../../src/filter/parse.js';
import { mayCover, Scopes } from '../../src/filter/scopes.js';
import { verdictOf } from '../../src/filter/verdict.js';
import { compileConfig } from '../../src/mesh/compile.js';
import type { FaultRule } from '../../src/mesh/config.js';
import { singleUpstreamConfig } from '../../src/mesh/config.js';

const COMMANDS: readonly (readonly string[])[] = [
  ['GET', 'user:1'],
  ['get', 'cart:1'],
  ['SET', 'user:1', 'v'],
  ['DEL', 'cart:1', 'user:2'],
  ['CONFIG', 'GET', 'save'],
  ['CONFIG', 'NOSUCH'],
  ['NOSUCH', 'user:1'],
  ['MULTI'],
  ['BLPOP', 'q', '0'],
];

const SCOPES: readonly string[] = [
  '',
  'get',
  'cmd=GET',
  'cmd=CONFIG',
  'cmd in {GET,SET}',
  'class=read',
  '!class=read',
  'class=write & key=cart:*',
  'class=write | key=user:*',
  'cmd in {GET,DEL} & key=user:*',
  'get & key=user:*',
  'key=cart:* & key=user:*',
  'key=user:* & conn=1',
  'key=user:*',
  'key=user:?',
  'key=*',
  'user:*',
  '!(key=cart:* | cmd=SET)',
  'cmd!=GET',
  'cmd=G*',
];

const ruleOf = (scope: string): FaultRule => ({
  id: 't1',
  on: true,
  percent: 100,
  scope,
  action: { kind: 'down' },
  seed: 1,
  max: null,
});

test('asked twice of each command, in any order, a scope says what its filter says', () => {
  const config = compileConfig(singleUpstreamConfig(['127.0.0.1:6379']));
  const topology = { version: 1, upstreams: {} };
  const scopes = new Scopes(() => ({ topology, config, clock: { nowUs: () => 0 } }));
  const client = { id: 1, info: { address: 'a:1', name: null, library: null, resp: 2 } } as const;
  let fitting = 0;
  let excluded = 0;
  for (const scope of SCOPES) {
    // The same in other words, of which no name tells anything: the plain twin.
    const twin = scope === '' ? 'n=0' : `((${scope}) & n=0) | n=1`;
    assert.equal(parseFilter(twin, 'decision').kind, 'filter', twin);
    for (const argv of [...COMMANDS, ...COMMANDS.toReversed()]) {
      const compiled = scopes.scopeOf(ruleOf(scope));
      const fits = scopes.covers(compiled, Command.of(argv), [], client);
      const may = mayCover(compiled, Command.of(argv));
      assert.ok(may || !fits, `${scope} may cover ${argv.join(' ')}`);
      if (!may) excluded++;
      const twinFits = scopes.covers(scopes.scopeOf(ruleOf(twin)), Command.of(argv), [], client);
      assert.equal(fits, twinFits, `${scope}: ${argv.join(' ')}`);
      if (fits) fitting++;
    }
  }
  assert.ok(fitting > 50);
  assert.ok(excluded > 50);
});

test('only what names settle is settled', () => {
  const facts = new Facts({ topology: () => undefined } as unknown as World).load({
    type: 'pending',
    seq: 1,
    atUs: 0,
    arrivedUs: 0,
    connection: 1,
    name: 'GET',
    key: 'user:1',
  });
  const cases: [string, boolean | null][] = [
    ['cmd=GET', true],
    ['set', false],
    ['cmd=SET & key=user:*', false],
    ['cmd=GET & key=user:*', null],
    ['cmd=GET | key=user:*', true],
    ['!cmd=GET', false],
    ['!key=x', null],
    ['~k user', null],
  ];
  for (const [text, verdict] of cases) assert.equal(verdictOf(parse(text))(facts), verdict, text);
});
