/** The command table against the page (2.2 to 2.4), whose lists stand here as they stand there. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  COMMANDS,
  commandByName,
  ENVOY_WRITES,
  lookUp,
  type MeshClass,
} from '../../src/commands/table.js';

const words = (text: string): string[] => text.trim().split(/\s+/);

/** 2.3: one node, key at argument 1. † since 1.36, ‡ since 1.39, else the figure behind the colon, or since ever. */
const WRITES = words(`
  append decr decrby getdel incr incrby incrbyfloat psetex set setex setnx setrange msetnx†
  bitfield setbit bitop†
  copy† expire expireat persist pexpire pexpireat rename† renamenx† restore sort†
  hdel hexpire‡ hexpireat‡ hincrby hincrbyfloat hmset hpersist‡ hpexpire‡ hpexpireat‡ hset hsetnx
  linsert lmove lpop lpush lpushx lrem lset ltrim rpop rpoplpush† rpush rpushx
  sadd sdiffstore† sinterstore† smove† spop srem sunionstore†
  zadd zdiffstore† zincrby zinterstore† zpopmax zpopmin zrangestore† zrem zremrangebylex zremrangebyrank zremrangebyscore zunionstore†
  geoadd geosearchstore† georadius† georadiusbymember†
  pfadd pfmerge†`);
const READS = words(`
  get getex getset getrange strlen substr†
  bitcount bitfield_ro:38 bitpos getbit
  dump pttl ttl type sort_ro†
  hexists hexpiretime‡ hget hgetall hkeys hlen hmget hpexpiretime‡ hpttl‡ hrandfield† hscan hstrlen httl‡ hvals
  lindex llen lpos† lrange
  scard sdiff† sinter† sismember smembers smismember† srandmember sscan sunion†
  zcard zcount zdiff† zinter† zlexcount zmscore† zrandmember† zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex
  zrevrangebyscore zrevrank zscan zscore zunion†
  geodist geohash geopos georadius_ro georadiusbymember_ro geosearch
  pfcount
  xack xadd xautoclaim xclaim xdel xlen xpending xrange xrevrange xtrim
  publish bf.add bf.card bf.exists bf.info bf.insert bf.loadchunk bf.madd bf.mexists bf.reserve bf.scandump`);

/** 2.4, word for word. */
const WRITE_LIST = words(`
  append bitfield bitop copy decr decrby del discard eval evalsha exec expire expireat geoadd georadius georadiusbymember
  geosearchstore getdel hdel hexpire hexpireat hincrby hincrbyfloat hmset hpersist hpexpire hpexpireat hset hsetnx incr
  incrby incrbyfloat linsert lmove lpop lpush lpushx lrem lset ltrim mset msetnx multi persist pexpire pexpireat pfadd
  pfmerge psetex rename renamenx restore rpop rpoplpush rpush rpushx sadd sdiffstore set setbit setex setnx setrange
  sinterstore smove sort spop srem sunionstore touch unlink zadd zdiffstore zincrby zinterstore zpopmax zpopmin
  zrangestore zrem zremrangebylex zremrangebyrank zremrangebyscore zunionstore`);

/** 2.2, the other classes, and since when (section 0). */
const CLASSES: Readonly<Record<Exclude<MeshClass, 'simple'>, readonly string[]>> = {
  local: words('auth:0 ping:0 echo:0 time:0 quit:0 hello:37 client:40'),
  object: words('object:37'),
  eval: words('eval:0 evalsha:0'),
  mget: words('mget:0'),
  mset: words('mset:0'),
  sum: words('del:0 exists:0 touch:0 unlink:0'),
  scan: words('scan:35'),
  everywhere: words(
    'script:35 flushall:35 flushdb:35 slowlog:35 config:35 info:35 keys:33 select:33 role:35',
  ),
  'info-shard': words('info.shard:35'),
  'any-shard': words('randomkey:35 cluster:35'),
  transaction: words('multi:25 exec:25 discard:25 watch:25 unwatch:33'),
};

/** 2.2, the last row. */
const UNKNOWN_TO_ENVOY = words(`
  blpop brpop blmove blmpop bzpopmin bzpopmax bzmpop brpoplpush wait waitaof
  xread xreadgroup xgroup xinfo xsetid
  subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe spublish pubsub
  dbsize command debug monitor reset memory latency acl module function fcall fcall_ro eval_ro evalsha_ro expiretime pexpiretime
  move migrate swapdb save bgsave lastsave lmpop zmpop sintercard zintercard lcs replicaof sync psync asking readonly readwrite`);

function parse(word: string): { readonly name: string; readonly since: number } {
  const [, name = '', mark = ''] = /^([a-z._]+)(.*)$/.exec(word) ?? [];
  const since = mark === '†' ? 36 : mark === '‡' ? 39 : Number(mark.slice(1));
  return { name: name.toUpperCase(), since };
}

const simple = [...WRITES, ...READS].map(parse);

