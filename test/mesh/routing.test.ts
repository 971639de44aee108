/** What a route does besides leading to an upstream: cutting and formatting keys, sending reads elsewhere, copying (mesh page, 3 and 7). */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Command } from '../../src/commands/command.js';
import {
  type MirrorPolicy,
  NEWEST_ENVOY,
  OLDEST_ENVOY,
  plainRoute,
  type Route,
} from '../../src/mesh/config.js';
import { decide } from '../../src/mesh/decide.js';
import { partsOf } from '../../src/mesh/decision.js';
import { unknownSubstitutions } from '../../src/mesh/key-format.js';
import { replayRng } from '../../src/mesh/rng.js';
import { findRoute } from '../../src/mesh/route.js';
import { NO_SERVERS, type Placement, singleServer } from '../../src/mesh/topology.js';
import { holds } from '../helpers/check.js';
import { Client, clusterOf, type MeshOptions, meshOf, primaryOf } from '../helpers/mesh.js';

const TWO = { redis: clusterOf(3), copy: clusterOf(3) };

function withRoute(route: Partial<Route>, more: MeshOptions = {}): Client {
  const routes = [plainRoute(null, 'redis'), { ...plainRoute('user:', 'redis'), ...route }];
  return new Client(meshOf({ routes, upstreams: TWO, ...more }));
}

function mirror(more: Partial<MirrorPolicy> = {}): MirrorPolicy {
  return {
    upstream: 'copy',
    fraction: { numerator: 100, of: 100 },
    excludeReads: false,
    ...more,
  };
}

test('of any routes the longest prefix that a key begins with is its own, at any level of Envoy', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '\0'), maxLength: 4 });
  const prefixes = fc.uniqueArray(
    text.filter((prefix) => prefix !== ''),
    { maxLength: 6 },
  );
  let found = 0;
  holds(
    fc.property(
      prefixes,
      fc.boolean(),
      fc.constantFrom(OLDEST_ENVOY, NEWEST_ENVOY),
      fc.string({ unit: fc.constantFrom('a', 'b', 'A', '\0'), maxLength: 6 }),
      (given, caseInsensitive, envoy, key) => {
        const routes = given.map((prefix) => plainRoute(prefix, 'redis'));
        const { config } = meshOf({ routes, caseInsensitive, envoy });
        const fold = (each: string): string => (caseInsensitive ? each.toLowerCase() : each);
        const compared = envoy < 36 && key.includes('\0') ? key.slice(0, key.indexOf('\0')) : key;
        const [longest] = given
          .filter((prefix) => fold(compared).startsWith(fold(prefix)))
          .sort((a, b) => b.length - a.length);
        const route = findRoute(config, Buffer.from(key));
        assert.equal(
          route === null ? undefined : fold(route.route.prefix ?? ''),
          longest && fold(longest),
        );
        if (route !== null) found++;
      },
    ),
    3000,
  );
  assert.ok(found > 300);
});

test.describe('remove_prefix', () => {
  const cutting = (): Client => withRoute({ strip: 5 });

  test('cuts the key before it is placed and sent', () => {
    // foo is shard 2's, user:foo would be another's
    assert.equal(cutting().says('GET user:foo'), '*[1=foo]>redis/s2.p');
    assert.equal(cutting().says('GET foo'), '*>redis/s2.p');
  });

  test('at the routing key only', () => {
    assert.equal(cutting().says('RENAME user:foo user:bar'), '*[1=foo]>redis/s2.p');
    assert.equal(cutting().says('EVAL x 2 user:foo user:bar'), '*[3=foo]>redis/s2.p');
    assert.equal(cutting().says('OBJECT ENCODING user:foo'), '*[2=foo]>redis/s2.p');
  });

  test('of each part of a split command', () => {
    assert.equal(
      cutting().says('MGET user:foo bar'),
      'get 1[1=foo]>redis/s2.p | get 2>redis/s0.p (mget)',
    );
    assert.equal(cutting().says('MSET user:foo 1'), 'set 1 2[1=foo]>redis/s2.p (mset)');
  });

  test('may leave nothing of it', () => {
    assert.equal(cutting().says('GET user:'), '*[1=]>redis/s0.p');
  });

  test('on a catch-all that carries a prefix it cuts every key (config page, trap 12)', () => {
    const client = new Client(meshOf({ routes: [{ ...plainRoute(null, 'redis'), strip: 2 }] }));
    assert.equal(client.says('GET xxfoo'), '*[1=foo]>s2.p');
    assert.equal(client.says('GET x'), '*[1=]>s0.p');
  });

  test('in a transaction only what places it, never what is sent (2.9)', () => {
    const client = cutting();
    client.says('MULTI');
    assert.equal(client.says('SET user:foo 1'), '*>redis/s2.p transaction');
    assert.equal(client.says('EXEC'), '*>redis/s2.p transaction');
  });

  test('tags are looked for in what is left', () => {
    assert.equal(cutting().says('GET user:{foo}x'), '*[1={foo}x]>redis/s2.p');
  });
});

