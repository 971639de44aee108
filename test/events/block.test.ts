/** Events as bytes and back: what is written is read, and a decision is made again from what was kept of it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  BLOCK_BYTES,
  BlockWriter,
  type CommandNote,
  encodeOther,
  FLAG,
  KIND_COMMAND,
  otherSize,
} from '../../src/events/block.js';
import type { Cause, CommandEvent, OtherEvent } from '../../src/events/event.js';
import { Block, StreamContext, topologyOf } from '../../src/events/reader.js';
import { partsOf } from '../../src/mesh/decision.js';
import { seededRng } from '../../src/mesh/rng.js';
import { bytes } from '../helpers/arbitraries.js';
import { holds } from '../helpers/check.js';
import { type Mesh, meshOf, primaryOf, replicaOf } from '../helpers/mesh.js';
import { anyMesh, anySession, anyWords } from '../helpers/mesh-arbitraries.js';
import { noteOf, stateOf } from '../helpers/notes.js';

/** Writes commands and other events as the bus does, and gives the blocks. */
function write(
  items: readonly ({ readonly note: CommandNote; readonly durationUs: number } | OtherEvent)[],
  numbers: string[] = [],
): Block[] {
  const writer = new BlockWriter();
  const blocks: Block[] = [];
  const end = (): void => {
    const { used } = writer;
    blocks.push(new Block(writer.take(), used));
  };
  const room = (size: number): void => {
    if (writer.fits(size)) return;
    end();
    assert.ok(writer.fits(size), 'an empty block has room for anything');
  };
  const refOf = (address: string): number => {
    if (!numbers.includes(address)) numbers.push(address);
    return numbers.indexOf(address);
  };
  for (const item of items) {
    const before = writer.used;
    if ('note' in item) {
      const size = writer.sizeOf(item.note);
      room(size);
      const start = writer.used;
      writer.command(item.note, item.durationUs, refOf);
      assert.ok(
        writer.used - start <= size,
        `${writer.used - start} bytes, ${size} were asked for`,
      );
    } else {
      const json = encodeOther(item);
      room(otherSize(json));
      writer.other(json, item.type);
    }
    assert.ok(writer.used % 8 === 0 && writer.used !== before);
  }
  end();
  return blocks;
}

/** Reads all blocks; commands are decoded with what `mesh` says. */
function read(
  blocks: readonly Block[],
  mesh: Mesh,
  numbers: readonly string[] = [],
): { readonly commands: CommandEvent[]; readonly others: OtherEvent[] } {
  const context = new StreamContext();
  for (const event of stateOf(mesh)) context.learn(event);
  numbers.forEach((address, number) => {
    context.learn({ type: 'server', atUs: 0, number, address });
  });
  const commands: CommandEvent[] = [];
  const others: OtherEvent[] = [];
  for (const block of blocks) {
    block.walk((kind, offset) => {
      assert.equal(block.isCommand(offset), kind === KIND_COMMAND);
      if (kind !== KIND_COMMAND) {
        others.push(block.other(offset));
        return;
      }
      const command = block.command(offset, context);
      assert.equal(block.seq(offset), command.seq);
      commands.push(command);
    });
  }
  return { commands, others };
}

const us = fc.oneof(fc.nat(1_000_000), fc.integer({ min: 0, max: 2 ** 42 }));
const address = fc.constantFrom(primaryOf(0), primaryOf(1), replicaOf(2), '[2001:db8::1]:6379');
const cause: fc.Arbitrary<Cause> = fc.record(
  {
    code: fc.constantFrom('op-timeout', 'closed', 'protocol', 'handshake'),
    address,
    afterMs: fc.nat(),
    others: fc.nat(),
    detail: fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.constant('x')),
  },
  { requiredKeys: ['code', 'address'], noNullPrototype: true },
);
const attempt = fc.record({
  part: fc.nat(9),
  address,
  kind: fc.constantFrom('decided' as const, 'MOVED' as const, 'ASK' as const),
  sent: us,
  done: us,
});

