/** Envoy's faults (mesh page, 8) and rmtop's rules: which hits, by which draw, and what it comes to. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { FaultRule, MeshFault } from '../../src/mesh/config.js';
import { isStopped } from '../../src/mesh/decision.js';
import { type Rng, replayRng } from '../../src/mesh/rng.js';
import { Client, type MeshOptions, meshOf } from '../helpers/mesh.js';

const ERROR = { kind: 'error', text: 'Fault Injected: Error', delayMs: 0, at: 'request' } as const;
const DELAY = { kind: 'delay', ms: 50, jitterMs: 0, at: 'reply' } as const;

function fault(
  id: string,
  percent: number,
  commands: string[],
  more: Partial<MeshFault> = {},
): MeshFault {
  return { id, on: true, percent, commands, action: ERROR, ...more };
}

/** The id of the fault that hits `line` when `roll` is drawn. */
function hit(
  faults: readonly MeshFault[],
  line: string,
  roll: number,
  more: MeshOptions = {},
): string | null {
  const client = new Client(meshOf({ faults, ...more }), {}, replayRng([roll]));
  client.says(line);
  return client.last?.fault?.id ?? null;
}

test.describe("Envoy's faults", () => {
  test('percentages of a command add up over one draw', () => {
    const faults = [fault('m1', 20, ['get']), fault('m2', 30, ['get'])];
    assert.equal(hit(faults, 'GET k', 19), 'm1');
    assert.equal(hit(faults, 'GET k', 20), 'm2');
    assert.equal(hit(faults, 'GET k', 49), 'm2');
    assert.equal(hit(faults, 'GET k', 50), null);
  });

  test('a named command has its own faults first, then the nameless; others only those', () => {
    const faults = [fault('m1', 10, []), fault('m2', 10, ['get']), fault('m3', 10, ['set'])];
    assert.equal(hit(faults, 'GET k', 5), 'm2');
    assert.equal(hit(faults, 'GET k', 15), 'm1');
    assert.equal(hit(faults, 'GET k', 25), null);
    assert.equal(hit(faults, 'HGET k f', 5), 'm1');
    assert.equal(hit(faults, 'HGET k f', 15), null);
  });

  test('by the first word, in any case; parts of a split command by the whole', () => {
    const faults = [fault('m1', 100, ['get', 'config'])];
    assert.equal(hit(faults, 'gEt k', 99), 'm1');
    assert.equal(hit(faults, 'CONFIG GET x', 99), 'm1');
    assert.equal(hit(faults, 'MGET k', 99), null);
  });

  test('not on what the proxy answers or refuses before', () => {
    const faults = [fault('m1', 100, [])];
    for (const line of ['PING', 'ECHO x', 'TIME', 'QUIT', 'AUTH x', 'HELLO 2', 'CLIENT SETNAME x'])
      assert.equal(hit(faults, line, 0), null, line);
    assert.equal(hit(faults, 'BLPOP k 0', 0), null);
    assert.equal(hit(faults, 'GET', 0), null);
    assert.equal(
      hit(faults, 'GET k', 0, { credentials: { username: null, passwords: ['x'] } }),
      null,
    );
    assert.equal(hit(faults, 'BLPOP k 0', 0, { open: true }), null);
  });

  test('one that is off draws nothing', () => {
    const client = new Client(meshOf({ faults: [fault('m1', 100, [], { on: false })] }));
    client.says('GET k');
    assert.deepEqual([client.last?.fault, client.last?.draws], [null, []]);
  });

  test('an ERROR stops the command, a DELAY does not', () => {
    const client = new Client(
      meshOf({ faults: [fault('m1', 100, ['get']), fault('m2', 100, ['set'], { action: DELAY })] }),
    );
    client.says('GET k');
    assert.ok(client.last && isStopped(client.last));
    assert.equal(client.last.fault?.error, 'Fault Injected: Error');
    client.says('SET k v');
    assert.ok(client.last && !isStopped(client.last));
    assert.equal(client.last.fault?.ms, 50);
  });
});

