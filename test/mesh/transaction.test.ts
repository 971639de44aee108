/** Transactions, as conversations: every cell of the table of 2.9 of the mesh page, and its surprises. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { COMMANDS } from '../../src/commands/table.js';
import { plainRoute } from '../../src/mesh/config.js';
import { partsOf } from '../../src/mesh/decision.js';
import { Client, clusterOf, type MeshOptions, meshOf, primaryOf } from '../helpers/mesh.js';

type Step = readonly [says: string | readonly string[], hears: string];

function conversation(rule: string, steps: readonly Step[], mesh?: MeshOptions): void {
  test(rule, () => {
    const client = new Client(meshOf(mesh));
    for (const [i, [says, hears]] of steps.entries())
      assert.equal(client.says(says), hears, `step ${i + 1}, ${says}`);
  });
}

const refused = (name: string): string => `-'${name}' command is not supported within transaction`;
const REPLICA: MeshOptions = { readPolicy: 'REPLICA' };

// foo is on s2, bar on s0.

test.describe('MULTI', () => {
  conversation('without a key is answered by the proxy, and contacts nobody (surprise 12)', [
    ['MULTI', 'answer ok'],
  ]);
  conversation('after WATCH goes to the node of its key, on a connection of its own', [
    ['WATCH foo', '*>s2.p'],
    ['MULTI', '*>s2.p transaction'],
    ['SET bar 1', '*>s2.p transaction'],
    ['EXEC', '*>s2.p transaction'],
  ]);
  conversation('inside another is refused, and the transaction goes on', [
    ['MULTI', 'answer ok'],
    ['multi', '-MULTI calls can not be nested'],
    ['SET foo 1', '*>s2.p transaction'],
    ['MULTI', '-MULTI calls can not be nested'],
    ['EXEC', '*>s2.p transaction'],
  ]);
});

test.describe('EXEC and DISCARD', () => {
  conversation('outside are refused', [
    ['exec', '-EXEC without MULTI'],
    ['Discard', '-DISCARD without MULTI'],
  ]);
  conversation('EXEC of nothing is an empty array from the proxy, and ends it', [
    ['MULTI', 'answer ok'],
    ['EXEC', 'answer empty-array'],
    ['EXEC', '-EXEC without MULTI'],
  ]);
  conversation('DISCARD of nothing is OK from the proxy, and ends it', [
    ['MULTI', 'answer ok'],
    ['DISCARD', 'answer ok'],
    ['DISCARD', '-DISCARD without MULTI'],
  ]);
  conversation('EXEC goes to the transaction’s node, and ends it', [
    ['MULTI', 'answer ok'],
    ['SET foo 1', '*>s2.p transaction'],
    ['EXEC', '*>s2.p transaction'],
    ['EXEC', '-EXEC without MULTI'],
    ['GET bar', '*>s0.p'],
  ]);
  conversation('DISCARD goes to the transaction’s node, and ends it', [
    ['MULTI', 'answer ok'],
    ['SET foo 1', '*>s2.p transaction'],
    ['DISCARD', '*>s2.p transaction'],
    ['GET bar', '*>s0.p'],
  ]);
  conversation('the key of one transaction is not that of the next', [
    ['MULTI', 'answer ok'],
    ['SET foo 1', '*>s2.p transaction'],
    ['EXEC', '*>s2.p transaction'],
    ['MULTI', 'answer ok'],
    ['SET bar 1', '*>s0.p transaction'],
    ['EXEC', '*>s0.p transaction'],
  ]);
});

test.describe('WATCH and UNWATCH', () => {
  conversation('WATCH goes on the shared connection of its first key (surprise 11)', [
    ['WATCH foo bar', '*>s2.p'],
  ]);
  conversation('WATCH is a read', [['WATCH foo', '*>s2.r1']], REPLICA);
  conversation('a second WATCH stores its own key', [
    ['WATCH foo', '*>s2.p'],
    ['WATCH bar', '*>s0.p'],
    ['MULTI', '*>s0.p transaction'],
  ]);
  conversation('WATCH inside goes on the transaction’s connection, for the node to refuse', [
    ['MULTI', 'answer ok'],
    ['SET foo 1', '*>s2.p transaction'],
    ['WATCH bar', '*>s2.p transaction'],
  ]);
  conversation('WATCH as the first inside opens it', [
    ['MULTI', 'answer ok'],
    ['WATCH bar', '*>s0.p transaction'],
    ['SET foo 1', '*>s0.p transaction'],
  ]);
  conversation('UNWATCH without a key is answered by the proxy', [['UNWATCH', 'answer ok']]);
  conversation('UNWATCH after WATCH is forwarded and clears the key', [
    ['WATCH foo', '*>s2.p'],
    ['UNWATCH', '*>s2.p'],
    ['UNWATCH', 'answer ok'],
    ['MULTI', 'answer ok'],
  ]);
  conversation(
    'UNWATCH goes where WATCH went, a read too',
    [
      ['WATCH foo', '*>s2.r1'],
      ['UNWATCH', '*>s2.r1'],
    ],
    REPLICA,
  );
  conversation('surprise 11: UNWATCH in a key-less MULTI says QUEUED and queues nothing', [
    ['MULTI', 'answer ok'],
    ['UNWATCH', 'answer queued'],
    ['EXEC', 'answer empty-array'],
  ]);
  conversation('UNWATCH inside is forwarded', [
    ['MULTI', 'answer ok'],
    ['SET foo 1', '*>s2.p transaction'],
    ['UNWATCH', '*>s2.p transaction'],
    ['EXEC', '*>s2.p transaction'],
  ]);
});

test.describe('what is queued', () => {
  conversation('the first keyed command places the transaction, all others follow', [
    ['MULTI', 'answer ok'],
    ['GET foo', '*>s2.p transaction'],
    ['GET bar', '*>s2.p transaction'],
    ['SET {x}y 1', '*>s2.p transaction'],
  ]);
  conversation(
    'always on the primary, whatever the policy',
    [
      ['MULTI', 'answer ok'],
      ['GET foo', '*>s2.p transaction'],
      ['GET foo', '*>s2.p transaction'],
    ],
    REPLICA,
  );
  conversation(
    'even on an unhealthy one',
    [
      ['MULTI', 'answer ok'],
      ['GET foo', '*>s2.p transaction'],
    ],
    { readPolicy: 'PREFER_MASTER', upstreams: { redis: clusterOf(3, 1, ['s2.p']) } },
  );
  for (const line of [
    'DEL foo bar',
    'MGET foo bar',
    'MSET foo 1 bar 2',
    'TOUCH foo bar',
    'UNLINK foo bar',
    'MSETNX foo 1 bar 2',
  ]) {
    conversation(`unsplit: ${line}`, [
      ['MULTI', 'answer ok'],
      [line, '*>s2.p transaction'],
      [line, '*>s2.p transaction'],
    ]);
  }
  conversation('an odd MSET is the node’s to refuse', [
    ['MULTI', 'answer ok'],
    ['MSET foo 1 bar', '*>s2.p transaction'],
  ]);
  conversation('the key is element 1, also where it is none', [
    ['MULTI', 'answer ok'],
    ['BITOP AND bar bar', '*>s0.p transaction'], // slot of "AND": 3102
  ]);
  conversation(
    'no route for the key',
    [
      ['MULTI', 'answer ok'],
      ['GET foo', '-no upstream host'],
      ['GET user:{foo}', '*>s2.p transaction'],
    ],
    { routes: [plainRoute('user:', 'redis')] },
  );
  conversation(
    'custom commands since 1.39',
    [
      ['MULTI', 'answer ok'],
      ['json.get foo', '*>s2.p transaction'],
    ],
    { customCommands: ['json.get'], envoy: 39 },
  );
  conversation(
    'custom commands before',
    [
      ['MULTI', 'answer ok'],
      ['JSON.get foo', refused('JSON.get')],
    ],
    { customCommands: ['json.get'], envoy: 38 },
  );
  for (const line of ['DEL foo', 'MGET foo', 'MSET foo 1', 'TOUCH foo', 'UNLINK foo']) {
    conversation(
      `since 1.34: ${line}`,
      [
        ['MULTI', 'answer ok'],
        [line, '*>s2.p transaction'],
      ],
      { envoy: 34 },
    );
    conversation(
      `refused before: ${line}`,
      [
        ['MULTI', 'answer ok'],
        [line, refused(line.split(' ')[0] as string)],
      ],
      { envoy: 33 },
    );
  }

  test('every simple command, and no other but those above', () => {
    const queued = COMMANDS.filter(({ name, mesh, parent }) => {
      if (mesh === null || parent !== null) return false;
      const client = new Client(meshOf());
      client.says('MULTI');
      return client.says(`${name} foo 1 bar`) === '*>s2.p transaction';
    });
    const names = (mesh: string): string[] =>
      COMMANDS.filter((spec) => spec.mesh === mesh).map((spec) => spec.name);
    const expected = [...names('simple'), 'DEL', 'MGET', 'MSET', 'TOUCH', 'UNLINK', 'WATCH'];
    assert.deepEqual(queued.map((spec) => spec.name).sort(), expected.sort());
  });
});

test.describe('what is refused', () => {
  for (const line of [
    'Exists foo',
    'EVAL s 1 foo',
    'EVAL s',
    'EVALSHA s 1 foo',
    'OBJECT FREQ foo',
    'SCAN 0',
    'KEYS *',
    'INFO',
    'SELECT 0',
    'CONFIG GET *',
    'CONFIG HELP',
    'SCRIPT LOAD x',
    'FLUSHALL',
    'FLUSHDB',
    'SLOWLOG GET',
    'ROLE',
    'INFO.SHARD 0',
    'RANDOMKEY',
    'CLUSTER SLOTS',
    'CLUSTER MYID',
  ]) {
    conversation(`${line}, the name as sent, and the transaction goes on (surprise 15)`, [
      ['MULTI', 'answer ok'],
      [line, refused(line.split(' ')[0] as string)],
      ['GET foo', '*>s2.p transaction'],
      [line, refused(line.split(' ')[0] as string)],
      ['EXEC', '*>s2.p transaction'],
    ]);
  }
  conversation('HELLO and CLIENT, in lower case', [
    ['MULTI', 'answer ok'],
    ['HELLO 2', refused('hello')],
    ['Client SETNAME x', refused('client')],
    ['EXEC', 'answer empty-array'],
  ]);
});

test.describe('what is answered at once (surprise 14)', () => {
  for (const [line, answer] of [
    ['PING', 'pong'],
    ['ECHO x', 'echo'],
    ['TIME', 'time'],
    ['AUTH x', 'auth'],
    ['QUIT', 'quit'],
  ] as const) {
    conversation(line, [
      ['MULTI', 'answer ok'],
      [line, `answer ${answer}`],
      ['GET foo', '*>s2.p transaction'],
      [line, `answer ${answer}`],
      ['EXEC', '*>s2.p transaction'],
    ]);
  }
});

test('the connection stays to the server it was opened to, though the slot has moved', () => {
  const before = new Client(meshOf());
  before.says('MULTI');
  before.says('GET foo');
  const after = new Client(meshOf({ upstreams: { redis: clusterOf(1) } }), before.session);
  after.says('GET bar');
  const [part] = partsOf(after.last as NonNullable<typeof after.last>);
  assert.equal(part?.to?.address, primaryOf(2));
  assert.deepEqual(part?.why.at(-1), { stage: 'choose', code: 'pinned' });
});

test('the route is looked up with the stored key for every command', () => {
  const mesh = meshOf({ routes: [plainRoute('user:', 'redis')] });
  const client = new Client(mesh, {
    multi: true,
    transactionKey: Buffer.from('other'),
    pinned: primaryOf(2),
  });
  assert.equal(client.says('GET user:1'), '-no upstream host');
});

test('of a transaction nothing is redirected: its parts go on its own connection', () => {
  const client = new Client(meshOf({ enableRedirection: true }));
  client.says('MULTI');
  client.says('GET foo');
  assert.equal(partsOf(client.last as NonNullable<typeof client.last>)[0]?.via, 'transaction');
});