test.describe('single-key commands (2.3)', () => {
  for (const { name, since } of simple) {
    test(`${name} goes whole to the owner of argument 1, ${since === 0 ? 'ever' : `since 1.${since}`}`, () => {
      const spec = commandByName(name);
      assert.deepEqual([spec?.mesh, spec?.since], ['simple', since]);
    });
  }

  test('are these and no others', () => {
    const ours = COMMANDS.filter((spec) => spec.mesh === 'simple').map((spec) => spec.name);
    assert.deepEqual(ours.sort(), simple.map((each) => each.name).sort());
  });
});

test.describe('the other classes (2.2)', () => {
  for (const [mesh, list] of Object.entries(CLASSES)) {
    test(`${mesh}: ${list.map((word) => parse(word).name).join(' ')}`, () => {
      const ours = COMMANDS.filter((spec) => spec.parent === null && spec.mesh === mesh);
      assert.deepEqual(
        ours.map(({ name, since }) => ({ name, since })).sort((a, b) => (a.name < b.name ? -1 : 1)),
        list.map(parse).sort((a, b) => (a.name < b.name ? -1 : 1)),
      );
    });
  }

  test('commands unknown to every Envoy have no class', () => {
    for (const name of UNKNOWN_TO_ENVOY) {
      const spec = commandByName(name.toUpperCase());
      assert.ok(spec !== undefined, `${name} has a row, for --open`);
      assert.equal(spec.mesh, null, name);
    }
  });

  test('CLUSTER SHARDS came in 1.40, the other subcommands with CLUSTER', () => {
    const since = (name: string): number | undefined => commandByName(`CLUSTER ${name}`)?.since;
    assert.deepEqual(
      ['INFO', 'SLOTS', 'KEYSLOT', 'NODES', 'SHARDS'].map(since),
      [35, 35, 35, 35, 40],
    );
  });
});

test.describe('the write list (2.4)', () => {
  test('is the page’s', () => {
    assert.deepEqual([...ENVOY_WRITES].sort(), WRITE_LIST.map((name) => name.toUpperCase()).sort());
  });

  test('is what the rows say', () => {
    const writes = COMMANDS.filter((spec) => spec.envoyWrite).map((spec) => spec.name);
    assert.deepEqual(writes.sort(), [...ENVOY_WRITES].sort());
  });

  test('agrees with the W column of 2.3', () => {
    for (const { name } of WRITES.map(parse)) assert.ok(ENVOY_WRITES.has(name), name);
    for (const { name } of READS.map(parse)) assert.ok(!ENVOY_WRITES.has(name), name);
  });

  test('the bold commands write in Redis and are reads for Envoy', () => {
    for (const name of words(
      'GETEX GETSET XACK XADD XAUTOCLAIM XCLAIM XDEL XTRIM BF.ADD BF.INSERT BF.LOADCHUNK BF.MADD BF.RESERVE',
    )) {
      const spec = commandByName(name);
      assert.deepEqual([spec?.writes, spec?.envoyWrite], [true, false], name);
    }
  });
});

test.describe('looking a name up', () => {
  const find = (name: string): string | undefined => {
    const bytes = Buffer.from(`<<${name}>>`, 'latin1');
    return lookUp(bytes, 2, bytes.length - 2)?.name;
  };

  test('every command is found in any case, at any place', () => {
    for (const { name, parent } of COMMANDS) {
      if (parent !== null) continue;
      const mixed = [...name].map((char, i) => (i % 2 === 0 ? char.toLowerCase() : char)).join('');
      for (const spelling of [name, name.toLowerCase(), mixed]) assert.equal(find(spelling), name);
    }
  });

  test('what is nearly a name is none', () => {
    for (const { name, parent } of COMMANDS) {
      if (parent !== null) continue;
      const last = name.charCodeAt(name.length - 1);
      const misses = [
        name.slice(1),
        name.slice(0, -1),
        `${name}S`,
        `X${name}`,
        `${name} `,
        `${name}\x00`,
        // The same but for the bit by which letters differ in case, where it is no letter: `[` and `{`, `@` and the back-tick.
        `${name.slice(0, -1)}${String.fromCharCode(last ^ 0x40)}`,
        `${name.slice(0, -1)}${String.fromCharCode(last ^ 0x80)}`,
        name.replace(/[._]/g, (char) => String.fromCharCode(char.charCodeAt(0) ^ 0x20)),
      ];
      for (const miss of misses) {
        const isName = commandByName(miss.toUpperCase())?.parent === null;
        if (!isName)
          assert.equal(find(miss), undefined, `${JSON.stringify(miss)} found by ${name}`);
      }
    }
  });

  test('a subcommand is no command', () => {
    assert.equal(find('CONFIG GET'), undefined);
    assert.equal(find('GET'), 'GET');
    assert.equal(find(''), undefined);
  });

  test('ids are positions', () => {
    assert.ok(COMMANDS.every((spec, i) => spec.id === i));
  });

  test('every container of a subcommand has a row', () => {
    for (const { parent } of COMMANDS)
      if (parent !== null) assert.ok(commandByName(parent)?.container, parent);
  });
});
