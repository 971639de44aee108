// Around `npm pack`. Before: what ships must not name source maps that do not (`files` leaves them out). After: the next build puts them back.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const dist = path.join(path.dirname(import.meta.dirname), 'dist');
const MAP = /\n\/\/# sourceMappingURL=\S+\s*$/;

function strip(folder) {
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const file = path.join(folder, name);
    const text = readFileSync(file, 'utf8');
    if (!MAP.test(text)) continue;
    // In one step: somebody may be running it.
    writeFileSync(`${file}.new`, text.replace(MAP, '\n'), {
      mode: name === 'rmtop.js' ? 0o755 : 0o644,
    });
    renameSync(`${file}.new`, file);
  }
}

if (process.argv[2] === 'after') rmSync(path.join(dist, '.built'), { force: true });
else for (const folder of ['src', 'ui', 'bin']) strip(path.join(dist, folder));
