/** The stream to its consumers: who comes late gets the state, who is slow loses whole blocks and is told, who must lose nothing does not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Consumer, EventBus } from '../../src/events/bus.js';
import type { CommandEvent, OtherEvent, TrafficEvent } from '../../src/events/event.js';
import { Block, StreamContext } from '../../src/events/reader.js';
import { readEvents, readOnly } from '../../src/events/subscribe.js';
import { clusterOf, type Mesh, meshOf, primaryOf, replicaOf } from '../helpers/mesh.js';
import { noteOf, stateOf } from '../helpers/notes.js';

/** A consumer that keeps what it gets, has room while `room` is positive, and decodes with what it was told. */
class Reader implements Consumer {
  readonly lossless: boolean;
  behind = false;
  room = Number.POSITIVE_INFINITY;
  blocks = 0;
  readonly events: TrafficEvent[] = [];
  private readonly context = new StreamContext();

  constructor(lossless = false) {
    this.lossless = lossless;
  }

  accept(bytes: ArrayBuffer, used: number): boolean {
    if (this.room <= 0) return false;
    this.room--;
    this.blocks++;
    const block = new Block(bytes, used);
    block.walk((_kind, offset) => {
      if (block.isCommand(offset)) this.events.push(block.command(offset, this.context));
      else {
        const event = block.other(offset);
        this.context.learn(event);
        this.events.push(event);
      }
    });
    return true;
  }

  get commands(): CommandEvent[] {
    return this.events.flatMap((event) => (event.type === 'command' ? [event] : []));
  }

  get seqs(): number[] {
    return this.commands.map((event) => event.seq);
  }

  others<T extends OtherEvent['type']>(type: T): Extract<OtherEvent, { type: T }>[] {
    return this.events.filter(
      (event): event is Extract<OtherEvent, { type: T }> => event.type === type,
    );
  }
}

const MESH = meshOf();

/** A bus that knows its mesh, told in the order of the proxy: the header is not the first it hears, but the first it says. */
function startBus(mesh: Mesh = MESH): EventBus {
  const bus = new EventBus();
  for (const event of stateOf(mesh)) bus.other(event);
  bus.other({
    type: 'hello',
    atUs: 0,
    startedAt: '2026-11-21T00:00:00.000000Z',
    listen: ['127.0.0.1:1'],
    upstream: 'seed:6379',
  });
  return bus;
}

function session(connection: number): OtherEvent {
  return {
    type: 'session',
    atUs: 0,
    connection,
    state: 'opened',
    address: `127.0.0.1:${connection}`,
    name: null,
    library: null,
    resp: 2,
  };
}

function closed(connection: number): OtherEvent {
  return { type: 'session-closed', atUs: 0, connection, by: 'client', error: null };
}

/** A finished GET of key:seq. */
function say(bus: EventBus, seq: number, size = 0, mesh: Mesh = MESH): void {
  bus.command(noteOf(['SET', `key:${seq}`, 'v'.repeat(size)], mesh, { seq }).note, 10);
}

