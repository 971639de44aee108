/** A client may send arguments of 512 MiB anywhere, before it has logged in: nothing that is said of them may fail. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { NEW_SESSION } from '../../src/commands/command.js';
import { authReply, helloReply, refusalText } from '../../src/mesh/answers.js';
import { decide } from '../../src/mesh/decide.js';
import { explain, refusalBecause } from '../../src/mesh/explain.js';
import { encodeError } from '../../src/resp/encode.js';
import { LIMITS } from '../../src/resp/scan.js';
import { hugeArguments } from '../helpers/huge.js';
import { FIRST_DRAW, meshOf } from '../helpers/mesh.js';

/** Names, and arguments before the huge ones; routing keys are among them, for hashing half a gigabyte takes its time. */
const LINES =
  `AUTH;AUTH x;HELLO;HELLO 2;HELLO 2 AUTH;HELLO 2 SETNAME;HELLO 2 AUTH u;CLIENT;CLIENT SETNAME;CLIENT GETNAME;PING;ECHO;TIME;QUIT;NOSUCH k;
  CONFIG;CONFIG SET;CONFIG GET;SLOWLOG;CLUSTER;INFO;INFO.SHARD;SCRIPT;KEYS;SELECT;ROLE;SCAN 0;OBJECT FREQ k;EVAL s 1 k;SET k;SORT k;SORT k BY p;XREAD;XREAD COUNT;
  GEORADIUS k;MIGRATE h 1 k;ZUNIONSTORE k;LMPOP;BLMPOP 0;ACL;ACL SETUSER;FUNCTION;MULTI;EXEC;WATCH k;RESET;MONITOR;SHUTDOWN;WAIT;DBSIZE;PUBSUB`
    .split(';')
    .map((line) => line.trim().split(' '));

for (const open of [false, true]) {
  for (const multi of [false, true]) {
    test(`decided, explained and refused${open ? ', --open' : ''}${multi ? ', in a transaction' : ''}`, () => {
      const { topology, config, plain } = meshOf({ open, customCommands: ['json.get'] });
      // In a transaction that has its key, what has none of its own is not placed by a huge one.
      const session = { ...NEW_SESSION, multi, transactionKey: multi ? Buffer.from('k') : null };
      for (const words of LINES) {
        const command = hugeArguments(words, session);
        const decision = decide(command, topology, config, FIRST_DRAW);
        explain(command, decision, topology, plain);
        if (decision.action.kind !== 'refuse') continue;
        const line = encodeError(
          refusalText(decision.action.error, command, 40, decision.action.of),
        );
        assert.ok(line.length <= 2 * LIMITS.lineBytes, words.join(' '));
        refusalBecause(decision.action.error, command, plain);
      }
    });
  }
}

test('a name of 512 MiB', () => {
  const { topology, config, plain } = meshOf({ customCommands: ['json.get'] });
  const command = hugeArguments([]);
  const decision = decide(command, topology, config, FIRST_DRAW);
  assert.ok(decision.action.kind === 'refuse' && decision.action.error === 'unknown-command');
  assert.ok(command.name.length < 1000);
  explain(command, decision, topology, plain);
  const line = encodeError(refusalText('unknown-command', command, 40)); // the name and its first argument
  assert.ok(line.length <= 2 * LIMITS.lineBytes);
});

test('passwords and options of 512 MiB are wrong', () => {
  const credentials = { username: 'app', passwords: ['pw'] };
  const wrong = (words: string[]): string =>
    authReply(hugeArguments(words), credentials).reply.toString();
  assert.equal(wrong(['AUTH']), '-ERR invalid password\r\n');
  const hello = (words: string[]): string =>
    helloReply(hugeArguments(words), 2, 2, credentials).reply.toString();
  assert.equal(
    hello(['HELLO', '2', 'AUTH', 'app']).slice(0, 40),
    '-ERR Syntax error: unknown HELLO option ',
  );
  assert.equal(hello(['HELLO']), '-NOPROTO unsupported protocol version\r\n');
});
