import assert from 'node:assert/strict';
import test from 'node:test';
import type { CommandEvent, OtherEvent } from '../../src/events/event.js';
import { topologyOf } from '../../src/events/reader.js';
import { type ClientInfo, Facts, type World } from '../../src/filter/facts.js';
import { parseFilter } from '../../src/filter/filter.js';
import { compileConfig } from '../../src/mesh/compile.js';
import { TestStream } from '../helpers/stream.js';

type Case = readonly [name: string, event: CommandEvent | Extract<OtherEvent, { type: 'pending' }>];

const stream = new TestStream({ readPolicy: 'PREFER_REPLICA' });
const clients = new Map<number, ClientInfo>();
const cases: Case[] = [];

/** One event of each kind that filters tell apart. */
const said: Readonly<Record<string, () => void>> = {
  get: () =>
    stream.command({
      argv: ['GET', 'user:42:profile'],
      reply: '$3\r\nbar\r\n',
      ms: 3,
      connection: 7,
      atMs: 12_000,
    }),
  mget: () =>
    stream.command({
      argv: ['MGET', 'cart:{42}:items', 'a', 'b'],
      reply: '*3\r\n$1\r\nx\r\n$-1\r\n$-1\r\n',
      ms: 0.2,
    }),
  set: () =>
    stream.command({ argv: ['SET', 'session:9f3a', Buffer.from([0, 255])], ms: 1, connection: 3 }),
  error: () =>
    stream.command({
      argv: ['INCR', 'rate:10.0.0.7'],
      reply: '-ERR value is not an integer or out of range\r\n',
    }),
  refused: () =>
    stream.command({ argv: ['BLPOP', 'jobs', '0'], reply: '-ERR unknown command\r\n' }),
  nil: () => stream.command({ argv: ['GET', 'none'], reply: '$-1\r\n' }),
  moved: () =>
    stream.command({
      argv: ['GET', 'price:eur'],
      reply: '$1\r\n1\r\n',
      ms: 2,
      movedTo: '10.1.2.4:6379',
    }),
  ping: () => stream.command({ argv: ['PING'], reply: '+PONG\r\n' }),
  config: () => stream.command({ argv: ['CONFIG', 'SET', 'maxmemory', '1mb'], reply: '+OK\r\n' }),
  tx: () =>
    stream.command({
      argv: ['GET', 'in-tx'],
      reply: '+QUEUED\r\n',
      session: { multi: true, transactionKey: Buffer.from('in-tx'), pinned: '10.1.2.3:6379' },
    }),
  pending: () => stream.pending('BRPOPLPUSH', 'slow:list', 9),
};

for (const [name, say] of Object.entries(said)) {
  const event = stream.events(say).at(-1);
  if (event?.type === 'command' || event?.type === 'pending') cases.push([name, event]);
}
clients.set(7, { address: '127.0.0.1:51807', name: 'worker', library: 'redis-py', resp: 3 });

const topology = stream.events(() => {}).find((event) => event.type === 'topology');
const world: World = {
  topology: (version) =>
    topology?.type === 'topology' && version === topology.version
      ? topologyOf(topology)
      : undefined,
  config: () => compileConfig(stream.config),
  client: (connection) => clients.get(connection),
  slowUs: (name) => (name === 'GET' ? 2500 : null),
  nowUs: () => 13_000_000,
};

/** The names of the cases that the filter lets through. */
function shown(text: string): string {
  const filter = parseFilter(text);
  assert.equal(filter.kind, 'filter', filter.kind === 'problem' ? filter.message : '');
  if (filter.kind !== 'filter') return '';
  const facts = new Facts(world);
  return cases
    .filter(([, event]) => filter.matches(facts.load(event)))
    .map(([name]) => name)
    .join(' ');
}

const ALL = cases.map(([name]) => name).join(' ');

