// Runs the compiled tests: all of them, or those whose path contains one of the words given (`npm test -- resp mesh`).
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { requireRedis } from './redis.mjs';

process.env.REDIS_SERVER = requireRedis();
const root = path.join(path.dirname(import.meta.dirname), 'dist', 'test');
const words = process.argv.slice(2);
const files = readdirSync(root, { recursive: true })
  .filter((file) => file.endsWith('.test.js') && !file.startsWith('examples'))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort()
  .map((file) => path.join(root, file));
if (files.length === 0) {
  console.error(`no test file matches ${words.join(' ')}`);
  process.exit(1);
}
// Tests wait more than they compute, so that even on two processors two files at once take less time than one after the other.
// The limit holds for a file as for each test in it, and a busy machine is several times slower than a quiet one.
const child = spawn(
  process.execPath,
  [
    '--enable-source-maps',
    '--test-timeout=400000',
    `--test-concurrency=${Math.max(2, availableParallelism() - 1)}`,
    '--test',
    ...files,
  ],
  { stdio: 'inherit' },
);
child.on('exit', (code) => process.exit(code ?? 1));
