/** Arity, key positions and what writes, against a real server's own COMMAND. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from '../../src/commands/command.js';
import { COMMANDS, commandByName } from '../../src/commands/table.js';
import { ask, sharedServer } from '../helpers/cluster.js';

const { port } = sharedServer();

/** One row of COMMAND: name, arity, flags, … and at 9 the subcommands. */
type Entry = readonly [
  name: string,
  arity: number,
  flags: readonly string[],
  ...rest: readonly unknown[],
];

async function serverCommands(): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  const add = (entry: Entry): void => {
    entries.set(entry[0].toUpperCase().replace('|', ' '), entry);
    const subcommands = entry[9];
    if (Array.isArray(subcommands)) for (const each of subcommands as Entry[]) add(each);
  };
  for (const entry of (await ask(port(), ['COMMAND'])) as Entry[]) add(entry);
  return entries;
}

/** Key positions as the server has them; null where it says that the arguments cannot be. All arguments must differ. */
async function serverKeys(argv: readonly string[]): Promise<readonly number[] | null> {
  try {
    const keys = (await ask(port(), ['COMMAND', 'GETKEYS', ...argv])) as string[];
    return keys.map((key) => argv.indexOf(key));
  } catch (error) {
    if (/no key arguments/.test(String(error))) return [];
    if (/Invalid arguments|wrong number of arguments/.test(String(error))) return null;
    throw error;
  }
}

/** Channels are no keys for the server, but they are what a sharded channel is placed by. */
const PLACED_BY_CHANNEL = new Set(['SPUBLISH', 'SSUBSCRIBE', 'SUNSUBSCRIBE']);

test('every command of the server has a row, with the same arity and the same mark of a write', async () => {
  const entries = await serverCommands();
  assert.ok(entries.size > 200);
  let compared = 0;
  for (const [name, [, arity, flags]] of entries) {
    const spec = commandByName(name);
    if (spec === undefined) {
      const isModule = flags.includes('module');
      assert.ok(name.includes(' ') || isModule, `${name} has no row`);
      continue;
    }
    compared++;
    assert.equal(spec.arity, arity, `arity of ${name}`);
    assert.equal(spec.writes, flags.includes('write'), `${name} writes`);
  }
  assert.ok(compared > 230, `${compared} compared`);
});

test('keys of every command stand where the server finds them, with few arguments and with many', async () => {
  let compared = 0;
  for (const [name, [, arity]] of await serverCommands()) {
    if (commandByName(name)?.container || PLACED_BY_CHANNEL.has(name)) continue;
    const least = Math.abs(arity);
    for (let argc = least; argc <= (arity < 0 ? least + 4 : least); argc++) {
      const argv = name.split(' ');
      while (argv.length < argc) argv.push(`word${argv.length}`);
      const keys = await serverKeys(argv);
      if (keys === null) continue;
      compared++;
      assert.deepEqual(Command.of(argv).keys, keys, argv.join(' '));
    }
  }
  assert.ok(compared > 500, `${compared} compared`);
});

