/** Files that are wrong in any way: findings, or an error that says what to do; never anything else thrown. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { diagnosticLines } from '../../src/config/diagnostic.js';
import { loadMesh } from '../../src/config/load.js';
import type { LoadedMesh } from '../../src/config/mesh.js';
import { messageOf, RmtopError } from '../../src/errors.js';
import { parseAddressMap } from '../../src/mesh/address-map.js';
import { compileConfig } from '../../src/mesh/compile.js';
import { bootstrap, fixture, load, TO_A, theOne } from '../helpers/mesh-files.js';
import { meshFolder } from '../helpers/mesh-run.js';

const EXAMPLES = [
  'bootstrap-v2',
  'bootstrap-v3',
  'client-password',
  'cluster-seeds',
  'envoy-filters',
  'faults',
  'mirrors',
  'outside',
  'prefix-routes',
  'read-policies',
  'server-password',
].map((name) => fixture(`examples/${name}.yaml`));

/** Fixed, so that whoever changes something else is not the one to find what is left. */
const SEED = 1729;

const OPTIONS = { intended: false, set: {}, env: {}, envoy: 40 };

/** What holds of whatever was loaded: it can be told, and run. */
function isSound(mesh: LoadedMesh): void {
  for (const each of mesh.diagnostics) {
    assert.ok(each.line >= 1 && each.column >= 1 && each.file !== '', JSON.stringify(each));
    const text = diagnosticLines(each).join('\n');
    assert.ok(!/undefined|NaN|\[object/.test(text), text);
  }
  for (const { config } of mesh.listeners) {
    compileConfig(config);
    assert.deepEqual(JSON.parse(JSON.stringify(config)), config, 'a configuration is plain JSON');
    for (const route of config.routes) assert.ok(Object.hasOwn(config.upstreams, route.upstream));
  }
  parseAddressMap(mesh.addressMap);
  if (mesh.listeners.length === 0)
    assert.ok(
      mesh.diagnostics.some(({ code }) => code === 'READ-NOTHING'),
      'nothing to run is said',
    );
}

const SCRAPS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ': ',
    '- ',
    ',',
    '"',
    "'",
    '|',
    '>',
    '#',
    '---\n',
    '...\n',
    '\n',
    '\t',
    '  ',
    '?',
    '!',
  ],
  ...[
    '&a ',
    '*a',
    '<<: *a',
    '!!binary x',
    '!!js/function x',
    '%YAML 1.3\n',
    '@',
    '`',
    '\0',
    '\u2028',
    '\ud800',
    '\ufeff',
  ],
  ...[
    `\${X}`,
    '{{ x }}',
    '{% x %}',
    '~',
    'null',
    'true',
    '-1',
    '1e999',
    '.nan',
    '0x7fffffffffffffff',
    '6379',
  ],
  ...[
    'kind: List\nitems: ',
    '"@type": ',
    'cluster: ',
    'host: ',
    '__proto__: ',
    'constructor: ',
    'toString: ',
  ],
];

test('a good file with its text cut, doubled and sprinkled', () => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.integer({ min: 0, max: 60 }),
    put: fc.oneof(fc.constantFrom(...SCRAPS), fc.string({ maxLength: 8 })),
    doubles: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...EXAMPLES),
      fc.array(edit, { minLength: 1, maxLength: 5 }),
      (text, edits) => {
        let now = text;
        for (const { at, cut, put, doubles } of edits) {
          const from = Math.floor(at * now.length);
          const gone = now.slice(from, from + cut);
          now = `${now.slice(0, from)}${put}${doubles ? gone + gone : ''}${now.slice(from + cut)}`;
        }
        isSound(load(now));
      },
    ),
    { seed: SEED, numRuns: 150 },
  );
});

/** Every place in a value, as the path to it. */
function placesIn(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, each]) => placesIn(each, [...at, key]))];
}

function put(value: unknown, [key, ...rest]: readonly string[], odd: unknown): unknown {
  if (key === undefined) return odd;
  if (Array.isArray(value))
    return value.map((each, i) => (String(i) === key ? put(each, rest, odd) : each));
  const entries = Object.entries(value as Record<string, unknown>);
  return Object.fromEntries(
    entries.map(([name, each]) => [name, name === key ? put(each, rest, odd) : each]),
  );
}