const MEANINGS: readonly (readonly [string, string])[] = [
  ['', ALL],
  ['all', ALL],
  ['get', 'get nil moved tx'],
  ['GET user:', 'get'],
  ['config', 'config'],
  ['cmd=CONFIG', 'config'],
  ['cmd="CONFIG SET"', 'config'],
  ['cmd="config get"', ''],
  ['cmd in {get, mget}', 'get mget nil moved tx'],
  ['user:42', 'get'],
  ['cart:*', 'mget'],
  ['key=cart:{42}:items', 'mget'],
  ['tag=42', 'mget'],
  ['prefix=session', 'set'],
  ['key=~/^user:\\d+/', 'get'],
  ['key=~/^USER/i', 'get'],
  ['/^price/', 'moved'],
  ['"maxmem"', 'config'],
  ['arg="\\x00\\xff"', 'set'],
  ['args=0', 'ping'],
  ['keys>1', 'mget'],
  ['split', 'mget config'],
  ['err', 'error refused'],
  ['err & !error=~/^ERR unknown/', 'error'],
  ['error="ERR value is not an integer or out of range"', 'error'],
  ['nil', 'nil'],
  ['refused', 'refused'],
  ['why=refused', 'refused'],
  ['redirected', 'moved'],
  ['hops>0', 'moved'],
  ['why=redirect', 'moved'],
  ['pending', 'pending'],
  ['!replied', 'pending'],
  ['slow', 'get'],
  ['rtt>1.5ms', 'get moved'],
  ['not rtt>0us', 'pending'],
  ['rtt in {900us..1100us}', 'set'],
  ['t in {10s..20s}', 'get'],
  ['age<2s', 'get'],
  ['conn=3', 'set'],
  ['client=worker', 'get'],
  ['client.addr=127.0.0.1:*', 'get'],
  ['resp=3', 'get'],
  ['class=write', 'set error refused'],
  ['class in {blocking, conn}', 'refused ping'],
  ['class=tx', ''],
  ['tx', 'tx'],
  ['policy=PREFER_REPLICA & class=read & !split', 'get nil moved tx'],
  ['rep.type=array', 'mget'],
  ['rep.type in {null, int}', 'nil'],
  ['reply=bar', 'get'],
  ['reply=x', 'mget'],
  ['rep.size>=20B', 'mget error refused'],
  ['slot=9133', 'get'],
  ['node=s2.*', 'mget set error config'],
  ['node=S1.P', 'moved'],
  ['node.addr=10.1.2.4:6379 !config', 'moved'],
  ['shard=s1 & key=*', 'get mget nil moved'],
  ['route=*', 'get mget set error nil moved config tx'],
  ['mirror.state=diff', ''],
  ['mirror.state!=diff', ALL],
  ['replay.diff!=same', ALL],
  ['fault | held', ''],
  ['~m get ~k ^user', 'get'],
  ['~b bar', 'get'],
  ['~bq maxm', 'config'],
  ['~c integer', 'error'],
  ['~c', 'error refused'],
  ['~q', 'pending'],
  ['~e', 'error refused'],
  ['~t bulk', 'get moved'],
];

for (const [text, names] of MEANINGS) {
  test(`${text === '' ? 'nothing' : text} shows ${names === ALL ? 'all' : names || 'none'}`, () => {
    assert.equal(shown(text), names);
  });
}

test('!= is the negation of =, on lists too', () => {
  assert.equal(shown('key!=a'), shown('!key=a'));
  assert.equal(shown('key!=a').includes('mget'), false);
  assert.equal(shown('key!~/^a/'), shown('!key=~/^a/'));
});

test('not binds tighter than and, and than or', () => {
  assert.equal(
    shown('!get & ping | nil'),
    'nil ping'
      .split(' ')
      .sort((a, b) => ALL.indexOf(a) - ALL.indexOf(b))
      .join(' '),
  );
  assert.equal(shown('get | ping & nil'), shown('get | (ping & nil)'));
});
