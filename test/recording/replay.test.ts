/** The replay engine on a clock of the test's own, against servers that answer when they like: order, times, bursts, what never comes. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Command } from '../../src/commands/command.js';
import { DEFAULT_TOLERANCES } from '../../src/compare/tolerances.js';
import { seededRng } from '../../src/mesh/rng.js';
import {
  Replay,
  type ReplayItem,
  type ReplayOptions,
  type ReplayOutcome,
  type ReplayResult,
} from '../../src/recording/replay.js';
import { listedItems } from '../../src/recording/replay-plan.js';
import { encodeRequest } from '../../src/resp/encode.js';
import { holds } from '../helpers/check.js';

const OPTIONS: ReplayOptions = {
  speed: 'max',
  order: 'causal',
  maxGapMs: null,
  guardMs: 5000,
  pipeline: true,
  tolerances: DEFAULT_TOLERANCES,
};

/** A clock that goes on when nothing else is to be done. */
class TestClock {
  now = 0;
  private readonly calls: { at: number; call: () => void }[] = [];

  nowMs(): number {
    return this.now;
  }

  after(ms: number, call: () => void): () => void {
    const entry = { at: this.now + ms, call };
    this.calls.push(entry);
    return () => {
      const index = this.calls.indexOf(entry);
      if (index !== -1) this.calls.splice(index, 1);
    };
  }

  /** Lets time pass until nothing is waited for. */
  async run(): Promise<void> {
    for (;;) {
      await Promise.resolve();
      this.calls.sort((a, b) => a.at - b.at);
      const next = this.calls.shift();
      if (next === undefined) return;
      this.now = Math.max(this.now, next.at);
      next.call();
    }
  }
}

function item(
  seq: number,
  connection: number,
  atMs: number,
  ms: number | null,
  name = 'GET',
): ReplayItem {
  const command = Command.of([name, `k${seq}`]);
  return {
    seq,
    atUs: atMs * 1000,
    doneUs: ms === null ? null : (atMs + ms) * 1000,
    connection,
    burst: seq,
    command,
    request: encodeRequest([name, `k${seq}`]),
    expected: ms === null ? null : Buffer.from('+OK\r\n'),
    compared: ms !== null,
    recorded: null,
  };
}

type Played = {
  readonly outcome: ReplayOutcome;
  readonly results: ReplayResult[];
  /** When each number was sent, and when its reply came, ms. */
  readonly sent: Map<number, number>;
  readonly replied: Map<number, number>;
  readonly writes: [connection: number, seqs: number[]][];
  readonly dials: number[];
  readonly closes: number[];
};

/** Replays against servers that take `delayMs` for a command; null: for ever. */
async function play(
  items: readonly ReplayItem[],
  options: Partial<ReplayOptions>,
  delayMs: (seq: number) => number | null,
  during: (replay: Replay, clock: TestClock) => void = () => {},
): Promise<Played> {
  const clock = new TestClock();
  const played = {
    results: [],
    sent: new Map(),
    replied: new Map(),
    writes: [],
    dials: [],
    closes: [],
  } as Omit<Played, 'outcome'>;
  const replay = new Replay(
    listedItems(items),
    (connection, reply) => {
      played.dials.push(connection);
      let lastAt = 0;
      let isClosed = false;
      return {
        send(bytes) {
          const seqs = [...bytes.toString().matchAll(/k(\d+)\r\n/g)].map(([, seq]) => Number(seq));
          played.writes.push([connection, seqs]);
          for (const seq of seqs) {
            played.sent.set(seq, clock.now);
            const delay = delayMs(seq);
            if (delay === null) return;
            lastAt = Math.max(lastAt, clock.now + delay);
            clock.after(lastAt - clock.now, () => {
              if (isClosed) return;
              played.replied.set(seq, clock.now);
              reply(Buffer.from('+OK\r\n'));
            });
          }
        },
        close() {
          isClosed = true;
          played.closes.push(connection);
        },
      };
    },
    { ...OPTIONS, ...options },
    clock,
    (result) => played.results.push(result),
  );
  const running = replay.run();
  during(replay, clock);
  await clock.run();
  return { ...played, outcome: await running };
}

/** Pairs in which the later command was sent before the reply to the earlier one, though it had come before in the recording. */
function violations(
  items: readonly ReplayItem[],
  { sent, replied }: Played,
  isSameClient: boolean,
): number {
  let found = 0;
  for (const later of items)
    for (const earlier of items) {
      if (earlier.doneUs === null || earlier.doneUs > later.atUs || earlier.seq >= later.seq)
        continue;
      if (isSameClient && earlier.connection !== later.connection) continue;
      if ((sent.get(later.seq) ?? 0) < (replied.get(earlier.seq) ?? 0)) found++;
    }
  return found;
}

