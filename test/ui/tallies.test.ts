/** Counts that the screen makes of every block: against a plain count of the same commands. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Command, slotOf } from 'rmtop';
import { ownerIn } from '../../ui/panes/heat.js';
import { type Count, Sample } from '../../ui/store/count-table.js';
import { Feed } from '../../ui/store/feed.js';
import { BytesTop, type Top } from '../../ui/store/top.js';
import { RANGES, TestStream } from '../helpers/stream.js';

/** Numbers that look random and are the same each time. */
function draws(): (below: number) => number {
  let state = 12345;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

test('keys, prefixes, slots and clients are counted exactly, also while the screen is frozen', () => {
  const stream = new TestStream();
  const feed = new Feed(stream);
  const stop = stream.subscribe(feed);
  const next = draws();
  const keys = new Map<string, number>();
  const slots = new Map<string, number>();
  const clients = new Map<string, number>();
  const add = (map: Map<string, number>, name: string): void => {
    map.set(name, (map.get(name) ?? 0) + 1);
  };
  const makers = [
    (key: string) => ['GET', key],
    (key: string) => ['SET', key, 'v', 'EX', '10'],
    (key: string) => ['MGET', key, `${key}2`, 'other:1'],
    (key: string) => ['EVAL', 'return 1', '2', key, 'b'],
    () => ['PING'],
    (key: string) => ['NOSUCH', key],
  ];
  for (let i = 0; i < 3000; i++) {
    if (i === 1000) feed.freeze();
    if (i === 2000) feed.thaw();
    const argv = (makers[next(makers.length)] as (key: string) => string[])(`k${next(300)}:x`);
    const connection = 1 + next(5);
    const reply = argv[0] === 'NOSUCH' ? '-ERR unknown command\r\n' : '+OK\r\n';
    stream.command({ argv, connection, reply });
    const command = Command.of(argv);
    add(clients, String(connection));
    for (const at of command.keys) {
      add(keys, argv[at] as string);
      add(slots, String(slotOf(Buffer.from(argv[at] as string))));
    }
  }
  stream.flush();
  stop();
  const counts = (top: Top): Map<string, number> =>
    new Map(all(top).map(({ name, calls }) => [name, calls]));
  assert.deepEqual(sorted(counts(feed.tallies.keys)), sorted(keys));
  assert.deepEqual(sorted(counts(feed.tallies.bySlot)), sorted(slots));
  assert.deepEqual(sorted(counts(feed.tallies.clients)), sorted(clients));
  assert.ok(feed.tallies.keys.isExact);
  const refused = [...feed.tallies.refusals.values()];
  assert.deepEqual(
    refused.map(({ command, code }) => [command, code]),
    [['NOSUCH', 'unknown-command']],
  );
  assert.equal(feed.tallies.counted, 3000);
});

function sorted(map: Map<string, number>): (readonly [string, number])[] {
  return [...map].sort(([a], [b]) => a.localeCompare(b));
}

test('redirects are counted by kind, and ASK tells which slots are on their way, until the topology or MOVED says otherwise', () => {
  const stream = new TestStream();
  const feed = new Feed(stream);
  const stop = stream.subscribe(feed);
  const [first, second, third] = RANGES.map(({ primary }) => primary) as [string, string, string];
  const slot = (key: string): number => slotOf(Buffer.from(key));
  // user:42:flags is in slot 13863, price:eur in 14964: both of the third shard.
  for (let i = 0; i < 3; i++) stream.command({ argv: ['GET', 'user:42:flags'], askedTo: first });
  stream.command({ argv: ['GET', 'price:eur'], movedTo: second });
  stream.command({ argv: ['GET', 'plain'] });
  stream.command({ argv: ['GET', 'other'], reply: `-ASK ${slot('other')} ${first}\r\n` });
  stream.flush();
  const { redirects } = feed.tallies;
  const ownerOf = (at: number): string | null => ownerIn(feed.context, at);
  const migrating = (atMs: number): (number | null)[] =>
    redirects.migrating(atMs * 1000, ownerOf).map((each) => each.slot);
  assert.deepEqual([redirects.moved, redirects.asked], [1, 3], 'those that were followed');
  assert.deepEqual([redirects.last?.kind, redirects.last?.slot], ['ASK', slot('other')]);
  assert.deepEqual(
    migrating(10),
    [slot('other'), 13863].sort((a, b) => a - b),
  );
  assert.deepEqual(migrating(70_000), [], 'nothing has been heard of them for a minute');
  const ends = redirects.migrating(10_000, ownerOf).find((each) => each.slot === 13863);
  assert.deepEqual([ends?.from, ends?.to, ends?.key], [third, first, 'user:42:flags']);
  stream.command({ argv: ['GET', 'user:42:flags'], movedTo: first });
  stream.flush();
  assert.deepEqual(migrating(10), [slot('other')], 'it has arrived');
  stop();
});

test('beyond its room, a table keeps the most frequent names, and each count is off by its stated error at most', () => {
  const top = new BytesTop(50);
  const truth = new Map<string, number>();
  const next = draws();
  for (let i = 0; i < 20_000; i++) {
    // A few names are common, a great many are rare.
    const name = next(2) === 0 ? `hot${next(10)}` : `cold${next(5000)}`;
    truth.set(name, (truth.get(name) ?? 0) + 1);
    add(top, name, i * 100, 1);
  }
  assert.equal(top.size, 50);
  assert.ok(!top.isExact);
  for (const { name, calls, error } of all(top)) {
    const real = truth.get(name) ?? 0;
    assert.ok(
      calls >= real && calls - error <= real,
      `${name}: ${calls} +- ${error}, really ${real}`,
    );
  }
  const names = new Set(all(top).map(({ name }) => name));
  assert.equal(names.size, 50, 'no name twice');
  for (let i = 0; i < 10; i++) assert.ok(names.has(`hot${i}`), `hot${i} was lost`);
});

test('a name is found again whatever came and went around it', () => {
  const top = new BytesTop(64);
  const next = draws();
  const present = new Map<number, string>();
  for (let i = 0; i < 30_000; i++) {
    const name = `n${next(400)}`;
    const row = add(top, name, 0, 1);
    if (row !== -1) present.set(row, name);
    const known = [...present][next(present.size)];
    if (known === undefined) continue;
    const [at, knownName] = known;
    assert.equal(top.nameOf(at), knownName);
    assert.equal(top.row(Buffer.from(knownName), 0, knownName.length), at);
  }
});

test('a name has the p99 of its own calls, also when it took the place of another', () => {
  const top = new BytesTop(2);
  const next = draws();
  const samples: number[] = [];
  for (let i = 0; i < 500; i++) {
    const us = 100 + next(50_000);
    samples.push(us);
    add(top, 'a', i, us);
  }
  samples.sort((a, b) => a - b);
  const exact = samples[494] as number;
  const { p99Us } = of(top, 'a');
  assert.ok(p99Us >= exact && p99Us <= exact * (1 + 1 / 32), `${p99Us} for ${exact}`);
  add(top, 'b', 0, 90_000);
  assert.equal(of(top, 'b').p99Us, 90_000, 'of one call it is that one');
  add(top, 'c', 0, 7);
  assert.equal(of(top, 'c').p99Us, 7);
  add(top, 'c', 0, 5);
  assert.equal(of(top, 'c').p99Us, 7, 'nothing of the name whose place it took');
});

test('a rate is that of the last minute: it falls to nothing when nothing comes', () => {
  const top = new BytesTop();
  for (let second = 0; second < 120; second++) add(top, 'a', second * 1e6, 1);
  const [a] = all(top, 120e6);
  assert.ok(Math.abs((a?.rate ?? 0) - 1) < 0.02);
  assert.equal(all(top, 300e6)[0]?.rate, 0);
});

test('the busiest are those with the most calls a second, then the most calls', () => {
  const top = new BytesTop();
  const next = draws();
  // Whoever came a minute ago may have more calls, and is no longer busy.
  for (let i = 0; i < 4000; i++) add(top, `old${next(40)}`, 0, 1);
  for (let i = 0; i < 9000; i++) add(top, `n${next(900)}`, 100e6, 1);
  const inOrder = all(top, 100e6).map(({ name, rate, calls }) => ({ name, rate, calls }));
  assert.equal(inOrder.length, top.size);
  assert.ok(top.size > 900);
  for (const [i, each] of inOrder.entries()) {
    const before = inOrder[i - 1] ?? each;
    assert.ok(
      before.rate > each.rate || (before.rate === each.rate && before.calls >= each.calls),
      `${JSON.stringify(each)} after ${JSON.stringify(before)}`,
    );
  }
  for (const many of [0, 1, 3, 200]) {
    const few = top.busiest(many, 100e6).map(({ rate, count }) => [rate, count.calls]);
    assert.deepEqual(
      few,
      inOrder.slice(0, many).map(({ rate, calls }) => [rate, calls]),
    );
  }
});

test('prefixes are counted anew when another delimiter is chosen', () => {
  const stream = new TestStream();
  const feed = new Feed(stream);
  const stop = stream.subscribe(feed);
  const { keys, prefixes } = feed.tallies;
  const some = (): void => {
    for (const key of ['a:b/c', 'a:d/e', 'f/g', ':h', 'plain'])
      stream.command({ argv: ['GET', key] });
    stream.flush();
  };
  const counted = (): (readonly [string, number])[] =>
    sorted(new Map(all(prefixes).map(({ name, calls }) => [name, calls])));
  some();
  assert.deepEqual(counted(), [['a', 2]]);
  keys.delimiter = '/';
  some();
  assert.deepEqual(counted(), [
    ['a:b', 1],
    ['a:d', 1],
    ['f', 1],
  ]);
  assert.equal(keys.count(0).calls, 2, 'keys are counted on');
  stop();
});

const SAMPLE = new Sample();

/** Counts one call of `name`, and gives its row; -1: it has none. */
function add(top: BytesTop, name: string, atUs: number, us: number): number {
  const row = top.row(Buffer.from(name), 0, name.length);
  if (row !== -1) top.add(row, SAMPLE.set(atUs, false, false, 1, us));
  return row;
}

function of(top: BytesTop, name: string): Count {
  return top.count(top.row(Buffer.from(name), 0, name.length));
}

/** Plainly: what was counted of each, the busiest first. */
function all(top: Top, nowUs = 0): (Count & { readonly name: string; readonly rate: number })[] {
  return top.busiest(top.size, nowUs).map(({ name, rate, count }) => ({ ...count, name, rate }));
}
