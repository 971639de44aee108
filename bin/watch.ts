/**
 * Notices when mesh files change. Folders are watched rather than files, for editors and ConfigMaps replace files; and each folder by
 * itself: Node's own recursive watching on Linux loses sight of a file that was replaced (tried on Node 20).
 */
import { type FSWatcher, readdirSync, type Stats, statSync, watch } from 'node:fs';
import path from 'node:path';

/** Changes that come together are one change. */
const SETTLE_MS = 100;

/** Which names of a folder matter; null: that of a mesh file, or of a folder. */
type Names = ReadonlySet<string> | null;

/** Calls `changed` some time after something in or at `paths` may have changed; gives the way to stop. */
export function watchFiles(paths: readonly string[], changed: () => void): () => void {
  const watched = new Watched(() => {
    timer ??= setTimeout(() => {
      timer = null;
      watched.follow(paths);
      changed();
    }, SETTLE_MS);
  });
  let timer: NodeJS.Timeout | null = null;
  watched.follow(paths);
  return () => {
    if (timer !== null) clearTimeout(timer);
    watched.close();
  };
}

class Watched {
  private readonly notice: () => void;
  private readonly watchers = new Map<
    string,
    { readonly watcher: FSWatcher; readonly ino: number }
  >();

  constructor(notice: () => void) {
    this.notice = notice;
  }

  /** Watches what is there now: folders come and go, and one that was replaced is another. */
  follow(paths: readonly string[]): void {
    const wanted = foldersOf(paths);
    for (const [folder, { watcher, ino }] of this.watchers) {
      if (wanted.has(folder) && statOf(folder)?.ino === ino) continue;
      watcher.close();
      this.watchers.delete(folder);
    }
    for (const [folder, names] of wanted) if (!this.watchers.has(folder)) this.add(folder, names);
  }

  private add(folder: string, names: Names): void {
    const ino = statOf(folder)?.ino;
    if (ino === undefined) return;
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, (_event, name) => {
        // A mounted ConfigMap changes by its link `..data`.
        const isOurs =
          name === null ||
          name.startsWith('..') ||
          (names === null ? isMeshName(name) : names.has(name));
        if (isOurs) this.notice();
      });
    } catch {
      return; // it went just now
    }
    watcher.on('error', () => watcher.close()); // it is gone; the one above it tells when it is there again
    this.watchers.set(folder, { watcher, ino });
  }

  close(): void {
    for (const { watcher } of this.watchers.values()) watcher.close();
  }
}

/** Names that `loadMesh` would read, and those that may be folders. */
function isMeshName(name: string): boolean {
  return /\.(ya?ml|json)$/i.test(name) || !name.includes('.');
}

/** The folders to watch: those of given files, given folders with all below them, and the folders these are in. */
function foldersOf(paths: readonly string[]): Map<string, Names> {
  const single = new Map<string, Set<string>>();
  const whole = new Set<string>();
  for (const each of paths) {
    if (each === '-') continue;
    const full = path.resolve(each);
    const names = single.get(path.dirname(full)) ?? new Set();
    single.set(path.dirname(full), names.add(path.basename(full)));
    if (statOf(full)?.isDirectory() === true) for (const folder of below(full)) whole.add(folder);
  }
  const all = new Map<string, Names>(single);
  for (const folder of whole) all.set(folder, null);
  return all;
}

function below(folder: string): string[] {
  try {
    const inner = readdirSync(folder, { withFileTypes: true }).filter(
      (each) => each.isDirectory() && !each.name.startsWith('.') && each.name !== 'node_modules',
    );
    return [folder, ...inner.flatMap((each) => below(path.join(folder, each.name)))];
  } catch {
    return [];
  }
}

function statOf(name: string): Stats | undefined {
  try {
    return statSync(name, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