const ODD = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0,
    1.5,
    1e308,
    2 ** 53,
    '',
    ' ',
    'x y',
    '6379',
    '::',
    '[::1',
    'a:b:c',
    [],
    {},
    [[]],
    [null],
    { '': '' },
  ),
  fc.constantFrom<unknown>(
    'MASTER',
    '-5s',
    '5',
    '1h',
    '%KEY%',
    '%%',
    'outbound|x||',
    'outbound|6379||',
    'inbound|1||',
    '{',
    '__proto__',
    '\u0000',
    '\n',
  ),
  fc.jsonValue({ maxDepth: 3 }),
);

test('a good file with a value of any other kind at any place', () => {
  const documents = EXAMPLES.map((text) =>
    parseAllDocuments(text).map((each): unknown => each.toJS()),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...documents),
      fc.array(fc.tuple(fc.nat(), ODD), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (good, changes, intended) => {
        let now: unknown = good;
        for (const [n, odd] of changes) {
          const places = placesIn(now);
          now = put(now, places[n % places.length] ?? [], odd);
        }
        const texts = (Array.isArray(now) ? now : [now]).map(
          (each) => JSON.stringify(each) ?? 'null',
        );
        isSound(load(texts.join('\n---\n'), { intended }));
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});

test('each place of each example, with a value of the wrong kind', () => {
  const odds = [null, [], {}, 'odd', -7, [{ odd: [null] }], true];
  let n = 0;
  for (const text of EXAMPLES) {
    const good = parseAllDocuments(text).map((each): unknown => each.toJS());
    for (const place of placesIn(good)) {
      const odd = odds[n++ % odds.length];
      const now = put(good, place, odd);
      const all = (Array.isArray(now) ? now : [now]).map((each) => JSON.stringify(each));
      try {
        isSound(load(all.join('\n---\n')));
      } catch (error) {
        throw new TypeError(`${place.join('.')} = ${JSON.stringify(odd)}: ${messageOf(error)}`);
      }
    }
  }
});

const unreadable = (message: RegExp) => (error: unknown) =>
  error instanceof RmtopError && error.code === 'FILE_UNREADABLE' && message.test(error.message);

test('paths: what is not there, a folder without YAML, a link that leads nowhere', (t) => {
  const folder = meshFolder(t, { 'notes.txt': 'x', '.hidden.yaml': bootstrap(TO_A) });
  assert.throws(
    () => loadMesh([path.join(folder, 'none.yaml')], OPTIONS),
    unreadable(/none\.yaml cannot be read/),
  );
  assert.throws(() => loadMesh([folder], OPTIONS), unreadable(/holds no \*\.yaml/));
  symlinkSync('nowhere', path.join(folder, 'link.yaml'));
  assert.throws(() => loadMesh([folder], OPTIONS), unreadable(/holds no \*\.yaml/));
  assert.throws(
    () => loadMesh([path.join(folder, 'link.yaml')], OPTIONS),
    unreadable(/link\.yaml/),
  );
  mkdirSync(path.join(folder, 'folder.yaml'));
  writeFileSync(path.join(folder, 'good.yml'), bootstrap(TO_A));
  assert.equal(
    loadMesh([folder], OPTIONS).listeners.length,
    1,
    'a folder called .yaml is a folder',
  );
});

test('bytes that are no text, and an empty file', (t) => {
  const bytes = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256));
  const folder = meshFolder(t, { 'empty.yaml': '' });
  writeFileSync(path.join(folder, 'picture.yaml'), bytes);
  const mesh = loadMesh([folder], OPTIONS);
  isSound(mesh);
  assert.deepEqual(mesh.listeners, []);
});

test('huge files: many documents, a line of megabytes, JSON that breaks off, aliases of aliases', () => {
  const many = `${'kind: Pod\napiVersion: v1\n---\n'.repeat(3000)}${bootstrap(TO_A)}`;
  assert.equal(load(many).listeners.length, 1);
  isSound(load(`a: "${'x'.repeat(3_000_000)}"`));
  isSound(load(`{"configs": [${'{"a": 1},'.repeat(200_000)}`));
  isSound(load('['.repeat(5000)));
  isSound(load(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`));
  const levels = Array.from(
    { length: 30 },
    (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`,
  );
  const laughs = load(`a0: &a0 [x]\n${levels.join('\n')}`);
  isSound(laughs);
  assert.ok(laughs.diagnostics.some(({ code }) => code === 'READ-YAML'));
});

test('names that objects have by themselves are names like others', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
    isSound(
      load(
        bootstrap(`prefix_routes: {catch_all_route: {cluster: ${name}}}`, [
          `{name: ${name}, type: STATIC, lb_policy: MAGLEV}`,
        ]),
      ),
    );
  assert.match(
    theOne(load(bootstrap(`${TO_A}\n__proto__: 1`)), 'READ-UNKNOWN').message,
    /no such field/,
  );
});
