/** Lines that are written fast are those that are written slowly; and a line that is read again is the event it was. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { CommandNote } from '../../src/events/block.js';
import type { CommandEvent } from '../../src/events/event.js';
import { seededRng } from '../../src/mesh/rng.js';
import { ByteWriter } from '../../src/recording/byte-writer.js';
import { RecordedCommand } from '../../src/recording/command.js';
import { LineEncoder } from '../../src/recording/encoder.js';
import { commandToJson } from '../../src/recording/format.js';
import type { JsonObject } from '../../src/recording/values.js';
import { anyReply, bytes } from '../helpers/arbitraries.js';
import { holds } from '../helpers/check.js';
import { meshOf } from '../helpers/mesh.js';
import { anyKey, anyMesh, anySession, anyWords } from '../helpers/mesh-arbitraries.js';
import { noteOf } from '../helpers/notes.js';
import { wire } from '../helpers/plain-resp.js';
import { blockOf } from '../helpers/record-files.js';

const us = fc.oneof(fc.nat(3_000_000), fc.integer({ min: 0, max: 2 ** 45 }));

/** What a note may say besides its command: times, numbers, its place in a burst. */
const fields = fc
  .record({
    seq: fc.integer({ min: 101, max: 2 ** 40 }),
    atUs: us,
    queueUs: us,
    upstreamUs: us,
    connection: fc.nat(),
    burst: fc.record({ at: fc.nat(100), size: fc.integer({ min: 1, max: 100 }) }),
    reply: fc.oneof(
      anyReply.map((reply) => wire(reply)),
      fc.constantFrom('+OK\r\n', ':1\r\n', '$-1\r\n', ':-5\r\n', '$03\r\nabc\r\n').map(Buffer.from),
      bytes.map((value) =>
        Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]),
      ),
    ),
  })
  .map(({ burst, reply, seq, ...rest }) => ({
    ...rest,
    seq,
    burst: { first: seq - burst.at, size: burst.size },
    replyBuf: reply,
  }));

/** A common command: one key, any value. */
const common = fc
  .tuple(fc.constantFrom('GET', 'SET', 'incr', 'HGET', 'LPUSH', 'PUBLISH', 'DBSIZE'), anyKey, bytes)
  .map(([name, key, value]) => [Buffer.from(name), key, value]);

function slowLine(
  event: CommandEvent,
  context: ConstructorParameters<typeof LineEncoder>[0],
): string {
  return `${JSON.stringify(commandToJson(event, context))}\n`;
}

test('the fast way and the slow one write the same line', () => {
  holds(
    fc.property(
      fc.oneof(anyWords, common),
      anySession,
      anyMesh,
      fields,
      us,
      fc.integer(),
      (argv, session, mesh, more, durationUs, seed) => {
        const { note } = noteOf(argv, mesh, { session, rng: seededRng(seed), ...more });
        const { block, offset, context } = blockOf(note as CommandNote, mesh, durationUs);
        const encoder = new LineEncoder(context);
        encoder.commandAt(block, offset);
        assert.equal(
          encoder.out.written.toString(),
          slowLine(block.command(offset, context), context),
        );
      },
    ),
    1500,
  );
});

test('common commands do go the fast way', () => {
  const mesh = meshOf({ readPolicy: 'ANY' });
  const texts: [string[], string][] = [
    [['GET', 'k'], '$1\r\nv\r\n'],
    [['SET', 'k', 'v"\\\x00é'], '+OK\r\n'],
    [['GET', 'k'], '$-1\r\n'],
    [['INCR', 'k'], ':7\r\n'],
    [['LPUSH', 'k', 'v'], '-WRONGTYPE x\r\n'],
  ];
  for (const [argv, reply] of texts) {
    const { note } = noteOf(argv, mesh, { replyBuf: Buffer.from(reply), rng: seededRng(3) });
    const { block, offset, context } = blockOf(note, mesh, 9);
    const encoder = new LineEncoder(context);
    encoder.json = () => assert.fail(`${argv.join(' ')} went the slow way`);
    encoder.commandAt(block, offset);
    assert.equal(encoder.out.written.toString(), slowLine(block.command(offset, context), context));
  }
});

test('a line that is read again is the event it was, and is written the same again', () => {
  holds(
    fc.property(
      fc.oneof(anyWords, common),
      anySession,
      anyMesh,
      fields,
      us,
      fc.integer(),
      (argv, session, mesh, more, durationUs, seed) => {
        const { note } = noteOf(argv, mesh, { session, rng: seededRng(seed), ...more });
        const { block, offset, context } = blockOf(note as CommandNote, mesh, durationUs);
        const event = block.command(offset, context);
        const line = slowLine(event, context);
        const versions = [mesh.topology.version, mesh.config.version] as const;
        const read = new RecordedCommand(JSON.parse(line) as JsonObject, context, versions);
        assert.deepEqual(facts(read), facts(event));
        assert.equal(slowLine(read, context), line);
      },
    ),
    1000,
  );
});

function facts(event: CommandEvent): unknown {
  const { seq, atUs, durationUs, connection, burst, decision, attempts, outcome, args } = event;
  const size = burst.size === 1 ? { first: seq, size: 1 } : burst;
  return {
    ...{ seq, atUs, durationUs, connection, decision, attempts, outcome, args },
    burst: size,
    name: event.command.name,
    session: event.command.session,
    reply: event.reply.bytes,
    tm: decision.action.kind === 'forward' ? [event.queueUs, event.upstreamUs] : null,
  };
}

test('numbers are written as JSON writes them', () => {
  const written = (write: (out: ByteWriter) => void): string => {
    const out = new ByteWriter();
    write(out);
    return out.odd ? 'odd' : out.written.toString();
  };
  holds(
    fc.property(fc.oneof(us, fc.nat(20), fc.maxSafeNat()), (n) => {
      assert.equal(
        written((out) => out.whole(n)),
        String(n),
      );
      if (n < 1e15)
        assert.equal(
          written((out) => out.seconds(n)),
          JSON.stringify(n / 1e6),
        );
    }),
    2000,
  );
  for (const n of [-1, 0.5, Number.NaN, 2 ** 53])
    assert.equal(
      written((out) => out.whole(n)),
      'odd',
      String(n),
    );
});
