/** The import table of the architecture, and the few laws of a file that can be read off its text. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

/**
 * What each folder may import besides its own files: folders of src by name, packages, Node's own modules (`node:*` for all).
 *
 * It departs from the page where the code does so on purpose: events are decoded lazily, by deciding again, so they need mesh,
 * commands and resp; mesh makes its answers with resp's encoder; the filter came later: records are filtered by it, and the scope of a
 * fault rule is one, as are the commands that a user's tolerance is for.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/errors.ts': [],
  'src/resp': ['errors', 'redis-parser'],
  'src/commands': ['resp'],
  'src/mesh': ['commands', 'resp', 'errors', 'cluster-key-slot'],
  'src/compare': ['filter', 'commands', 'resp', 'errors'],
  'src/config': ['mesh', 'filter', 'errors', 'yaml'],
  'src/config/load.ts': ['errors', 'node:fs', 'node:path'],
  'src/events': ['mesh', 'commands', 'resp', 'node:crypto'],
  'src/filter': ['events', 'mesh', 'commands', 'resp', 'errors'],
  'src/proxy': [
    'compare',
    'filter',
    'events',
    'mesh',
    'commands',
    'resp',
    'errors',
    'redis-parser',
    'node:*',
  ],
  'src/admin': [
    'proxy',
    'config',
    'events',
    'filter',
    'mesh',
    'commands',
    'errors',
    'node:http',
    'node:net',
    'node:events',
  ],
  'src/recording': ['events', 'mesh', 'commands', 'resp', 'filter', 'compare', 'errors', 'node:*'],
  'src/serve': [
    'recording',
    'proxy',
    'events',
    'filter',
    'mesh',
    'commands',
    'resp',
    'compare',
    'errors',
    'node:*',
  ],
  'src/testing': [
    'serve',
    'recording',
    'proxy',
    'config',
    'config/load',
    'events',
    'filter',
    'mesh',
    'commands',
    'resp',
    'compare',
    'errors',
    'node:fs',
  ],
  'src/test.ts': ['testing', 'recording', 'compare'],
  'src/index.ts': [
    'errors',
    'resp',
    'commands',
    'compare',
    'mesh',
    'config',
    'config/load',
    'events',
    'filter',
    'proxy',
    'recording',
    'admin',
    'serve',
  ],
  ui: ['rmtop', 'ink', 'react', 'string-width', '@alcalzone/ansi-tokenize', 'node:*'],
  'ui/values': ['@msgpack/msgpack', 'node:buffer', 'node:zlib'],
  'ui/charts/contrib.ts': ['blessed', 'blessed-contrib', 'node:*'],
  // Data only: settings are checked against it before there is a screen.
  'ui/key-table.ts': ['rmtop'],
  bin: ['rmtop', 'ui', 'ui/key-table', 'commander', 'node:*'],
  'bin/settings': ['rmtop', 'bin', 'ui/key-table', 'commander', 'yaml', 'node:*'],
};

/** The screen sees events and decisions, never sockets. */
const NEVER_IN_UI = [
  'node:net',
  'node:tls',
  'node:http',
  'node:dgram',
  'node:dns',
  'node:worker_threads',
];

/** Same inputs, same outputs: nothing here may look at the world. */
const PURE = ['src/resp', 'src/commands', 'src/compare', 'src/mesh', 'src/filter', 'src/config'];
const IMPURE =
  /\bMath\.random\b|\bDate\.now\b|\bnew Date\b|\bperformance\.|\bprocess\.|\bset(?:Timeout|Interval|Immediate)\b|\bconsole\./;

/** Source files by path from the root, `/` between folders. */
type Sources = ReadonlyMap<string, string>;

type Import = { readonly from: string; readonly typesOnly: boolean; readonly isThread: boolean };

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