/** What a note may say besides its command. */
const fields = fc.record({
  seq: fc.integer({ min: 1, max: 2 ** 40 }),
  atUs: us,
  durationUs: us,
  queueUs: us,
  upstreamUs: us,
  connection: fc.nat(),
  burstAt: fc.nat(100),
  burstSize: fc.integer({ min: 1, max: 100 }),
  attempts: fc.option(fc.array(attempt, { maxLength: 4 })),
  cause: fc.option(cause),
  ended: fc.constantFrom(0, FLAG.clientClosed, FLAG.shutdown),
  condensed: fc.constantFrom(0, FLAG.replyCondensed),
  reply: bytes,
  replyTotal: fc.nat(),
  padding: fc.tuple(bytes, bytes),
});

test('a command is read back as it was written, whatever stands around it', () => {
  holds(
    fc.property(
      anyMesh,
      fc.array(fc.tuple(anyWords, anySession, fields, fc.nat()), { minLength: 1, maxLength: 5 }),
      (mesh, all) => {
        const written = all.map(([argv, session, field, seed]) => {
          const plain = noteOf(argv, mesh, { session, rng: seededRng(seed) });
          const { requestBuf } = plain.note;
          const [before, after] = field.padding; // the bytes stand somewhere in a larger buffer
          const note: CommandNote = {
            ...plain.note,
            seq: field.seq,
            atUs: field.atUs,
            connection: field.connection,
            flags: plain.note.flags | field.ended | field.condensed,
            queueUs: field.queueUs,
            upstreamUs: field.upstreamUs,
            burst: { first: field.seq - field.burstAt, size: field.burstSize },
            attempts:
              field.attempts?.map((each) => ({
                ...each,
                sentUs: field.atUs + each.sent,
                doneUs: field.atUs + each.done,
              })) ?? null,
            cause: field.cause,
            requestBuf: Buffer.concat([before, requestBuf, after]),
            requestStart: before.length,
            requestEnd: before.length + requestBuf.length,
            replyBuf: Buffer.concat([after, field.reply, before]),
            replyStart: after.length,
            replyEnd: after.length + field.reply.length,
            replyTotal: field.replyTotal,
          };
          return {
            note,
            durationUs: field.durationUs,
            decision: plain.decision,
            field,
            session,
            requestBuf,
            argv,
          };
        });
        const numbers: string[] = [];
        const { commands } = read(write(written, numbers), mesh, numbers);
        assert.equal(commands.length, written.length);
        for (const [i, event] of commands.entries()) {
          const { note, durationUs, decision, field, session, requestBuf, argv } = written[
            i
          ] as (typeof written)[number];
          assert.deepEqual(
            [
              event.seq,
              event.atUs,
              event.durationUs,
              event.queueUs,
              event.upstreamUs,
              event.connection,
              event.burst,
            ],
            [
              note.seq,
              note.atUs,
              durationUs,
              note.queueUs,
              note.upstreamUs,
              note.connection,
              note.burst,
            ],
          );
          assert.deepEqual(event.request, {
            bytes: requestBuf,
            total: note.requestTotal,
            condensed: false,
          });
          assert.deepEqual(event.reply, {
            bytes: field.reply,
            total: note.replyTotal,
            condensed: field.condensed !== 0,
          });
          assert.deepEqual(event.command.argv, argv);
          assert.deepEqual(
            event.args,
            argv.map((each) => ({ kind: 'whole', bytes: each })),
          );
          assert.deepEqual(event.command.session, session);
          assert.deepEqual(event.decision, decision, 'the decision made again');
          assert.deepEqual(
            event.outcome,
            field.ended === FLAG.clientClosed
              ? { kind: 'client-closed' }
              : field.ended === FLAG.shutdown
                ? { kind: 'shutdown' }
                : { kind: 'reply', cause: field.cause },
          );
          const { attempts } = event;
          if (field.attempts === null || field.attempts.length === 0) {
            const only = partsOf(decision)[0]?.to ?? null;
            assert.deepEqual(
              attempts.map((each) => each.address),
              only === null ? [] : [only.address],
            );
          } else {
            assert.deepEqual(
              attempts,
              field.attempts.map(({ part, address: to, kind, sent, done }) => ({
                part,
                address: to,
                kind,
                sentUs: sent,
                doneUs: done,
              })),
            );
          }
        }
      },
    ),
    600,
  );
});