test.describe('a consumer that comes late', () => {
  test('gets the state first: hello, configuration, topology, open sessions', () => {
    const bus = startBus();
    for (const connection of [1, 2, 3]) bus.other(session(connection));
    bus.other(closed(2));
    bus.other({ type: 'log', atUs: 0, level: 'info', text: 'past', next: null });
    say(bus, 1);
    const reader = new Reader();
    bus.subscribe(reader);
    assert.deepEqual(
      reader.events.map((event) =>
        event.type === 'session' ? `session ${event.connection}` : event.type,
      ),
      ['hello', 'config', 'topology', 'session 1', 'session 3'],
    );
    say(bus, 2);
    bus.flush();
    assert.deepEqual(reader.seqs, [2]);
    assert.equal(reader.commands[0]?.decision.action.kind, 'forward');
  });

  test('gets the latest of a session, once', () => {
    const bus = startBus();
    bus.other(session(1));
    bus.other({ ...session(1), state: 'changed', name: 'worker' } as OtherEvent);
    const reader = new Reader();
    bus.subscribe(reader);
    assert.deepEqual(
      reader.others('session').map((each) => each.name),
      ['worker'],
    );
  });

  test('gets the numbers that servers already have', () => {
    const bus = startBus();
    const early = new Reader();
    bus.subscribe(early);
    const attempt = (seq: number, address: string): void => {
      const attempts = [{ part: 0, address, kind: 'decided' as const, sentUs: 1001, doneUs: 1002 }];
      bus.command(noteOf(['GET', 'foo'], MESH, { seq, attempts }).note, 1);
    };
    attempt(1, primaryOf(2));
    attempt(2, replicaOf(2));
    const late = new Reader();
    bus.subscribe(late);
    attempt(3, replicaOf(2));
    attempt(4, primaryOf(1));
    attempt(5, primaryOf(2));
    bus.flush();
    const servers = (reader: Reader): (string | undefined)[] =>
      reader.commands.map((event) => event.attempts[0]?.address);
    assert.deepEqual(servers(early), [
      primaryOf(2),
      replicaOf(2),
      replicaOf(2),
      primaryOf(1),
      primaryOf(2),
    ]);
    assert.deepEqual(servers(late), [replicaOf(2), primaryOf(1), primaryOf(2)]);
  });

  test('can decode commands that were decided before the topology changed', () => {
    const before = meshOf({ upstreams: { redis: clusterOf(3) } });
    const after = meshOf({ upstreams: { redis: clusterOf(1) } });
    const bus = startBus(before);
    const { note, decision } = noteOf(['GET', 'foo'], before, { seq: 1 });
    const [, topology] = stateOf(after);
    assert.ok(topology?.type === 'topology');
    bus.other({ ...topology, version: note.topologyVersion + 1 });
    const reader = new Reader();
    bus.subscribe(reader);
    bus.command(note, 1);
    bus.flush();
    assert.deepEqual(reader.commands[0]?.decision, decision);
  });

  test('is not told of versions without end', () => {
    const bus = startBus();
    const [, topology] = stateOf(MESH);
    assert.ok(topology?.type === 'topology');
    for (let version = 8; version <= 500; version++) bus.other({ ...topology, version });
    const reader = new Reader();
    bus.subscribe(reader);
    assert.deepEqual(
      reader.others('topology').map((each) => each.version),
      [493, 494, 495, 496, 497, 498, 499, 500],
    );
  });

  test('gets all of a state that one block does not hold, and others get none of it', () => {
    const bus = startBus();
    const early = new Reader();
    bus.subscribe(early);
    for (let connection = 1; connection <= 4000; connection++) bus.other(session(connection));
    bus.flush();
    const events = early.events.length;
    const late = new Reader();
    bus.subscribe(late);
    assert.equal(late.others('session').length, 4000);
    assert.ok(late.blocks > 1);
    bus.flush();
    assert.equal(early.events.length, events);
  });

  test('who has no room for the state gets it when there is some, and a gap before it', () => {
    const bus = startBus();
    const reader = new Reader();
    reader.room = 0;
    bus.subscribe(reader);
    say(bus, 1);
    say(bus, 2);
    bus.flush();
    reader.room = 100;
    say(bus, 3);
    bus.flush();
    assert.deepEqual(
      reader.events.map((event) => event.type),
      ['gap', 'hello', 'config', 'topology', 'command'],
    );
    assert.deepEqual(
      reader.others('gap').map(({ dropped, from, to }) => [dropped, from, to]),
      [[2, 1, 2]],
    );
  });
});

