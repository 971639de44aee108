/** Replies recorded in one RESP version are what Redis says in the other. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from '../../src/commands/command.js';
import { inVersion, inVersionEach } from '../../src/recording/resp3.js';
import { TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';

const { port } = sharedServer();

const SET_UP = [
  'SET s v',
  'HSET h f 1',
  'SADD set a',
  'ZADD z 1.5 m 2 n',
  'RPUSH l 1 2',
  'XADD x 1-1 k v',
  'XGROUP CREATE x g 0',
  'GEOADD geo 13.361389 38.115556 Palermo',
  'SET lcs1 ohmytext',
  'SET lcs2 mynewtext',
];

const ASKED = [
  'GET s',
  'GET none',
  'HGETALL h',
  'HGETALL none',
  'HRANDFIELD h 1 WITHVALUES',
  'HRANDFIELD h 1',
  'SMEMBERS set',
  'SINTER set set',
  'ZSCORE z m',
  'ZMSCORE z m none',
  'ZRANGE z 0 -1',
  'ZRANGE z 0 -1 WITHSCORES',
  'ZRANGEBYSCORE z 0 9 withscores',
  'ZADD z INCR 1 m',
  'ZINCRBY z 1 m',
  'XREAD STREAMS x 0',
  'XRANGE x - +',
  'XINFO STREAM x',
  'XINFO GROUPS x',
  'CONFIG GET maxmemory',
  'GEOPOS geo Palermo',
  'LRANGE l 0 -1',
  'LCS lcs1 lcs2 IDX',
  'INCR s',
  'LPOP none',
  'BLPOP none 0.01',
  'EXISTS s',
];

/** Each is asked by both clients: what it changes between the two is undone or makes no difference. */
const UNEQUAL = new Set(['ZADD z INCR 1 m', 'ZINCRBY z 1 m']);

test('up and down, held against a real server', async (t) => {
  const two = await TestClient.connect(port());
  const three = await TestClient.connect(port());
  t.after(() => {
    two.close();
    three.close();
  });
  for (const text of SET_UP) await two.ask(...text.split(' '));
  await three.ask('HELLO', '3');
  for (const text of ASKED) {
    const words = text.split(' ');
    const command = Command.of(words);
    const old = Buffer.from(await two.ask(...words), 'latin1');
    if (UNEQUAL.has(text)) await two.ask('ZADD', 'z', '1.5', 'm');
    const now = Buffer.from(await three.ask(...words), 'latin1');
    if (UNEQUAL.has(text)) await two.ask('ZADD', 'z', '1.5', 'm');
    assert.equal(inVersion(old, command, 2, 3).toString(), now.toString(), `${text}, up`);
    // Which null it was cannot be told any more; Envoy writes the one of a bulk string.
    const down = inVersion(now, command, 3, 2).toString();
    assert.equal(down, old.toString().replaceAll('*-1\r\n', '$-1\r\n'), `${text}, down`);
    assert.equal(inVersion(old, command, 2, 2), old);
  }
  const popped = Buffer.from('*2\r\n$1\r\nm\r\n$3\r\n1.5\r\n');
  assert.equal(
    inVersion(popped, Command.of(['ZPOPMIN', 'z']), 2, 3).toString(),
    '*2\r\n$1\r\nm\r\n,1.5\r\n',
  );
  assert.equal(
    inVersion(popped, Command.of(['ZPOPMIN', 'z', '1']), 2, 3).toString(),
    '*1\r\n*2\r\n$1\r\nm\r\n,1.5\r\n',
  );
});

test('the replies in an EXEC, each by its command', () => {
  const commands = [Command.of(['HGETALL', 'h']), Command.of(['GET', 'a'])];
  const exec = Buffer.from('*2\r\n*2\r\n$1\r\nf\r\n$1\r\n1\r\n$-1\r\n');
  assert.equal(
    inVersionEach(exec, commands, 2, 3).toString(),
    '*2\r\n%1\r\n$1\r\nf\r\n$1\r\n1\r\n_\r\n',
  );
  assert.equal(inVersionEach(exec, commands, 2, 2), exec);
});
