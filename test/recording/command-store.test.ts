/** Commands that are kept as lines are read again as they were, each with the state it was decided with. */
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { RecordedCommand } from '../../src/recording/command.js';
import { CommandStore } from '../../src/recording/command-store.js';
import { checkLaw } from '../../src/recording/verify.js';
import { RECORDINGS, readAll } from '../helpers/record-files.js';

for (const name of ['resharding', 'failover', 'pubsub-open'])
  test(`${name}: every command comes back, in any order, and decides as recorded`, async () => {
    const { entries, reader } = await readAll(path.join(RECORDINGS, `${name}.rmtop`));
    const store = new CommandStore();
    const events: RecordedCommand[] = [];
    for (const { event, text } of entries)
      if (event instanceof RecordedCommand)
        assert.equal(store.add(event, text), events.push(event) - 1);
    assert.equal(store.length, events.length);
    for (let i = events.length - 1; i >= 0; i--) {
      const again = store.event(i);
      assert.equal(store.event(i), again, 'the one asked for last is not read twice');
      assert.deepEqual([again.json, again.decidedBy], [events[i]?.json, events[i]?.decidedBy]);
      assert.equal(checkLaw(again, reader.context), null);
    }
  });