test('events of every kind are read back in the order they were written, over as many blocks as it takes', () => {
  const mesh = meshOf();
  const items = Array.from({ length: 5000 }, (_, i) =>
    i % 7 === 0
      ? ({
          type: 'log',
          atUs: i,
          level: 'info',
          text: 'ä\n\x00'.repeat(i % 50),
          next: null,
        } as const)
      : { ...noteOf(['SET', `key:${i}`, 'v'.repeat(i % 300)], mesh, { seq: i }), durationUs: i },
  );
  const blocks = write(items);
  assert.ok(blocks.length > 3);
  const { commands, others } = read(blocks, mesh);
  assert.deepEqual(
    others,
    items.filter((item) => 'type' in item),
  );
  assert.deepEqual(
    commands.map((event) => event.seq),
    items.flatMap((item) => ('note' in item ? [item.note.seq] : [])),
  );
  for (const event of commands)
    assert.deepEqual(event.command.argv.map(String), [
      'SET',
      `key:${event.seq}`,
      'v'.repeat(event.seq % 300),
    ]);
});

test('a record larger than a block has a block of its own', () => {
  const mesh = meshOf();
  const large = Buffer.alloc(3 * BLOCK_BYTES, 'x');
  const items = [
    { ...noteOf(['SET', 'a', '1'], mesh), durationUs: 1 },
    { ...noteOf(['SET', 'b', large], mesh), durationUs: 2 },
    { type: 'log', atUs: 0, level: 'info', text: 'y'.repeat(2 * BLOCK_BYTES), next: null } as const,
    { ...noteOf(['GET', 'c'], mesh, { replyBuf: large }), durationUs: 3 },
    { ...noteOf(['SET', 'd', '1'], mesh), durationUs: 4 },
  ];
  const { commands, others } = read(write(items), mesh);
  assert.deepEqual(
    commands.map((event) => event.durationUs),
    [1, 2, 3, 4],
  );
  assert.ok(commands[1]?.command.arg(2).equals(large));
  assert.ok(commands[2]?.reply.bytes.equals(large));
  assert.equal(others[0]?.type === 'log' && others[0].text.length, 2 * BLOCK_BYTES);
});

test('a block is filled to its end, and no further', () => {
  const mesh = meshOf();
  for (let extra = 0; extra < 32; extra++) {
    const item = { ...noteOf(['GET', 'k'.repeat(1000 + extra)], mesh), durationUs: 1 };
    const blocks = write(Array.from({ length: 600 }, () => item));
    const [first] = blocks;
    assert.ok(
      (first?.bytes.length ?? 0) <= BLOCK_BYTES && (first?.bytes.length ?? 0) > BLOCK_BYTES - 1500,
    );
    assert.equal(read(blocks, mesh).commands.length, 600);
  }
});

test('times that no 32 bits hold are kept: a client may wait for hours', () => {
  const hours = 3 * 3600 * 1_000_000;
  const mesh = meshOf({ open: true });
  const { note } = noteOf(['BLPOP', 'foo', '0'], mesh, {
    atUs: 5,
    upstreamUs: hours,
    attempts: [{ part: 0, address: primaryOf(2), kind: 'decided', sentUs: 10, doneUs: 5 + hours }],
  });
  const numbers: string[] = [];
  const [event] = read(write([{ note, durationUs: hours + 7 }], numbers), mesh, numbers).commands;
  assert.deepEqual(
    [event?.durationUs, event?.upstreamUs, event?.attempts[0]?.doneUs],
    [hours + 7, hours, hours],
  );
});

test('an attempt that was never sent, or never answered, says so', () => {
  const mesh = meshOf();
  const { note } = noteOf(['MGET', 'foo'], mesh, {
    atUs: 5_000_000,
    attempts: [{ part: 0, address: primaryOf(2), kind: 'decided', sentUs: -1, doneUs: -1 }],
  });
  const numbers: string[] = [];
  const [event] = read(write([{ note, durationUs: 1 }], numbers), mesh, numbers).commands;
  assert.deepEqual(event?.attempts, [
    { part: 0, address: primaryOf(2), kind: 'decided', sentUs: -1, doneUs: -1 },
  ]);
});