test.describe('key_formatter', () => {
  test('puts the key into the template, after cutting', () => {
    const client = withRoute({ strip: 5, keyFormatter: '{foo}:%KEY%' });
    assert.equal(client.says('GET user:1'), '*[1={foo}:1]>redis/s2.p');
  });

  test('knows the two ends of the connection', () => {
    const client = withRoute({ keyFormatter: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%/%KEY%' });
    client.session = { ...client.session, peer: { remote: '10.0.0.9:5000', local: '[::1]:6380' } };
    assert.match(client.says('GET user:1'), /^\*\[1=10\.0\.0\.9\/user:1\]/);
    const port = withRoute({ keyFormatter: 'p%DOWNSTREAM_LOCAL_PORT%' });
    port.session = client.session;
    assert.match(port.says('GET user:1'), /^\*\[1=p6380\]/);
  });

  test('an empty result leaves the key; percent signs of the key are safe', () => {
    assert.match(withRoute({ keyFormatter: '' }).says('GET user:1'), /^\*>/);
    assert.match(
      withRoute({ keyFormatter: 'a%KEY%' }).says('GET user:%KEY%'),
      /^\*\[1=auser:%KEY%\]/,
    );
  });

  test('what it does not know stays, and can be asked for', () => {
    assert.deepEqual(unknownSubstitutions('%KEY%:%REQ(x)%:%DOWNSTREAM_LOCAL_PORT%'), ['%REQ(x)%']);
    assert.match(
      withRoute({ keyFormatter: '%REQ(x)%%KEY%' }).says('GET user:1'),
      /^\*\[1=%REQ\(x\)%user:1\]/,
    );
  });
});

test.describe('prefixes', () => {
  test('may be compared without regard to case, which keeps the key as it is', () => {
    const routes = [plainRoute(null, 'redis'), plainRoute('User:', 'copy')];
    const same = new Client(meshOf({ routes, upstreams: TWO }));
    const any = new Client(meshOf({ routes, upstreams: TWO, caseInsensitive: true }));
    assert.equal(same.says('GET uSER:{foo}'), '*>redis/s2.p');
    assert.equal(any.says('GET uSER:{foo}'), '*>copy/s2.p');
    assert.equal(any.says('GET use'), '*>redis/s0.p');
  });

  test('the longest wins, in whatever order they stand', () => {
    const routes = ['a', 'ab', 'abc'].map((prefix) => plainRoute(prefix, prefix));
    const upstreams = { a: clusterOf(1), ab: clusterOf(1), abc: clusterOf(1) };
    const client = new Client(meshOf({ routes, upstreams }));
    assert.equal(client.says('GET abd'), '*>ab/s0.p');
    assert.equal(client.says('GET abcd'), '*>abc/s0.p');
    assert.equal(client.says('GET b'), '-no upstream host');
  });
});

test.describe('read_command_policy', () => {
  test('sends what is not on the write list elsewhere', () => {
    const client = withRoute({ readUpstream: 'copy' });
    assert.match(client.says('GET user:1'), /^\*>copy\//);
    assert.match(client.says('XADD user:1 * a b'), /^\*>copy\//);
    assert.match(client.says('SET user:1 2'), /^\*>redis\//);
    assert.match(client.says('EVAL x 1 user:1'), /^\*>redis\//);
    assert.match(client.says('MGET user:1'), /^get 1>copy\//);
    assert.match(client.says('DEL user:1'), /^= 1>redis\//);
  });
});

test.describe('request_mirror_policy', () => {
  test('copies what is sent, with the key as it is sent, to the owner there', () => {
    const client = withRoute({ strip: 5, mirrors: [mirror()] });
    assert.equal(client.says('SET user:foo 1'), '*[1=foo]>redis/s2.p +copy/s2.p');
    assert.equal(
      client.says('MGET user:foo user:bar'),
      'get 1[1=foo]>redis/s2.p +copy/s2.p | get 2[2=bar]>redis/s0.p +copy/s0.p (mget)',
    );
  });

  test('exclude_read_commands goes by the write list', () => {
    const client = withRoute({ mirrors: [mirror({ excludeReads: true })] });
    assert.doesNotMatch(client.says('GET user:1'), /\+/);
    assert.doesNotMatch(client.says('MGET user:1'), /\+/);
    assert.doesNotMatch(client.says('XADD user:1 * a b'), /\+/);
    assert.match(client.says('SET user:1 1'), /\+copy/);
    assert.match(client.says('TOUCH user:1'), /\+copy/);
    assert.deepEqual(new Set(client.last?.draws), new Set());
  });

  test('runtime_fraction is drawn for each', () => {
    const fraction = { numerator: 250, of: 10_000 } as const;
    const routes = [{ ...plainRoute(null, 'redis'), mirrors: [mirror({ fraction })] }];
    const mesh = meshOf({ routes, upstreams: TWO });
    const below = new Client(mesh, {}, replayRng([249]));
    const notBelow = new Client(mesh, {}, replayRng([250]));
    assert.match(below.says('GET foo'), /\+copy/);
    assert.doesNotMatch(notBelow.says('GET foo'), /\+/);
    assert.deepEqual(notBelow.last?.draws, [250]);
  });

  test('several are drawn in their order', () => {
    const half = { numerator: 50, of: 100 } as const;
    const mirrors = [mirror({ fraction: half }), mirror({ upstream: 'redis', fraction: half })];
    const mesh = meshOf({ routes: [{ ...plainRoute(null, 'redis'), mirrors }], upstreams: TWO });
    assert.equal(
      new Client(mesh, {}, replayRng([99, 0])).says('GET foo'),
      '*>redis/s2.p +redis/s2.p',
    );
  });

  test('without a server of its own there is no copy, nor without one to be copied from', () => {
    const route = { ...plainRoute(null, 'redis'), mirrors: [mirror()] };
    const noMirror = meshOf({ routes: [route], upstreams: { ...TWO, copy: NO_SERVERS } });
    assert.equal(new Client(noMirror).says('GET foo'), '*>s2.p');
    const noRedis = meshOf({ routes: [route], upstreams: { ...TWO, redis: NO_SERVERS } });
    assert.equal(new Client(noRedis).says('GET foo'), '-no upstream host');
  });

  test('a write to one server goes where that is now, whatever it was before', () => {
    const route = { ...plainRoute(null, 'redis'), mirrors: [mirror()] };
    const first = meshOf({ routes: [route], upstreams: { ...TWO, copy: singleServer('a:1') } });
    const command = Command.of(['SET', 'foo', '1']);
    const copies = (upstreams: Readonly<Record<string, Placement>>): (string | undefined)[] => {
      const topology = { version: 1, upstreams };
      const decision = decide(command, topology, first.config, replayRng([]));
      return partsOf(decision).flatMap((part) => part.mirrors.map(({ address }) => address));
    };
    assert.deepEqual(copies({ ...TWO, copy: singleServer('a:1') }), ['a:1']);
    assert.deepEqual(copies({ ...TWO, copy: singleServer('b:1') }), ['b:1']);
    assert.deepEqual(copies({ ...TWO, copy: NO_SERVERS }), []);
    assert.deepEqual(copies(TWO), [primaryOf(2)]);
    assert.deepEqual(copies({ ...TWO, copy: singleServer('a:1') }), ['a:1']);
  });

  test('commands to all shards are copied shard by shard', () => {
    const route = { ...plainRoute(null, 'redis'), mirrors: [mirror()] };
    const client = new Client(
      meshOf({ routes: [route], upstreams: { ...TWO, copy: clusterOf(2) } }),
    );
    assert.equal(
      client.says('KEYS *'),
      '*>redis/s0.p +copy/s0.p | *>redis/s1.p +copy/s1.p | *>redis/s2.p (concat)',
    );
  });

  test('what the mesh would refuse is not copied under --open', () => {
    const route = { ...plainRoute(null, 'redis'), mirrors: [mirror()] };
    const client = new Client(meshOf({ routes: [route], upstreams: TWO, open: true }));
    assert.doesNotMatch(client.says('XREAD STREAMS foo 0'), /\+/);
    assert.doesNotMatch(client.says('LMPOP 1 foo LEFT'), /\+/);
  });
});
