/** Every finding: what brings it about, and that it is told at the place it is about. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { DIAGNOSTIC_LEVELS, diagnosticLines } from '../../src/config/diagnostic.js';
import { found, load } from '../helpers/mesh-files.js';
import { AERAKI_CASES } from './cases/aeraki.js';
import { ENVOY_CASES } from './cases/envoy.js';
import { READ_CASES } from './cases/read.js';

const CASES = [...READ_CASES, ...AERAKI_CASES, ...ENVOY_CASES];

/** Found by asking servers: test/bin/check.test.ts has them. */
const ASKED: ReadonlySet<string> = new Set([
  'MAP-MISSING',
  'UPSTREAM-MISMATCH',
  'UPSTREAM-LOGIN',
  'UPSTREAM-UNREACHABLE',
]);

for (const { code, why, text, level, given } of CASES) {
  test(`${code}: ${why}`, () => {
    const texts = typeof text === 'string' ? { 'mesh.yaml': text } : text;
    const [file, marked] =
      Object.entries(texts).find(([, each]) => each.includes('§')) ?? assert.fail('no §');
    const before = marked.slice(0, marked.indexOf('§')).split('\n');
    const place = [file, before.length, (before.at(-1) ?? '').length + 1];
    const mesh = load(
      Object.fromEntries(
        Object.entries(texts).map(([name, each]) => [name, each.replace('§', '')]),
      ),
      given,
    );
    const all = found(mesh, code);
    const hit = all.find((each) => [each.file, each.line, each.column].join() === place.join());
    assert.ok(
      hit !== undefined,
      `wanted at ${place.join(':')}; there are:\n${mesh.diagnostics.flatMap(diagnosticLines).join('\n')}`,
    );
    assert.equal(hit.level, level ?? DIAGNOSTIC_LEVELS[code]);
    assert.ok(hit.message !== '' && !hit.message.includes('undefined'), hit.message);
    // Whoever reads it can do something, or need not.
    assert.ok(hit.level === 'info' || hit.consequence !== '' || hit.advice !== '', hit.message);
  });
}

test('every code has a case', () => {
  const cases = new Set([...CASES.map(({ code }) => code as string), ...ASKED]);
  assert.deepEqual(
    Object.keys(DIAGNOSTIC_LEVELS).filter((code) => !cases.has(code)),
    [],
  );
});

test('a finding as text: place, level, code, what follows and what to do; nothing in it acts on a terminal', () => {
  const lines = diagnosticLines({
    file: 'a\x1b[2J.yaml',
    line: 3,
    column: 5,
    code: 'READ-YAML',
    level: 'error',
    message: 'not\x07 \u202eYAML é',
    consequence: 'so\nwhat',
    advice: '',
  });
  assert.deepEqual(lines, [
    'a\\x1b[2J.yaml:3:5: error[READ-YAML]: not\\x07 \\u{202e}YAML é',
    '    so:   so\\x0awhat',
  ]);
});