test('without attempts of its own a command had the one that was decided', () => {
  const mesh = meshOf();
  const attempts = (argv: string[]): CommandEvent['attempts'] | undefined =>
    read(write([{ ...noteOf(argv, mesh), durationUs: 400 }]), mesh).commands[0]?.attempts;
  assert.deepEqual(attempts(['GET', 'foo']), [
    { part: 0, address: primaryOf(2), kind: 'decided', sentUs: 20, doneUs: 320 },
  ]);
  assert.deepEqual(attempts(['PING']), []);
});

test('what a server said is kept as far as it is short, and is always whole JSON', () => {
  const mesh = meshOf();
  for (const detail of [
    'x'.repeat(5000),
    '\xff'.repeat(5000),
    '\x00"\\'.repeat(2000),
    '\u{1f600}'.repeat(500),
    '',
  ]) {
    const { note } = noteOf(['GET', 'foo'], mesh, {
      cause: { code: 'handshake', address: primaryOf(0), detail },
    });
    const [event] = read(write([{ note, durationUs: 1 }]), mesh).commands;
    assert.ok(event?.outcome.kind === 'reply');
    const kept = event.outcome.cause?.detail ?? '';
    assert.ok(
      detail.startsWith(kept.slice(0, -1)) && kept.length >= Math.min(detail.length, 200),
      'its beginning',
    );
    assert.ok(kept.length <= 300);
  }
});

test('a command decided by a version that is no longer known is decided by the nearest', () => {
  const mesh = meshOf();
  const { note, decision } = noteOf(['GET', 'foo'], mesh, { topologyVersion: 3, configVersion: 9 });
  const [event] = read(write([{ note, durationUs: 1 }]), mesh).commands;
  assert.deepEqual(event?.decision, decision);
});

test.describe('what a reader must know', () => {
  test('without it a decision cannot be made again', () => {
    const mesh = meshOf();
    const [block] = write([{ ...noteOf(['GET', 'foo'], mesh), durationUs: 1 }]);
    const [config, topology] = stateOf(mesh);
    for (const known of [config, topology]) {
      const context = new StreamContext();
      if (known !== undefined) context.learn(known);
      assert.throws(() => block?.command(0, context).decision, /without its topology/);
    }
  });

  test('a topology is what the event of it says', () => {
    holds(
      fc.property(anyMesh, (mesh) => {
        const [, event] = stateOf(mesh);
        assert.ok(event?.type === 'topology');
        assert.deepEqual(topologyOf(event), mesh.topology);
      }),
      500,
    );
  });

  test('the newest of each version is the latest, whatever is said again', () => {
    const context = new StreamContext();
    const [config, topology] = stateOf(meshOf());
    assert.ok(config?.type === 'config' && topology?.type === 'topology');
    context.learn({ ...topology, version: 4 });
    context.learn({ ...topology, version: 5 });
    context.learn({ ...topology, version: 4 });
    context.learn({ ...config, config: { ...config.config, version: 2 } });
    context.learn(config);
    assert.deepEqual([context.latest.topology?.version, context.latest.config?.version], [5, 2]);
  });

  test('a server that is named twice keeps its number', () => {
    const context = new StreamContext();
    for (const number of [0, 1, 0, 2])
      context.learn({ type: 'server', atUs: 0, number, address: `h${number}:1` });
    assert.deepEqual(context.addresses, ['h0:1', 'h1:1', 'h2:1']);
  });

  test('old versions are forgotten in time', () => {
    const context = new StreamContext();
    const [, topology] = stateOf(meshOf());
    assert.ok(topology?.type === 'topology');
    for (let version = 1; version <= 1000; version++) context.learn({ ...topology, version });
    assert.equal(context.topology(1000)?.version, 1000);
    assert.equal(context.topology(960)?.version, 960);
    assert.equal(context.topology(1)?.version, 937, 'the nearest of 64');
  });
});