function rule(id: string, more: Partial<FaultRule> = {}): FaultRule {
  return { id, on: true, percent: 100, scope: '', action: ERROR, seed: 1, max: null, ...more };
}

/** Draws `rolls` for rules, in order; -1 is out of scope. */
function rolls(...values: number[]): Rng {
  return { below: () => 0, rule: () => values.shift() ?? -1 };
}

test.describe("rmtop's rules", () => {
  test('each draws for itself, in order, and the first that hits is the one', () => {
    const rules = [rule('t1', { percent: 5 }), rule('t2', { percent: 0.5 }), rule('t3')];
    const client = new Client(meshOf({ rules }), {}, rolls(5000, 499, 0));
    client.says('GET k');
    assert.equal(client.last?.fault?.id, 't2');
    assert.deepEqual(client.last?.draws, [5000, 499]);
    assert.deepEqual(
      client.last?.why.map((reason) => [reason.stage, reason.code]),
      [
        ['fault', 'rule'],
        ['fault', 'rule'],
      ],
    );
  });

  test('out of scope leaves no trace', () => {
    const client = new Client(meshOf({ rules: [rule('t1')] }), {}, rolls(-1));
    client.says('GET k');
    assert.deepEqual([client.last?.fault, client.last?.why, client.last?.draws], [null, [], []]);
  });

  test("Envoy's own fault comes before them", () => {
    const mesh = meshOf({ faults: [fault('m1', 100, [])], rules: [rule('t1')] });
    const client = new Client(mesh, {}, rolls(0));
    client.says('GET k');
    assert.equal(client.last?.fault?.id, 'm1');
  });

  test('a redirect leads to a server that does not own the slot, or where it is told to', () => {
    const say = (action: FaultRule['action']): string | undefined => {
      const client = new Client(meshOf({ rules: [rule('t1', { action })] }), {}, rolls(0));
      client.says('GET foo');
      return client.last?.fault?.error ?? undefined;
    };
    assert.equal(say({ kind: 'moved', to: null }), 'MOVED 12182 10.0.0.0:6379');
    assert.equal(say({ kind: 'ask', to: '10.9.9.9:1' }), 'ASK 12182 10.9.9.9:1');
    assert.equal(say({ kind: 'down' }), 'upstream failure');
  });

  test('jitter is drawn about the middle', () => {
    const action = { kind: 'delay', ms: 50, jitterMs: 10, at: 'request' } as const;
    const drawn = (below: number): number | null | undefined => {
      const client = new Client(
        meshOf({ rules: [rule('t1', { action })] }),
        {},
        {
          below: (n) => Math.min(below, n - 1),
          rule: () => 0,
        },
      );
      client.says('GET foo');
      return client.last?.fault?.ms;
    };
    assert.deepEqual([drawn(0), drawn(10), drawn(99)], [40, 50, 60]);
  });

  test('they concern what --open forwards too', () => {
    const client = new Client(meshOf({ rules: [rule('t1')], open: true }), {}, rolls(0));
    client.says('BLPOP k 0');
    assert.equal(client.last?.fault?.id, 't1');
    assert.equal(client.last?.why[0]?.code, 'opened');
  });

  test('the same draws make the same decision again', () => {
    const rules = [
      rule('t1', { percent: 1 }),
      rule('t2', { action: { kind: 'delay', ms: 9, jitterMs: 4, at: 'reply' } }),
    ];
    const mesh = meshOf({ rules, readPolicy: 'ANY' });
    const first = new Client(mesh, {}, { below: (n) => n - 1, rule: () => 60_000 });
    first.says('GET foo');
    const again = new Client(mesh, {}, replayRng(first.last?.draws ?? []));
    again.says('GET foo');
    assert.deepEqual(again.last, first.last);
  });
});