/** Random traffic: each client sends its next command at some time, maybe before its last was answered. */
const traffic = fc
  .array(
    fc.record({
      gap: fc.nat(5),
      ms: fc.option(fc.integer({ min: 0, max: 30 }), { freq: 10 }),
      connection: fc.nat(7),
    }),
    {
      minLength: 1,
      maxLength: 60,
    },
  )
  .map((rows) => {
    let at = 0;
    const doneOf = new Map<number, number>();
    return rows.map(({ gap, ms, connection }, i) => {
      at += gap;
      // Replies of one connection come in the order they were asked for.
      const done = ms === null ? null : Math.max(at + ms, doneOf.get(connection) ?? 0);
      if (done !== null) doneOf.set(connection, done);
      return item(i + 1, connection, at, done === null ? null : done - at);
    });
  });

for (const order of ['causal', 'conn', 'serial'] as const) {
  test(`${order}: no command overtakes what it had followed, whatever servers take`, async () => {
    const cases: [readonly ReplayItem[], number][] = [];
    holds(
      fc.property(traffic, fc.integer(), (items, seed) => {
        cases.push([items, seed]);
      }),
      100,
    );
    for (const [items, seed] of cases) {
      for (const speed of ['max', 1, 10] as const) {
        const rng = seededRng(seed);
        const played = await play(items, { order, speed }, () => rng.below(40));
        assert.equal(violations(items, played, order === 'conn'), 0);
        assert.equal(played.outcome.sent, items.length);
        assert.equal(played.results.length, items.length);
        assert.ok(
          played.results.every(
            ({ comparison }) => comparison === null || comparison.kind === 'same',
          ),
        );
      }
    }
  });
}

test('causal order is as parallel as the recording was: much faster than one by one', async () => {
  const items = Array.from({ length: 400 }, (_, i) =>
    item(i + 1, i % 8, Math.floor(i / 8) * 10, 9),
  );
  const causal = await play(items, {}, () => 10);
  const serial = await play(items, { order: 'serial' }, () => 10);
  assert.ok(causal.outcome.durationMs * 7 < serial.outcome.durationMs);
});

test('times are kept, scaled, and silences shortened; lateness is told', async () => {
  const items = [item(1, 1, 1000, 5), item(2, 1, 1100, 5), item(3, 1, 9100, 5)];
  const asRecorded = await play(items, { speed: 1 }, () => 1);
  assert.deepEqual([...asRecorded.sent.values()], [0, 100, 8100]);
  const faster = await play(items, { speed: 10, maxGapMs: 2000 }, () => 1);
  assert.deepEqual([...faster.sent.values()], [0, 10, 210]);
  const slow = await play(items, { speed: 1 }, () => 150);
  assert.deepEqual(
    slow.results.map((result) => result.lateMs),
    [0, 50, 0],
  );
});

test('an even rate, whatever the recorded times; a stop waits for what is on its way', async () => {
  const items = [item(1, 1, 0, 5), item(2, 1, 5000, 5), item(3, 1, 5001, 5)];
  const even = await play(items, { perSecond: 10 }, () => 1);
  assert.deepEqual([...even.sent.values()], [0, 100, 200]);
  const stopped = await play(
    items,
    { speed: 1 },
    () => 150,
    (replay, clock) => clock.after(100, () => replay.stop()),
  );
  assert.deepEqual([...stopped.replied.values()], [150]);
  assert.deepEqual([stopped.outcome.sent, stopped.outcome.durationMs], [1, 150]);
});

test('by step: nothing goes out that was not asked for, in the order of arrival', async () => {
  const items = [item(1, 1, 0, 5), item(2, 2, 0, 5), item(3, 1, 9000, 5)];
  const stepped = await play(
    items,
    { byStep: true },
    () => 1,
    (replay, clock) => {
      clock.after(100, () => replay.allow(1));
      clock.after(200, () => replay.allow(2));
    },
  );
  assert.deepEqual(
    [...stepped.sent],
    [
      [1, 100],
      [2, 200],
      [3, 201],
    ],
  );
});

test('held, it stands still: steps go out one by one, and it goes on from where they led', async () => {
  const items = [item(1, 1, 0, 5), item(2, 2, 1000, 5), item(3, 1, 3000, 5), item(4, 2, 3500, 5)];
  for (const order of ['causal', 'conn'] as const) {
    const moments: number[] = [];
    const { sent, results } = await play(
      items,
      { speed: 1, order },
      () => 1,
      (replay, clock) => {
        clock.after(400, () => replay.hold());
        clock.after(500, () => moments.push(replay.progress.atUs / 1000));
        clock.after(5000, () => replay.allow(1));
        clock.after(6000, () => replay.allow(1));
        clock.after(6100, () => moments.push(replay.progress.atUs / 1000));
        clock.after(7000, () => replay.goOn());
        clock.after(7200, () => moments.push(replay.progress.atUs / 1000));
      },
    );
    assert.deepEqual([...sent.values()], [0, 5000, 6000, 7500]);
    assert.deepEqual(moments, [400, 3000, 3200]);
    assert.deepEqual(
      results.map(({ lateMs }) => lateMs),
      [0, 0, 0, 0],
    );
  }
});

