import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { watchFiles } from '../../bin/watch.js';
import { meshFolder } from '../helpers/mesh-run.js';
import { until } from '../helpers/until.js';

/** Counts the changes noticed; `next` waits for one that `change` brings about. */
function watching(t: TestContext, paths: readonly string[]) {
  let count = 0;
  t.after(
    watchFiles(paths, () => {
      count++;
    }),
  );
  return async (what: string, change: () => void): Promise<void> => {
    const before = count;
    change();
    await until(() => count > before, what);
  };
}

test('a file replaced, again and again, in the folder and below it; new files and folders', async (t) => {
  const folder = meshFolder(t, { 'a.yaml': '1' });
  const inner = path.join(folder, 'inner');
  mkdirSync(inner);
  writeFileSync(path.join(inner, 'b.yml'), '1');
  const next = watching(t, [folder]);
  const replace = (name: string): void => {
    writeFileSync(path.join(folder, 'aside.tmp'), String(Math.random()));
    renameSync(path.join(folder, 'aside.tmp'), path.join(folder, name));
  };
  for (let i = 0; i < 3; i++) {
    await next(`change ${i} of a.yaml`, () => replace('a.yaml'));
    await next(`change ${i} of inner/b.yml`, () => replace('inner/b.yml'));
  }
  await next('a new file', () => replace('c.json'));
  await next('a new folder', () => mkdirSync(path.join(folder, 'later')));
  await next('a file in the new folder', () => replace('later/d.yaml'));
  await next('a file that goes', () => rmSync(path.join(folder, 'a.yaml')));
});

test('a folder that was taken away and put back is watched again', async (t) => {
  const root = meshFolder(t, {});
  const folder = path.join(root, 'mesh');
  mkdirSync(folder);
  const next = watching(t, [folder]);
  await next('its end', () => rmSync(folder, { recursive: true }));
  await next('its return', () => mkdirSync(folder));
  await next('a file in it', () => writeFileSync(path.join(folder, 'a.yaml'), '1'));
});

test('one file: by itself, and by the link of a mounted ConfigMap', async (t) => {
  const folder = meshFolder(t, { 'a.yaml': '1', 'other.yaml': '1' });
  const next = watching(t, [path.join(folder, 'a.yaml')]);
  await next('the file', () => writeFileSync(path.join(folder, 'a.yaml'), '2'));
  await next('the link', () => {
    symlinkSync('a.yaml', path.join(folder, '..data_tmp'));
    renameSync(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
  });
});

test('what is not there, and stdin, are no reason to fail', (t) => {
  const stop = watchFiles(['-', '/no/such/folder/file.yaml'], () => assert.fail());
  t.after(stop);
});
