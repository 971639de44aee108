/** Laws of `decide`: the same inputs give the same decision, and its own draws give it again. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Command, NEW_SESSION } from '../../src/commands/command.js';
import { NEWEST_ENVOY } from '../../src/mesh/config.js';
import { decide, decideBriefly } from '../../src/mesh/decide.js';
import { type Decision, isOpened, partsOf } from '../../src/mesh/decision.js';
import { decisiveSlot } from '../../src/mesh/decisive.js';
import { replayRng, seededRng } from '../../src/mesh/rng.js';
import { type Placement, serversOf } from '../../src/mesh/topology.js';
import { bytes } from '../helpers/arbitraries.js';
import { holds } from '../helpers/check.js';
import { meshOf, withoutReasons } from '../helpers/mesh.js';
import { anyKey, anyMesh, anySession, anyWords } from '../helpers/mesh-arbitraries.js';

test('the same inputs give the same decision', () => {
  holds(
    fc.property(
      anyWords,
      anySession,
      anyMesh,
      fc.nat(),
      (words, view, { topology, config }, seed) => {
        const once = decide(Command.of(words, view), topology, config, seededRng(seed));
        const again = decide(
          Command.of(words.map(Buffer.from), { ...view }),
          topology,
          config,
          seededRng(seed),
        );
        assert.deepEqual(again, once);
      },
    ),
    2000,
  );
});

test('the replay law: a decision’s own draws give it again', () => {
  holds(
    fc.property(
      anyWords,
      anySession,
      anyMesh,
      fc.nat(),
      (words, view, { topology, config }, seed) => {
        const decision = decide(Command.of(words, view), topology, config, seededRng(seed));
        assert.deepEqual(
          decide(Command.of(words, view), topology, config, replayRng(decision.draws)),
          decision,
        );
      },
    ),
    4000,
  );
});

test('what is decided briefly is the same but for the reasons', () => {
  holds(
    fc.property(
      anyWords,
      anySession,
      anyMesh,
      fc.nat(),
      (words, view, { topology, config }, seed) => {
        const whole = decide(Command.of(words, view), topology, config, seededRng(seed));
        const brief = decideBriefly(Command.of(words, view), topology, config, seededRng(seed));
        assert.deepEqual(withoutReasons(brief), withoutReasons(whole));
        assert.equal(isOpened(brief), isOpened(whole));
      },
    ),
    4000,
  );
});

test('where name and slot say all, commands of the same row and slot are decided alike', () => {
  let known = 0;
  holds(
    fc.property(
      fc.tuple(fc.constantFrom('GET', 'SET', 'hget', 'TYPE', 'PING'), anyKey, bytes),
      fc.tuple(fc.constantFrom('GET', 'SET', 'hget', 'TYPE', 'PING'), anyKey, bytes),
      anySession,
      anySession,
      anyMesh,
      (one, other, view, otherView, any) => {
        const { topology, config } = meshOf({
          readPolicy: any.config.settings.readPolicy,
          open: any.config.open,
          envoy: any.config.envoy,
          upstreams: { redis: any.topology.upstreams.a as Placement },
        });
        const commands = [
          Command.of([Buffer.from(one[0]), ...one.slice(1)], view),
          Command.of([Buffer.from(one[0]), ...other.slice(1)], otherView),
        ] as const;
        const slots = commands.map((command) => decisiveSlot(command, topology, config));
        if (slots[0] === -1 || slots[0] !== slots[1]) return;
        known++;
        const [first, second] = commands.map((command) =>
          decide(command, topology, config, seededRng(1)),
        ) as [Decision, Decision];
        assert.deepEqual(withoutReasons(second), withoutReasons(first));
        assert.equal(partsOf(first)[0]?.to?.slot ?? slots[0], slots[0]);
        assert.deepEqual(chosen(second), chosen(first));
      },
    ),
    8000,
  );
  assert.ok(known > 20, `${known} pairs in one slot`);
});

function chosen(decision: Decision): unknown {
  return partsOf(decision).map(({ why }) => why.filter(({ stage }) => stage === 'choose'));
}

test('a decision is plain data: it survives JSON', () => {
  holds(
    fc.property(anyWords, anySession, anyMesh, (words, view, { topology, config }) => {
      const decision = decide(Command.of(words, view), topology, config, seededRng(1));
      assert.deepEqual(JSON.parse(JSON.stringify(decision)), decision);
    }),
    1000,
  );
});

test('values never route: only names, counts, keys and the session do', () => {
  holds(
    fc.property(
      fc.constantFrom('SET', 'HSET', 'LPUSH', 'GETRANGE', 'XADD', 'PUBLISH', 'MSET'),
      anyKey,
      fc.array(bytes, { minLength: 2, maxLength: 2 }),
      fc.array(bytes, { minLength: 2, maxLength: 2 }),
      anyMesh,
      (name, at, some, other, { topology, config }) => {
        const make = (values: Buffer[]): Command =>
          Command.of(
            name === 'MSET'
              ? [name, at, values[0] as Buffer, at, values[1] as Buffer]
              : [name, at, ...values],
          );
        if (config.settings.protocolVersion === 3 || config.envoy < NEWEST_ENVOY) return; // refusals may echo
        assert.deepEqual(
          decide(make(some), topology, config, seededRng(1)),
          decide(make(other), topology, config, seededRng(1)),
        );
      },
    ),
    500,
  );
});

test('a server that is decided on is one of the topology, or the one a connection is pinned to', () => {
  holds(
    fc.property(
      anyWords,
      anySession,
      anyMesh,
      fc.nat(),
      (words, view, { topology, config }, seed) => {
        for (const { to } of partsOf(
          decide(Command.of(words, view), topology, config, seededRng(seed)),
        )) {
          if (to === null) continue;
          const known = serversOf(topology.upstreams[to.upstream] as Placement).map(
            (server) => server.address,
          );
          assert.ok([...known, view.pinned, view.home].includes(to.address), to.address);
        }
      },
    ),
    2000,
  );
});

test('positions of arguments that are sent are there', () => {
  holds(
    fc.property(anyWords, anySession, anyMesh, (words, view, { topology, config }) => {
      for (const { args } of partsOf(
        decide(Command.of(words, view), topology, config, seededRng(1)),
      )) {
        if (args !== 'all') assert.ok(args.every((at) => at > 0 && at < words.length));
      }
    }),
    1000,
  );
});

test('NEW_SESSION is a session like any other', () => {
  const { topology, config } = meshOf();
  assert.deepEqual(
    decide(Command.of(['GET', 'foo']), topology, config, seededRng(1)),
    decide(Command.of(['GET', 'foo'], { ...NEW_SESSION }), topology, config, seededRng(2)),
  );
});