/** The imports of a file: static ones, re-exports, `import()`, and workers that are started from it. */
function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const statics = code.matchAll(/^(?:import|export)\s(type\s)?(?:[^'";]*?\sfrom\s)?\s*'([^']+)'/gm);
  const dynamics = code.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g);
  const threads = code.matchAll(/new URL\('(\.[^']+\.js)', import\.meta\.url\)/g);
  return [
    ...[...statics].map(([, type, from = '']) => ({
      from,
      typesOnly: type !== undefined,
      isThread: false,
    })),
    ...[...dynamics].map(([, from = '']) => ({ from, typesOnly: false, isThread: false })),
    ...[...threads].map(([, from = '']) => ({ from, typesOnly: false, isThread: true })),
  ];
}

/** The row of the table that a file is under; the longest that fits. */
function rowOf(file: string): string | undefined {
  const fits = Object.keys(MAY_IMPORT).filter((row) => file === row || file.startsWith(`${row}/`));
  return fits.sort((a, b) => b.length - a.length)[0];
}

/** The source file that a relative import is of; undefined when there is none. */
function resolve(file: string, from: string, sources: Sources): string | undefined {
  if (!from.startsWith('.')) return undefined;
  const target = path.posix.join(path.posix.dirname(file), from).replace(/\.js$/, '');
  return [`${target}.ts`, `${target}.tsx`].find((candidate) => sources.has(candidate));
}

/** What a file imports that its row does not allow. */
function violations(sources: Sources): string[] {
  const found: string[] = [];
  for (const [file, text] of sources) {
    const row = rowOf(file);
    if (row === undefined) {
      found.push(`${file} is in no folder of the table`);
      continue;
    }
    for (const { from } of importsOf(text)) {
      const wrong = (why: string): number => found.push(`${file} imports ${from}: ${why}`);
      if (!from.startsWith('.')) {
        const isAllowed = MAY_IMPORT[row]?.some(
          (each) => each === from || (each === 'node:*' && from.startsWith('node:')),
        );
        if (!isAllowed || (row.startsWith('ui') && NEVER_IN_UI.includes(from)))
          wrong(`not for ${row}`);
        continue;
      }
      const target = resolve(file, from, sources);
      if (target === undefined) {
        wrong('there is no such file');
        continue;
      }
      const to = rowOf(target) ?? '';
      // A file with a row of its own within a folder is still one of the folder's files.
      const isOwn = to === row || to.startsWith(`${row}/`) || row.startsWith(`${to}/`);
      const name = to.replace(/^src\//, '').replace(/\.ts$/, '');
      if (!isOwn && !MAY_IMPORT[row]?.includes(name)) wrong(`${row} may not`);
    }
  }
  return found;
}

/** Cycles of imports that exist when the program runs: types are gone by then, a worker is another program. */
function cycles(sources: Sources): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at !== -1) found.push([...way.slice(at), file].join(' > '));
    if (at !== -1 || done.has(file)) return;
    for (const { from, typesOnly, isThread } of importsOf(sources.get(file) ?? '')) {
      const target = typesOnly || isThread ? undefined : resolve(file, from, sources);
      if (target !== undefined) visit(target, [...way, file]);
    }
    done.add(file);
  };
  for (const file of sources.keys()) visit(file, []);
  return found;
}

function defaultExports(sources: Sources): string[] {
  return [...sources]
    .filter(([, text]) =>
      /^export default\b|\bas default\b|^export \*/m.test(withoutComments(text)),
    )
    .map(([file]) => file);
}

function impurities(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) => {
    const [word] = IMPURE.exec(withoutComments(text)) ?? [];
    return word !== undefined && PURE.some((folder) => file.startsWith(`${folder}/`))
      ? [`${file}: ${word}`]
      : [];
  });
}

/** The tree's own sources. */
function readSources(): Sources {
  let root = import.meta.dirname;
  while (!existsSync(path.join(root, 'package.json'))) root = path.dirname(root);
  const sources = new Map<string, string>();
  for (const folder of ['src', 'ui', 'bin']) {
    for (const name of readdirSync(path.join(root, folder), {
      recursive: true,
      encoding: 'utf8',
    }).sort()) {
      const file = `${folder}/${name.split(path.sep).join('/')}`;
      if (/\.tsx?$/.test(file)) sources.set(file, readFileSync(path.join(root, file), 'utf8'));
    }
  }
  return sources;
}

const sources = readSources();

test('every import is one that the table allows', () => assert.deepEqual(violations(sources), []));
test('no import goes in a circle', () => assert.deepEqual(cycles(sources), []));
test('exports are named, one by one', () => assert.deepEqual(defaultExports(sources), []));
test('what is pure has no clock, chance, process or timer', () =>
  assert.deepEqual(impurities(sources), []));

test('all of it was read', () => {
  assert.ok(sources.size > 80);
  const imports = [...sources.values()].flatMap(importsOf);
  assert.ok(
    imports.length > 300 &&
      imports.some((each) => each.isThread) &&
      imports.some((each) => each.typesOnly),
  );
  assert.ok(
    importsOf(sources.get('bin/rmtop.ts') ?? '').some((each) => each.from === './program.js'),
    'import()',
  );
});