test.describe('a consumer that is slow', () => {
  test('loses whole blocks, and is told how many commands and which', () => {
    const bus = startBus();
    const reader = new Reader();
    bus.subscribe(reader);
    const block = (...seqs: number[]): void => {
      for (const seq of seqs) say(bus, seq);
      bus.flush();
    };
    block(1, 2);
    reader.room = 0;
    block(3, 5);
    block(4, 7, 6);
    reader.room = 100;
    block(8);
    block(9);
    assert.deepEqual(reader.seqs, [1, 2, 8, 9]);
    assert.deepEqual(
      reader.others('gap').map(({ dropped, from, to }) => [dropped, from, to]),
      [[5, 3, 7]],
    );
    const at = reader.events.findIndex((event) => event.type === 'gap');
    assert.deepEqual(
      [reader.events[at - 1], reader.events[at + 1]].map((event) => event?.type),
      ['command', 'hello'],
      'the gap stands where the loss was',
    );
  });

  test('is told of each gap once', () => {
    const bus = startBus();
    const reader = new Reader();
    bus.subscribe(reader);
    for (let seq = 1; seq <= 9; seq++) {
      reader.room = seq % 3 === 0 ? 100 : 0;
      say(bus, seq);
      bus.flush();
    }
    assert.deepEqual(reader.seqs, [3, 6, 9]);
    assert.deepEqual(
      reader.others('gap').map(({ dropped, from, to }) => [dropped, from, to]),
      [
        [2, 1, 2],
        [2, 4, 5],
        [2, 7, 8],
      ],
    );
  });

  test('understands what comes after the gap: servers and topologies that were named in it are named again', () => {
    const bus = startBus();
    const reader = new Reader();
    bus.subscribe(reader);
    reader.room = 0;
    const [, topology] = stateOf(meshOf({ upstreams: { redis: clusterOf(1) } }));
    assert.ok(topology?.type === 'topology');
    const newer = { ...MESH, topology: { version: 8, upstreams: { redis: clusterOf(1) } } };
    bus.other({ ...topology, version: 8 });
    const attempts = [
      { part: 0, address: '9.9.9.9:9', kind: 'decided' as const, sentUs: 1001, doneUs: 1002 },
    ];
    bus.command(noteOf(['GET', 'foo'], newer, { seq: 1, attempts }).note, 1);
    bus.other(session(5));
    bus.flush();
    reader.room = 100;
    const { note, decision } = noteOf(['GET', 'foo'], newer, { seq: 2, attempts });
    bus.command(note, 1);
    bus.flush();
    const [event] = reader.commands;
    assert.deepEqual([event?.seq, event?.attempts[0]?.address], [2, '9.9.9.9:9']);
    assert.deepEqual(event?.decision, decision);
    assert.equal(reader.others('session').length, 1);
  });

  test('that lost no command is told of no gap, but of the state', () => {
    const bus = startBus();
    const reader = new Reader();
    bus.subscribe(reader);
    reader.room = 0;
    bus.other(session(1));
    bus.flush();
    reader.room = 100;
    say(bus, 1);
    bus.flush();
    assert.deepEqual(reader.others('gap'), []);
    assert.deepEqual(
      reader.others('session').map((each) => each.connection),
      [1],
    );
  });

  test('gets nothing more while it is behind, once it has lost something', () => {
    const bus = startBus();
    const reader = new Reader();
    bus.subscribe(reader);
    reader.room = 0;
    say(bus, 1);
    bus.flush();
    reader.room = 100;
    reader.behind = true;
    say(bus, 2);
    bus.flush();
    assert.deepEqual(reader.seqs, []);
    reader.behind = false;
    say(bus, 3);
    bus.flush();
    assert.deepEqual(reader.seqs, [3]);
    assert.deepEqual(
      reader.others('gap').map(({ dropped, from, to }) => [dropped, from, to]),
      [[2, 1, 2]],
    );
  });

  test('costs the others nothing', () => {
    const bus = startBus();
    const slow = new Reader();
    const quick = new Reader();
    const lossless = new Reader(true);
    for (const reader of [slow, quick, lossless]) bus.subscribe(reader);
    slow.room = 0;
    for (let seq = 1; seq <= 3000; seq++) say(bus, seq, 300);
    bus.flush();
    const all = Array.from({ length: 3000 }, (_, i) => i + 1);
    assert.deepEqual(quick.seqs, all);
    assert.deepEqual(lossless.seqs, all);
    assert.deepEqual(slow.seqs, []);
  });
});

test.describe('a consumer that must lose nothing', () => {
  test('that is behind makes the bus congested, another does not', () => {
    const bus = startBus();
    const slow = new Reader();
    const lossless = new Reader(true);
    bus.subscribe(slow);
    const stop = bus.subscribe(lossless);
    slow.behind = true;
    assert.equal(bus.congested, false);
    lossless.behind = true;
    assert.equal(bus.congested, true);
    say(bus, 1);
    bus.flush();
    assert.deepEqual(lossless.seqs, [1], 'it still gets everything');
    lossless.behind = false;
    assert.equal(bus.congested, false);
    lossless.behind = true;
    stop();
    assert.equal(bus.congested, false, 'gone');
  });
});

