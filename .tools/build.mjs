// Compiles the tree to dist/. A build is skipped when nothing it reads is newer than what it wrote, so that
// `npm ci && npm test` does not compile twice.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const stamp = path.join(root, 'dist', '.built');
const inputs = [
  'src',
  'ui',
  'bin',
  'test',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  '.tools/build.mjs',
];

/** Newest change below `entry`, in ms; folders count too, so that a deleted file is seen. */
function newest(entry) {
  const full = path.join(root, entry);
  if (!existsSync(full)) return 0;
  const { mtimeMs } = statSync(full);
  if (!statSync(full).isDirectory()) return mtimeMs;
  return readdirSync(full).reduce(
    (max, name) => Math.max(max, newest(path.join(entry, name))),
    mtimeMs,
  );
}

if (existsSync(stamp) && Math.max(...inputs.map(newest)) < statSync(stamp).mtimeMs) process.exit(0);

rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
try {
  execFileSync(process.execPath, [path.join(path.dirname(tsc), 'bin', 'tsc'), '-p', root], {
    stdio: 'inherit',
  });
} catch {
  process.exit(1); // tsc has said what is wrong
}
const bin = path.join(root, 'dist', 'bin', 'rmtop.js');
if (existsSync(bin)) chmodSync(bin, 0o755);
writeFileSync(stamp, '');
