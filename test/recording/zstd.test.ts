/** zstd: frames are told apart on every Node; a Node with zstd writes and reads recordings of it, any other says what to do. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { RmtopError } from '../../src/errors.js';
import { checkOutput, partPath, Sink } from '../../src/recording/sink.js';
import { FrameCutter, zstdOfNode } from '../../src/recording/zstd.js';
import { folder, readAll, writing } from '../helpers/record-files.js';

/** Written by Node 22.20: with and without a checksum, without a size, several blocks with runs; and one to be skipped. */
const FRAMES: readonly Buffer[] = [
  'KLUv/SBllQIAogQQF4Crxtg8GNlyb5RB4xg4ikqMcLYhzekBwMPea97hchbE7o6oLLaqQlKUFAVK1bvG8+HdWG61M+3MOXyxJe/ITgUAWqiBqoifYdGdu7Y0AQ==',
  'KLUv/SQnOQEAeyJrIjoiZW5kIiwidCI6MSwiYyI6Mywid2h5IjoiY2xpZW50In0KmhSIfw==',
  'KLUv/QAAXQAAICMgeAoBACgqGAI=',
  'KLUv/aDgkwQAVAAAEGFhAQD7/znAAgIAEGEDnwRh',
  'UCpNGAMAAAABAgM=',
  'KLUv/SQnOQEAeyJrIjoiZW5kIiwidCI6MiwiYyI6NCwid2h5IjoiY2xpZW50In0Kmw7n7A==',
].map((text) => Buffer.from(text, 'base64'));
const ALL = Buffer.concat(FRAMES);

test('frames are told apart, however their bytes come', () => {
  assert.deepEqual(new FrameCutter().cut(ALL), FRAMES);
  const bounds = new Set([0]);
  let end = 0;
  for (const frame of FRAMES) {
    end += frame.length;
    bounds.add(end);
  }
  for (let size = 1; size < ALL.length; size++) {
    const cutter = new FrameCutter();
    let at = 0;
    for (let from = 0; from < ALL.length; from += size) {
      for (const piece of cutter.cut(ALL.subarray(from, from + size))) {
        const inside = [...bounds].filter((bound) => bound > at && bound < at + piece.length);
        assert.deepEqual(inside, []);
        assert.ok(piece.equals(ALL.subarray(at, at + piece.length)));
        at += piece.length;
      }
      assert.equal(cutter.isInside, !bounds.has(at));
    }
    assert.equal(at, ALL.length);
  }
});

test('what is no frame is passed on as it is', () => {
  const bytes = Buffer.from('no frame at all');
  assert.deepEqual(new FrameCutter().cut(bytes), [bytes]);
});

test('.zst is written and read where Node has zstd; elsewhere both say what to do', async (t) => {
  const file = path.join(folder(t), 'a.rmtop.zst');
  if (zstdOfNode() === null) {
    assert.throws(
      () => checkOutput(file, false),
      (error) =>
        error instanceof RmtopError && error.code === 'USAGE' && /\.gz$/.test(error.next.join()),
    );
    assert.ok(!existsSync(file));
    writeFileSync(file, ALL);
    await assert.rejects(
      readAll(file),
      (error) => error instanceof RmtopError && /zstdcat/.test(error.next.join()),
    );
    return;
  }
  assert.match(partPath(file, 2), /a-0002\.rmtop\.zst$/);
  const sink = new Sink(writing(file).sink, 0);
  const lines = 3000;
  sink.write(
    Buffer.from('{"k":"rmtop","v":1,"min":1,"t0":"x","listen":[],"up":"y","tool":"r"}\n'),
    0,
  );
  for (let c = 1; c < lines; c++) {
    sink.write(
      Buffer.from(`{"k":"end","t":${c},"c":${c},"why":"client","err":"${'e'.repeat(997)}"}\n`),
      c,
    );
    if (c % 100 === 0) sink.tick(c + 2000);
  }
  sink.close();
  assert.equal((await readAll(file, true)).entries.length, lines);
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, whole.length - 3));
  const { entries, reader } = await readAll(file);
  assert.match(reader.summary().torn ?? '', /cut/);
  assert.ok(entries.length >= 2900);
});