test.describe('the checks see', () => {
  const tree = (files: Readonly<Record<string, string>>): Sources => new Map(Object.entries(files));
  const decide = { 'src/mesh/decide.ts': '' };

  const WRONG: readonly (readonly [what: string, file: string, text: string])[] = [
    ['mesh that imports events', 'src/mesh/a.ts', "import { x } from '../events/bus.js';"],
    [
      'mesh that imports a type of proxy',
      'src/mesh/a.ts',
      "import type { X } from '../proxy/pool.js';",
    ],
    ['mesh that opens files', 'src/mesh/a.ts', "import { readFileSync } from 'node:fs';"],
    ['resp that knows commands', 'src/resp/a.ts', "export { decide } from '../commands/table.js';"],
    [
      'an import over several lines',
      'src/commands/a.ts',
      "import {\n  a,\n  type B,\n} from '../mesh/decide.js';",
    ],
    [
      'an import() within a function',
      'src/mesh/a.ts',
      "async function f() {\n  await import('../proxy/pool.js');\n}",
    ],
    ['an import for its effect', 'src/filter/a.ts', "import 'ink';"],
    [
      'a worker of another folder',
      'src/recording/a.ts',
      "new Worker(new URL('../proxy/worker.js', import.meta.url))",
    ],
    [
      'the screen that reaches into src',
      'ui/a.tsx',
      "import { decide } from '../src/mesh/decide.js';",
    ],
    ['the screen that opens sockets', 'ui/a.tsx', "import { connect } from 'node:net';"],
    ['charts outside their file', 'ui/panes/a.tsx', "import contrib from 'blessed-contrib';"],
    ['bin that reaches into src', 'bin/a.ts', "import { decide } from '../src/mesh/decide.js';"],
    [
      'src that imports the package’s own name',
      'src/proxy/a.ts',
      "import { decide } from 'rmtop';",
    ],
    ['src that imports the screen', 'src/proxy/a.ts', "import { App } from '../../ui/app.js';"],
    ['a file that is not there', 'src/mesh/a.ts', "import { x } from './nosuch.js';"],
    ['a new folder', 'src/new/a.ts', ''],
  ];
  const others = {
    'src/events/bus.ts': '',
    'src/proxy/pool.ts': '',
    'src/proxy/worker.ts': '',
    'src/commands/table.ts': '',
    'ui/app.tsx': '',
  };
  for (const [what, file, text] of WRONG) {
    test(what, () =>
      assert.equal(violations(tree({ ...decide, ...others, [file]: text })).length, 1),
    );
  }

  test('nothing wrong with what is allowed, nor with comments', () => {
    const fine = {
      ...decide,
      ...others,
      'src/mesh/a.ts':
        "import { x } from './decide.js';\n// import { x } from 'ink';\n/* import 'ink';\n*/",
      'src/proxy/a.ts': "import { x } from '../mesh/decide.js';\nimport net from 'node:net';",
      'ui/charts/contrib.ts': "import blessed from 'blessed';\nimport { App } from '../app.js';",
      'ui/panes.ts': "import { draw } from './charts/contrib.js';\nimport { decide } from 'rmtop';",
      'bin/a.ts': "import { App } from '../ui/app.js';\nimport { decide } from 'rmtop';",
    };
    assert.deepEqual(violations(tree(fine)), []);
  });

  test('cycles, but not those of types or threads', () => {
    const cycle = (text: string): string[] =>
      cycles(tree({ 'src/mesh/a.ts': "import { b } from './b.js';", 'src/mesh/b.ts': text }));
    assert.deepEqual(cycle("import { a } from './a.js';"), [
      'src/mesh/a.ts > src/mesh/b.ts > src/mesh/a.ts',
    ]);
    assert.deepEqual(cycle("import { type A } from './a.js';").length, 1);
    assert.deepEqual(cycle("import type { A } from './a.js';"), []);
    assert.deepEqual(cycle("new URL('./a.js', import.meta.url)"), []);
  });

  test('default exports and barrels', () => {
    for (const text of [
      'export default 1;',
      'export { x as default };',
      "export * from './b.js';",
    ]) {
      assert.deepEqual(defaultExports(tree({ 'src/mesh/a.ts': text })), ['src/mesh/a.ts'], text);
    }
    assert.deepEqual(
      defaultExports(tree({ 'src/mesh/a.ts': '// export default\nexport const x = 1;' })),
      [],
    );
  });

  test('clocks and chance', () => {
    for (const text of [
      'Math.random()',
      'Date.now()',
      'new Date()',
      'performance.now()',
      'process.env',
      'setTimeout(f)',
      "console.log('')",
    ]) {
      assert.equal(impurities(tree({ 'src/mesh/a.ts': text })).length, 1, text);
      assert.deepEqual(impurities(tree({ 'src/proxy/a.ts': text })), []);
    }
    assert.deepEqual(impurities(tree({ 'src/mesh/a.ts': '/** no Math.random */' })), []);
  });
});
