/** Notices when mesh files change: their folders are watched, for editors and ConfigMaps replace files rather than write them. */
import { type FSWatcher, statSync, watch } from 'node:fs';
import path from 'node:path';

/** Changes that come together are one change. */
const SETTLE_MS = 100;

/** Calls `changed` some time after something in or at `paths` may have changed; gives the way to stop. */
export function watchFiles(paths: readonly string[], changed: () => void): () => void {
  let timer: NodeJS.Timeout | null = null;
  const notice = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      changed();
    }, SETTLE_MS);
  };
  const watchers = paths.filter((each) => each !== '-').map((each) => watchOne(each, notice));
  return () => {
    if (timer !== null) clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}

function watchOne(given: string, notice: () => void): FSWatcher {
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() === true;
  const folder = isFolder ? given : path.dirname(path.resolve(given));
  const watcher = watch(folder, { recursive: isFolder }, (_event, name) => {
    // A mounted ConfigMap changes by its link `..data`.
    const isOurs =
      name === null ||
      name.startsWith('..') ||
      (isFolder ? /\.(ya?ml|json)$/i.test(name) : name === path.basename(given));
    if (isOurs) notice();
  });
  watcher.on('error', () => watcher.close()); // the folder is gone: there is nothing to watch any more
  return watcher;
}
