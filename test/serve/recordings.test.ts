/** Every recording in recordings/ is served, and replayed against what serves it: nothing differs, nothing is missed. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { replay, serve } from 'rmtop/test';
import { repository } from '../helpers/packed.js';

const folder = path.join(repository(), 'recordings');
const files = readdirSync(folder).filter((name) => name.endsWith('.rmtop'));

test('there are recordings', () => assert.ok(files.length > 10));

for (const name of files) {
  test(name, async (t) => {
    const file = path.join(folder, name);
    const fake = await serve(file, { faults: 'recorded' });
    t.after(() => fake.close());
    const results = await replay(file, { url: fake.url, guardMs: 20_000 });
    assert.deepEqual(results.differences, []);
    assert.deepEqual(fake.misses(), []);
    assert.ok(results.same > 0);
  });
}
