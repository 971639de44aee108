/** Recordings played: the events are those of the live stream, at their times, and from any moment on as they were then. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { RmtopError } from '../../src/errors.js';
import type { CommandEvent, TrafficEvent } from '../../src/events/event.js';
import { readEvents } from '../../src/events/subscribe.js';
import type { ProxyHandle } from '../../src/proxy/proxy.js';
import { INDEXED_BYTES, indexOf, stateAt } from '../../src/recording/file-index.js';
import { openPlayback, type Playback } from '../../src/recording/playback.js';
import { openRecording } from '../../src/recording/reader.js';
import { folder, RECORDINGS, readAll } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';

const SESSION = path.join(RECORDINGS, 'session.rmtop');

/** Real timers, and a clock of the test's own: it stands still until it is moved. */
class HandClock {
  now = 0;
  private readonly calls = new Set<{ at: number; call: () => void }>();

  nowMs(): number {
    return this.now;
  }

  after(ms: number, call: () => void): () => void {
    const entry = { at: this.now + ms, call };
    this.calls.add(entry);
    return () => this.calls.delete(entry);
  }

  get waits(): boolean {
    return this.calls.size > 0;
  }

  move(ms: number): void {
    this.now += ms;
    for (const entry of [...this.calls]) {
      if (entry.at > this.now) continue;
      this.calls.delete(entry);
      entry.call();
    }
  }
}

type Played = {
  readonly playback: Playback;
  readonly clock: HandClock;
  /** Of the newest source. */
  events: TrafficEvent[];
};

async function played(t: TestContext, files: readonly string[]): Promise<Played> {
  const clock = new HandClock();
  const playback = await openPlayback(files, clock);
  t.after(() => playback.close());
  const found: Played = { playback, clock, events: [] };
  const listen = (source: ProxyHandle): void => {
    const events: TrafficEvent[] = [];
    found.events = events;
    readEvents(source, (event) => events.push(event));
  };
  listen(playback.source);
  playback.onJump(listen);
  return found;
}

function numbersOf(events: readonly TrafficEvent[]): number[] {
  return events.flatMap((event) => (event.type === 'command' ? [event.seq] : []));
}

function isCommand(event: TrafficEvent | null): event is CommandEvent {
  return event?.type === 'command';
}

test('all that was recorded is handed out, each command as it was, and counted', async (t) => {
  for (const name of ['session', 'failover', 'resharding', 'resp3', 'pubsub-open', 'fault-close']) {
    const file = path.join(RECORDINGS, `${name}.rmtop`);
    const { entries } = await readAll(file);
    const recorded = entries.flatMap(({ event }) => event ?? []);
    const found = await played(t, [file]);
    found.playback.play('max');
    await until(() => found.playback.state.atEnd);
    const events = found.events.filter(({ type }) => type !== 'server');
    assert.deepEqual(
      events.map(({ type }) => type),
      recorded.map(({ type }) => type),
    );
    for (const [i, event] of recorded.entries()) {
      const same = events[i];
      if (!isCommand(event) || same === undefined || !isCommand(same)) continue;
      assert.deepEqual(same.decision, event.decision, `#${event.seq}`);
      assert.deepEqual(same.attempts, event.attempts);
      assert.deepEqual([same.reply, same.request], [event.reply, event.request]);
      assert.deepEqual(same.outcome, event.outcome);
      assert.deepEqual([same.atUs, same.durationUs], [event.atUs, event.durationUs]);
    }
    const totals = await found.playback.source.totals();
    assert.equal(totals.all.calls, recorded.filter(isCommand).length);
    assert.deepEqual([totals.clients, found.playback.state.playing], [0, false]);
  }
});

test('events come at their times, by speed; a pause holds them', async (t) => {
  const { entries } = await readAll(SESSION);
  const times = entries.flatMap(({ event }) =>
    isCommand(event) ? [event.atUs + event.durationUs] : [],
  );
  const found = await played(t, [SESSION]);
  const { playback, clock } = found;
  playback.play(0.5);
  const middleUs = times[Math.floor(times.length / 2)] ?? 0;
  const due = (us: number): number => times.filter((each) => each <= us).length;
  // Twice as long as recorded, in small steps: each time all that is due, and nothing else, has come.
  while (clock.now < (middleUs / 1000) * 2) {
    await until(() => clock.waits);
    assert.ok(numbersOf(found.events).length <= due((clock.now * 1000) / 2 + 1));
    clock.move(1);
  }
  await until(() => numbersOf(found.events).length >= due(middleUs) - 1);
  playback.pause();
  await playback.step(0); // what was being handed out has been
  const before = numbersOf(found.events).length;
  clock.move(60_000);
  assert.equal(playback.state.playing, false);
  assert.equal(numbersOf(found.events).length, before);
  await playback.step(3);
  assert.equal(numbersOf(found.events).length, before + 3);
  playback.play(100);
  await until(() => {
    clock.move(50);
    return playback.state.atEnd;
  });
  assert.equal(numbersOf(found.events).length, times.length);
});

