/** The replay law on live traffic: every decision that was made can be made again from its event, and is the same. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { EventBus } from '../../src/events/bus.js';
import { type Decision, partsOf } from '../../src/mesh/decision.js';
import { Exchange } from '../../src/proxy/exchange.js';
import { sharedCluster } from '../helpers/cluster.js';
import { withoutReasons } from '../helpers/mesh.js';
import { startProxy } from '../helpers/proxy.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();

const COMMANDS: readonly (readonly string[])[] = [
  ['SET', 'a', '1'],
  ['get', 'a'],
  ['MGET', 'a', '{b}c', 'd'],
  ['MSET', 'a', '1', 'b', '2'],
  ['DEL', 'x', 'y'],
  ['EVAL', 'return 1', '1', 'k{tag}'],
  ['OBJECT', 'ENCODING', 'a'],
  ['INFO'],
  ['KEYS', 'none*'],
  ['SCAN', '0'],
  ['RANDOMKEY'],
  ['CLUSTER', 'INFO'],
  ['INFO.SHARD', '1'],
  ['INFO.SHARD', '9'],
  ['CONFIG', 'GET', 'maxmemory'],
  ['PING'],
  ['ECHO', 'x'],
  ['TIME'],
  ['AUTH', 'secret'],
  ['HELLO', '2', 'AUTH', 'default', 'secret'],
  ['CLIENT', 'SETNAME', 'law'],
  ['BLPOP', 'none', '0.01'],
  ['XREAD', 'COUNT', '1', 'STREAMS', 'none', '0'],
  ['DBSIZE'],
  ['COMMAND', 'COUNT'],
  ['NOSUCH', 'a'],
  ['GET'],
  ['WATCH', 'a'],
  ['UNWATCH'],
  ['MULTI'],
  ['PING'],
  ['SET', 'a', '2'],
  ['EXISTS', 'a'],
  ['GET', 'a'],
  ['EXEC'],
  ['WATCH', 'a'],
  ['MULTI'],
  ['INCR', 'a'],
  ['EXEC'],
  ['SET', 'a', 'x'.repeat(2_000_000)],
  ['SUBSCRIBE', 'ch'],
  ['GET', 'a'],
  ['UNSUBSCRIBE', 'ch'],
];

for (const open of [false, true]) {
  for (const readPolicy of ['MASTER', 'ANY', 'REPLICA'] as const) {
    test(`every decision is made again, ${readPolicy}${open ? ', --open' : ''}`, async (t) => {
      const made = new Map<number, Decision>();
      const write = EventBus.prototype.command;
      t.mock.method(
        EventBus.prototype,
        'command',
        function (this: EventBus, ...args: Parameters<EventBus['command']>) {
          const [note] = args;
          assert.ok(note instanceof Exchange);
          made.set(note.seq, note.decision);
          write.apply(this, args);
        },
      );
      const proxy = await startProxy(t, {
        seeds: [cluster().nodes[0]?.port ?? 0],
        settings: { open, readPolicy },
      });
      const client = await proxy.client();
      for (const argv of COMMANDS)
        assert.notEqual(await client.ask(...argv), '(closed)', argv.join(' ').slice(0, 40));
      await until(() => proxy.commands.length === COMMANDS.length);
      for (const event of proxy.commands) {
        const once = made.get(event.seq) as Decision;
        const { decision } = event;
        assert.deepEqual(withoutReasons(decision), withoutReasons(once), event.command.name);
        assert.ok(partsOf(decision).every(({ why }) => why.length > 0));
      }
      assert.ok(
        !JSON.stringify(
          proxy.commands.map((event) => event.request.bytes.toString('latin1')),
        ).includes('secret'),
      );
    });
  }
}
