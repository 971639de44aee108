/** What a recording tells of the servers before it: a row a command and its reply. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { StartState } from '../../src/recording/start-state.js';
import { TestStream } from '../helpers/stream.js';

type Row = readonly [argv: readonly string[], reply: string];

/** The commands that make the start state, as text, and the keys that stay unknown. */
function startOf(rows: readonly Row[]): { readonly made: string[]; readonly unknown: string[] } {
  const stream = new TestStream();
  const start = new StartState();
  const events = stream.events(() => {
    for (const [argv, reply] of rows) stream.command({ argv, reply });
  });
  for (const event of events) if (event.type === 'command') start.add(event);
  return {
    made: start.commands().map((command) => command.map(String).join(' ')),
    unknown: start.unknown.map(String),
  };
}

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const array = (...items: readonly string[]): string => `*${items.length}\r\n${items.join('')}`;

const cases: readonly [
  name: string,
  rows: readonly Row[],
  made: readonly string[],
  unknown?: readonly string[],
][] = [
  ['a value that was read', [[['GET', 'k'], bulk('v')]], ['SET k v']],
  ['nothing, where nothing was', [[['GET', 'k'], '$-1\r\n']], []],
  [
    'what was written first needs no start',
    [
      [['SET', 'k', 'v'], '+OK\r\n'],
      [['GET', 'k'], bulk('v')],
    ],
    [],
  ],
  [
    'each key of MGET',
    [[['MGET', 'a', 'b', 'c'], array(bulk('1'), '$-1\r\n', bulk('3'))]],
    ['SET a 1', 'SET c 3'],
  ],
  ['a whole hash', [[['HGETALL', 'h'], array(bulk('f'), bulk('1'))]], ['HSET h f 1']],
  [
    'fields of a hash, until it is written',
    [
      [['HGET', 'h', 'a'], bulk('1')],
      [['HMGET', 'h', 'b', 'c'], array(bulk('2'), '$-1\r\n')],
      [['HSET', 'h', 'd', '4'], ':1\r\n'],
      [['HGET', 'h', 'd'], bulk('4')],
    ],
    ['HSET h a 1', 'HSET h b 2'],
  ],
  ['a list', [[['LRANGE', 'l', '0', '-1'], array(bulk('x'), bulk('y'))]], ['RPUSH l x y']],
  ['a part of a list is not enough', [[['LRANGE', 'l', '0', '1'], array(bulk('x'))]], [], ['l']],
  ['a set', [[['SMEMBERS', 's'], array(bulk('m'))]], ['SADD s m']],
  [
    'a sorted set with its scores',
    [[['ZRANGE', 'z', '0', '-1', 'WITHSCORES'], array(bulk('m'), bulk('1.5'))]],
    ['ZADD z 1.5 m'],
  ],
  [
    'a time to live, after the value',
    [
      [['TTL', 'k'], ':7\r\n'],
      [['GET', 'k'], bulk('v')],
    ],
    ['SET k v', 'PEXPIRE k 7000'],
  ],
  ['a time to live without the value is not enough', [[['TTL', 'k'], ':7\r\n']], [], ['k']],
  ['no time to live, no key', [[['TTL', 'k'], ':-2\r\n']], []],
  ['a counter, from what it became', [[['INCRBY', 'n', '5'], ':12\r\n']], ['SET n 7']],
  ['a counter that began', [[['DECR', 'n'], ':-1\r\n']], []],
  ['what was deleted was there', [[['DEL', 'k'], ':1\r\n']], [], ['k']],
  ['what was not there was not deleted', [[['DEL', 'k'], ':0\r\n']], []],
  ['a list that began', [[['RPUSH', 'l', 'a', 'b'], ':2\r\n']], []],
  ['a list that went on', [[['RPUSH', 'l', 'a', 'b'], ':3\r\n']], [], ['l']],
  ['an error says that something was there', [[['GET', 'k'], '-WRONGTYPE x\r\n']], [], ['k']],
  [
    'a later read tells what an earlier did not',
    [
      [['EXISTS', 'k'], ':1\r\n'],
      [['GET', 'k'], bulk('v')],
    ],
    ['SET k v'],
  ],
];

for (const [name, rows, made, unknown = []] of cases)
  test(`start state: ${name}`, () => {
    assert.deepEqual(startOf(rows), { made: [...made], unknown: [...unknown] });
  });
