/** The package as a stranger gets it: packed by npm, unpacked into another project, with no more beside it than it asks for. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';

/** The repository's own folder. */
export function repository(): string {
  let root = import.meta.dirname;
  while (!existsSync(path.join(root, 'package-lock.json'))) root = path.dirname(root);
  return root;
}

type Manifest = {
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
};

/** A file of the tarball. */
export type PackedFile = { readonly path: string; readonly size: number; readonly mode: number };

/** Packs a copy of what is built, below `work`, so that nobody who runs it is disturbed. Gives the tarball and its files. */
export function pack(work: string): { readonly tarball: string; readonly files: PackedFile[] } {
  const root = repository();
  const copy = path.join(work, 'copy');
  for (const each of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'README.md',
    '.tools',
    ...['src', 'ui', 'bin', '.built'].map((name) => path.join('dist', name)),
  ])
    cpSync(path.join(root, each), path.join(copy, each), {
      recursive: true,
      preserveTimestamps: true,
    });
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  const out = execFileSync('npm', ['pack', '--json', '--pack-destination', work], {
    cwd: copy,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [packed] = JSON.parse(out.slice(out.indexOf('['))) as [
    { filename: string; files: PackedFile[] },
  ];
  return { tarball: path.join(work, packed.filename), files: packed.files };
}

/**
 * Puts the tarball into the `node_modules` of `project`, with the dependencies it declares and `others`, as npm would; they are those of
 * this repository, so that no network is needed. Something that is imported and not declared is not there.
 */
export function install(tarball: string, project: string, others: readonly string[]): void {
  const modules = path.join(project, 'node_modules');
  const own = path.join(modules, 'rmtop');
  mkdirSync(own, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', own]);
  const { bin, dependencies } = JSON.parse(
    readFileSync(path.join(own, 'package.json'), 'utf8'),
  ) as Manifest;
  const root = repository();
  for (const name of [...Object.keys(dependencies), ...others]) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  }
  mkdirSync(path.join(modules, '.bin'));
  for (const [name, file] of Object.entries(bin))
    symlinkSync(path.join('..', 'rmtop', file), path.join(modules, '.bin', name));
}