/** Commands whose keys depend on their arguments. The server is asked about each. */
const SHAPES = `
  EVAL script 0
  EVAL script 0 arg
  EVAL script 1 k
  EVAL script 2 k1 k2 arg
  EVALSHA sha 2 k1 k2 arg
  EVAL_RO script 1 k arg
  EVALSHA_RO sha 1 k
  FCALL f 1 k arg
  FCALL_RO f 2 k1 k2
  ZUNIONSTORE dst 2 a b
  ZUNIONSTORE dst 2 a b WEIGHTS 7 8
  ZINTERSTORE dst 1 a AGGREGATE MIN
  ZDIFFSTORE dst 2 a b
  ZUNION 2 a b
  ZUNION 1 a WITHSCORES
  ZINTER 2 a b WITHSCORES
  ZDIFF 2 a b
  ZINTERCARD 2 a b LIMIT 5
  SINTERCARD 2 a b
  ZMPOP 2 a b MIN
  LMPOP 1 a LEFT COUNT 5
  BLMPOP 0.5 2 a b LEFT
  BZMPOP 0.5 1 a MAX COUNT 2
  BLPOP a b 0
  BRPOP a 0
  BZPOPMIN a b c 0
  BLMOVE a b LEFT RIGHT 0
  BRPOPLPUSH a b 0
  LMOVE a b LEFT RIGHT
  SORT k
  SORT k BY p* LIMIT 0 10 GET q* ASC ALPHA
  SORT k STORE dst
  SORT k STORE dst BY pattern
  SORT k BY pattern STORE dst
  SORT k STORE one STORE two
  SORT k BY store GET x
  SORT k GET store
  SORT k LIMIT store 3
  SORT k sToRe dst
  SORT_RO k BY p*
  GEORADIUS k 1 2 3 m
  GEORADIUS k 1 2 3 m STORE dst
  GEORADIUS k 1 2 3 m STOREDIST dst
  GEORADIUS k 1 2 3 m WITHDIST COUNT 5 STORE dst
  GEORADIUSBYMEMBER k m 3 km STORE dst
  GEORADIUSBYMEMBER k store 3 km ASC
  GEOSEARCHSTORE dst src FROMMEMBER m BYRADIUS 1 km
  XREAD STREAMS a 0
  XREAD STREAMS a b 0 1
  XREAD COUNT 5 BLOCK 7 STREAMS a b 0 1
  XREAD BLOCK 7 streams a 0
  XREADGROUP GROUP g c STREAMS a >
  XREADGROUP GROUP streams c STREAMS a >
  XREADGROUP GROUP g streams COUNT 5 NOACK STREAMS a b > 0
  XGROUP CREATE s g $
  XGROUP CREATECONSUMER s g c
  XGROUP DELCONSUMER s g c
  XGROUP DESTROY s g
  XGROUP SETID s g $
  XINFO STREAM s
  XINFO STREAM s FULL
  XINFO GROUPS s
  XINFO CONSUMERS s g
  MIGRATE host 6379 k 0 1000
  MIGRATE host 6379 k 0 1000 COPY REPLACE
  MIGRATE host 6379 k 0 1000 AUTH pw
  MIGRATE host 6379 auth 0 1000 AUTH pw
  MIGRATE host 6379 EMPTY 0 1000 KEYS a
  MIGRATE host 6379 EMPTY 0 1000 COPY KEYS a b c
  MIGRATE host 6379 EMPTY 0 1000 AUTH pw KEYS a b
  MIGRATE host 6379 EMPTY 0 1000 AUTH keys KEYS a b
  MIGRATE host 6379 EMPTY 0 1000 AUTH2 user keys KEYS a b
  OBJECT ENCODING k
  OBJECT HELP
  MEMORY USAGE k
  MEMORY USAGE k SAMPLES 5
  BITOP AND dst a b
  MSET a 1 b 2
  MSETNX a 1 b 2
  LCS a b LEN
  PFDEBUG TODENSE k
  COPY a b DB 1
  RENAME a b
  SMOVE a b m
  RPOPLPUSH a b
  ZRANGESTORE dst src 0 -1
  SUNIONSTORE dst a b
  RESTORE-ASKING k 0 payload
  HSET k f v
`
  .trim()
  .split('\n')
  .map((line) => line.trim().split(' '));

for (const shape of SHAPES) {
  test(`keys of ${shape.join(' ')}`, async () => {
    const argv = shape.map((word) => (word === 'EMPTY' ? '' : word));
    const expected = await serverKeys(argv);
    assert.deepEqual(Command.of(argv).keys, expected ?? [], 'as the server has them');
  });
}

test('sharded channels stand where keys would', () => {
  assert.deepEqual(Command.of(['SPUBLISH', 'ch', 'msg']).keys, [1]);
  assert.deepEqual(Command.of(['SSUBSCRIBE', 'a', 'b']).keys, [1, 2]);
  assert.deepEqual(Command.of(['SUNSUBSCRIBE']).keys, []);
  assert.deepEqual(Command.of(['PUBLISH', 'ch', 'msg']).keys, []);
});

test('of a command nobody knows, the first argument is the key', () => {
  assert.deepEqual(Command.of(['JSON.GET', 'doc', '$']).keys, [1]);
  assert.deepEqual(Command.of(['JSON.GET']).keys, []);
});

test('with too few arguments no rule names a position that is not there', () => {
  for (const { name } of COMMANDS) {
    const words = name.split(' ');
    for (const more of [
      [],
      ['a'],
      ['a', 'b'],
      ['a', '5'],
      ['a', 'b', '9'],
      ['STREAMS'],
      ['a', 'STORE'],
      ['-1', 'x', 'y'],
    ]) {
      const command = Command.of([...words, ...more]);
      for (const at of command.keys)
        assert.ok(at > 0 && at < command.argc, `${[...words, ...more].join(' ')}: ${at}`);
    }
  }
});
