// Puts a frame of the real program, as text, into README.md: `npm run build && node .tools/readme-screen.mjs`.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openTerminal } from '../dist/test/helpers/pty.js';

const MARK = '<!-- screen -->';
const END = '<!-- /screen -->';
const README = path.join(path.dirname(import.meta.dirname), 'README.md');

const cleanups = [];
const terminal = openTerminal({ after: (each) => cleanups.push(each) }, ['demo'], {
  columns: 100,
  rows: 34,
});
try {
  await terminal.shows(/\d{3}\/s/);
  await terminal.shows(/\d{4} rows|k rows/);
  // A read that a replica answered, among what came around it.
  terminal.type('/key=price:* why=policy slot>8191\r');
  await terminal.shows(/\/ key=price.*[1-9]\d*\/.* shown/);
  terminal.type('F');
  await terminal.shows(/ANCHOR/);
  terminal.type('!');
  const frame = await terminal.shows(/\(off\).*\n>.*─ #\d+ /s);
  const readme = readFileSync(README, 'utf8');
  const at = readme.indexOf(MARK);
  const end = readme.indexOf(END);
  if (at === -1 || end === -1) throw new TypeError(`${README} has no ${MARK} ... ${END}`);
  const block = `${MARK}\n\n\`\`\`text\n${frame.trimEnd()}\n\`\`\`\n\n`;
  writeFileSync(README, readme.slice(0, at) + block + readme.slice(end));
} finally {
  if (terminal.pid > 0) terminal.type('Q');
  await terminal.ended().catch(() => {});
  for (const cleanup of cleanups) cleanup();
}