test('a jump to a number or a moment: what was known then, and what led up to it', async (t) => {
  const { entries } = await readAll(SESSION);
  const commands = entries.flatMap(({ event }) => (isCommand(event) ? [event] : []));
  const found = await played(t, [SESSION]);
  const { playback } = found;
  for (const target of [commands[60], commands[7], commands.at(-1)]) {
    assert.ok(target !== undefined);
    await playback.jump({ seq: target.seq });
    assert.equal(numbersOf(found.events).at(-1), target.seq);
    assert.equal(numbersOf(found.events).length, commands.indexOf(target) + 1);
    const doneUs = target.atUs + target.durationUs;
    await playback.jump({ atUs: doneUs });
    assert.equal(playback.state.atUs, doneUs);
    assert.equal(numbersOf(found.events).at(-1), target.seq);
  }
  await playback.step(-1);
  assert.equal(numbersOf(found.events).length, commands.length - 1);
  await playback.jump('start');
  assert.deepEqual([numbersOf(found.events), playback.state.atUs], [[], 0]);
  await playback.jump('end');
  assert.equal(numbersOf(found.events).length, commands.length);
  await playback.jump({ seq: 10_000 });
  assert.equal(numbersOf(found.events).length, commands.length);
});

test('compressed recordings, and the parts of one, play as if they were one file', async (t) => {
  const dir = folder(t);
  const lines = readFileSync(SESSION, 'utf8').trimEnd().split('\n');
  const [header = ''] = lines;
  const half = lines.findIndex((line) => line.includes('"n":60,'));
  const state = lines.filter((line) => /^\{"k":"(?:cfg|topo|conn)"/.test(line));
  const one = path.join(dir, 'a.rmtop');
  const two = path.join(dir, 'a-0002.rmtop.gz');
  writeFileSync(one, `${lines.slice(0, half).join('\n')}\n`);
  writeFileSync(two, gzipSync(`${[header, ...state, ...lines.slice(half)].join('\n')}\n`));
  const whole = await readAll(SESSION);
  const all = whole.entries.flatMap(({ event }) => (isCommand(event) ? [event.seq] : []));
  const found = await played(t, [one, two]);
  assert.equal(found.playback.end.commands, all.length);
  await found.playback.jump('end');
  const { length } = numbersOf(found.events);
  assert.deepEqual(numbersOf(found.events), all.slice(all.length - length));
  await found.playback.jump({ seq: 10 });
  assert.equal(numbersOf(found.events).at(-1), 10);
  found.playback.play('max');
  await until(() => found.playback.state.atEnd);
  assert.deepEqual(numbersOf(found.events), all);
});

test('a large file: an index is kept, used again, and made anew when the file has grown', async (t) => {
  const file = path.join(folder(t), 'large.rmtop');
  const lines = readFileSync(SESSION, 'utf8').trimEnd().split('\n');
  const isState = (line: string): boolean => /^\{"k":"(?:rmtop|cfg|topo|conn)"/.test(line);
  const commands = lines.filter((line) => line.startsWith('{"k":"cmd"'));
  writeFileSync(file, `${lines.filter(isState).join('\n')}\n`);
  let n = 0;
  for (let bytes = 0; bytes < INDEXED_BYTES; ) {
    let block = '';
    while (block.length < 4 * 1024 * 1024)
      for (const line of commands) {
        n++;
        block += `${line.replace(/"n":\d+,"t":[\d.]+/, `"n":${n},"t":${n / 1000}`).replace(/,"q":\[[^\]]*\]/, '')}\n`;
      }
    appendFileSync(file, block);
    bytes += block.length;
  }
  const made = await indexOf(file);
  assert.deepEqual([made.commands, made.lastSeq, existsSync(`${file}.idx`)], [n, n, true]);
  assert.ok(made.marks.length >= INDEXED_BYTES / (1024 * 1024) - 1);
  const { mtimeMs, size } = made;
  assert.deepEqual(await indexOf(file), made);
  const clients = new Set(
    lines.flatMap((line) => /^\{"k":"conn".*?"c":(\d+)/.exec(line)?.[1] ?? []),
  );
  const others = lines.filter((line) => /^\{"k":"(?:cfg|topo)"/.test(line));
  assert.equal(stateAt(made, size).length, clients.size + others.length);

  const found = await played(t, [file]);
  const target = Math.floor(n * 0.9);
  await found.playback.jump({ seq: target });
  const numbers = numbersOf(found.events);
  assert.equal(numbers.at(-1), target);
  assert.ok(numbers.length < n / 2 && numbers.length > 10_000, `${numbers.length} of ${n}`);
  assert.ok(found.playback.state.sinceUs > 0);
  const types = found.events.slice(0, 12).map(({ type }) => type);
  for (const type of ['hello', 'config', 'topology', 'session'])
    assert.ok(types.includes(type as never));
  await found.playback.jump({ atUs: 5_000_000 });
  assert.ok((numbersOf(found.events).at(-1) ?? 0) <= 5000);

  const last = (commands[0] ?? '').replace(/"n":\d+/, `"n":${n + 1}`);
  appendFileSync(file, `${last}\n`);
  const again = await indexOf(file);
  assert.equal(again.lastSeq, n + 1);
  assert.ok(again.size > size && again.mtimeMs >= mtimeMs);
});

test('what is no recording is told as such; a recording cannot be changed', async (t) => {
  const file = path.join(folder(t), 'x');
  writeFileSync(file, 'hello\n');
  const is = (code: string) => (error: unknown) =>
    error instanceof RmtopError && error.code === code;
  await assert.rejects(openPlayback([file], new HandClock()), is('NO_RECORDING'));
  await assert.rejects(openPlayback([`${file}y`], new HandClock()), is('FILE_UNREADABLE'));
  const { playback } = await played(t, [SESSION]);
  await assert.rejects(playback.source.reconfigure(), is('USAGE'));
  const { t0 } = (await openRecording(SESSION)).header;
  assert.equal(playback.source.startedAt, t0);
});