test('the speed is changed on the way, to full speed and back', async () => {
  const items = [0, 1000, 2000, 3000, 4000, 9000].map((atMs, i) => item(i + 1, 1, atMs, 5));
  const { sent } = await play(
    items,
    { speed: 1 },
    () => 10,
    (replay, clock) => {
      clock.after(1500, () => replay.setSpeed(10));
      clock.after(1600, () => replay.setSpeed('max'));
      clock.after(1615, () => replay.setSpeed(0.5));
    },
  );
  // After 1.6 s it is at 2.5 s of the recording; at full speed each waits for the reply before it.
  assert.deepEqual([...sent.values()], [0, 1000, 1550, 1600, 1610, 11615]);
});

test('while it is held nothing is given up; once it goes on, the guard counts', async () => {
  const items = [item(1, 1, 0, 5), item(2, 1, 10, 5)];
  const { outcome, results } = await play(
    items,
    { speed: 1 },
    (seq) => (seq === 1 ? null : 1),
    (replay, clock) => {
      clock.after(5, () => replay.hold());
      clock.after(60_000, () => {
        assert.equal(replay.progress.finished, 0);
        replay.goOn();
      });
    },
  );
  assert.deepEqual([outcome.unorderedFrom, results.length], [1, 2]);
  assert.ok(outcome.durationMs >= 65_000 && outcome.durationMs < 66_000);
});

test('cut, it does not wait: what is on its way counts as nothing', async () => {
  const items = [item(1, 1, 0, 5), item(2, 2, 10, 5), item(3, 1, 20, 5)];
  const left: number[] = [];
  const { outcome, results } = await play(
    items,
    { speed: 1 },
    (seq) => (seq === 2 ? null : 1),
    (replay, clock) => {
      clock.after(15, () => left.push(replay.cut()));
    },
  );
  assert.deepEqual([left, results.length, outcome.sent, outcome.durationMs], [[1], 1, 2, 15]);
});

test('a burst goes out in one write', async () => {
  const items = [item(1, 1, 0, 5), item(2, 1, 0, 6), item(3, 1, 0, 7), item(4, 2, 1, 1)];
  assert.deepEqual((await play(items, {}, () => 3)).writes, [
    [1, [1, 2, 3]],
    [2, [4]],
  ]);
  assert.equal((await play(items, { pipeline: false }, () => 3)).writes.length, 4);
});

test('a reply that never comes: the rest goes on after the guard, and from where on the order is open is told', async () => {
  const items = [item(1, 1, 0, 5), item(2, 2, 10, 5), item(3, 1, 20, 5)];
  const { outcome, results, dials } = await play(items, {}, (seq) => (seq === 1 ? null : 1));
  assert.equal(outcome.unorderedFrom, 1);
  assert.deepEqual(
    results.map(({ item: { seq }, comparison }) => [seq, comparison?.kind]),
    [
      [1, 'missing'],
      [2, 'same'],
      [3, 'same'],
    ],
  );
  assert.deepEqual(dials, [1, 2, 1]);
});

test('what had no reply in the recording is sent and not waited for', async () => {
  const items = [item(1, 1, 0, null, 'BLPOP'), item(2, 2, 10, 5)];
  const { outcome, results } = await play(items, {}, (seq) => (seq === 1 ? null : 1));
  assert.deepEqual([outcome.sent, outcome.unorderedFrom, results.length], [2, null, 2]);
  assert.ok(outcome.durationMs < 1000);
});

test('a connection closes after its last command, as its client had', async () => {
  const { closes, dials } = await play(
    [item(1, 1, 0, 1), item(2, 2, 50, 1), item(3, 3, 90, 1)],
    { speed: 1 },
    () => 1,
  );
  assert.deepEqual(
    [dials, closes],
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  );
});

test('commands that took no time wait for those before them, and not for themselves', async () => {
  const items = [item(1, 1, 5, 0), item(2, 2, 5, 0), item(3, 1, 5, 3), item(4, 2, 8, 0)];
  for (const order of ['causal', 'conn', 'serial'] as const) {
    const { outcome, sent } = await play(items, { order }, () => 2);
    assert.deepEqual([outcome.sent, outcome.unorderedFrom, sent.size], [4, null, 4]);
  }
  assert.deepEqual([...(await play(items, {}, () => 2)).sent.keys()], [1, 2, 3, 4]);
});

test('times that contradict each other do not hold a replay up', async () => {
  const items = [item(1, 1, 50, 5), item(2, 2, 0, 5), item(3, 1, 10, 5)];
  const { outcome } = await play(items, {}, () => 2);
  assert.deepEqual([outcome.sent, outcome.unorderedFrom], [3, 1]);
});

test('nothing to send is done at once', async () => {
  assert.equal((await play([], {}, () => 1)).outcome.sent, 0);
});