test.describe('blocks', () => {
  test('belong to whom they are given', () => {
    const bus = startBus();
    const vandal: Consumer = {
      lossless: false,
      behind: false,
      accept(block) {
        new Uint8Array(block).fill(0xff);
        return true;
      },
    };
    const before = new Reader();
    const after = new Reader();
    bus.subscribe(before);
    bus.subscribe(vandal);
    bus.subscribe(after);
    for (let seq = 1; seq <= 5; seq++) {
      say(bus, seq);
      bus.flush();
    }
    assert.deepEqual(before.seqs, [1, 2, 3, 4, 5]);
    assert.deepEqual(after.seqs, [1, 2, 3, 4, 5]);
  });

  test('are filled again where a consumer has one to spare, and what stood in them does not show', () => {
    const bus = startBus();
    const spares: ArrayBuffer[] = [];
    const seen = new Set<ArrayBuffer>();
    class Sparing extends Reader {
      override accept(bytes: ArrayBuffer, used: number): boolean {
        seen.add(bytes);
        const isTaken = super.accept(bytes.slice(0), used);
        new Uint8Array(bytes).fill(0xff);
        spares.push(bytes);
        return isTaken;
      }

      spare(): ArrayBuffer | undefined {
        return spares.pop();
      }
    }
    const reader = new Sparing();
    bus.subscribe(reader);
    for (let seq = 1; seq <= 3000; seq++) say(bus, seq, seq % 500);
    bus.flush();
    assert.deepEqual(
      reader.seqs,
      Array.from({ length: 3000 }, (_, i) => i + 1),
    );
    assert.ok(reader.commands.every(({ args, seq }) => args[2]?.bytes.length === seq % 500));
    assert.ok(seen.size <= 3, `${seen.size} blocks`);
  });

  test('are handed over when they are full, and 50 ms after their first event', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const bus = startBus();
    const reader = new Reader();
    bus.subscribe(reader);
    const before = reader.blocks;
    for (let seq = 1; seq <= 900; seq++) say(bus, seq, 300);
    assert.equal(reader.blocks, before + 1, 'a full one at once');
    assert.ok(reader.seqs.length < 900);
    t.mock.timers.tick(49);
    assert.equal(reader.blocks, before + 1);
    t.mock.timers.tick(1);
    assert.equal(reader.seqs.length, 900);
    t.mock.timers.tick(1000);
    assert.equal(reader.blocks, before + 2, 'an empty one never');
  });

  test('of nobody are forgotten', () => {
    const bus = startBus();
    for (let seq = 1; seq <= 100_000; seq++) say(bus, seq);
    const reader = new Reader();
    bus.subscribe(reader);
    assert.deepEqual(reader.seqs, []);
    assert.equal(reader.blocks, 1);
  });

  test('come no more after the end', () => {
    const bus = startBus();
    const reader = new Reader();
    const stop = bus.subscribe(reader);
    say(bus, 1);
    stop();
    say(bus, 2);
    bus.flush();
    assert.deepEqual(reader.seqs, [1], 'but those from before it');
  });
});

test('who reads events one by one never makes clients wait', () => {
  const bus = startBus();
  readEvents(bus, () => {}, true);
  assert.equal(bus.congested, false);
});

test('events one by one, in order, the state first', () => {
  const bus = startBus();
  const seen: string[] = [];
  const stop = readEvents(bus, (event) =>
    seen.push(event.type === 'command' ? `command ${event.seq}` : event.type),
  );
  say(bus, 1);
  bus.other(session(1));
  say(bus, 2);
  stop();
  say(bus, 3);
  bus.flush();
  assert.deepEqual(seen, ['hello', 'config', 'topology', 'command 1', 'session', 'command 2']);
});

test('who wants some events only: where nobody wants more, nothing else is written', () => {
  const bus = startBus();
  const logs: string[] = [];
  const stop = readOnly(bus, ['log'], (event) => logs.push(event.text));
  const say = (text: string): void =>
    bus.other({ type: 'log', atUs: 1, level: 'info', text, next: null });
  const pinned = primaryOf(1);
  const done = (seq: number): void =>
    bus.command(noteOf(['GET', 'k'], MESH, { seq, pinned }).note, 5);
  done(1);
  assert.equal(bus.wants('mirror'), false);
  say('one');
  bus.flush();
  assert.deepEqual(logs, ['one']);
  const everything = new Reader();
  bus.subscribe(everything);
  assert.equal(bus.wants('mirror'), true);
  done(2);
  say('two');
  bus.flush();
  assert.deepEqual(logs, ['one', 'two']);
  assert.deepEqual(everything.seqs, [2]);
  assert.equal(everything.commands[0]?.command.session.pinned, pinned);
  assert.deepEqual(
    everything.others('log').map((event) => event.text),
    ['two'],
  );
  stop();
  say('three');
  bus.flush();
  assert.deepEqual(logs, ['one', 'two']);
});
