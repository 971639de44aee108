/** The tables of tolerances against a real server's own tags, and their settings. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from '../../src/commands/command.js';
import {
  DEFAULT_TOLERANCES,
  NO_TOLERANCES,
  parseTolerances,
  tolerancesOf,
} from '../../src/compare/tolerances.js';
import { RmtopError } from '../../src/errors.js';
import { decodeReply, type Reply, textOf } from '../../src/resp/value.js';
import { TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';

const { port } = sharedServer();

/** Names of all commands and subcommands, with their tips. */
function tipsOf(reply: Reply | undefined): [string, string[]][] {
  if (reply?.type !== '*') return [];
  return reply.items.flatMap((row) => {
    const [name, , , , , , , tips, , subcommands] = row.type === '*' ? row.items : [];
    const texts = tips?.type === '*' ? tips.items.map((tip) => String(textOf(tip))) : [];
    const word = name === undefined ? '' : String(textOf(name)).toUpperCase().replace('|', ' ');
    return [[word, texts] as [string, string[]], ...tipsOf(subcommands)];
  });
}

test('every command that the server tags is tolerated, by order where it says so', async (t) => {
  const client = await TestClient.connect(port());
  t.after(() => client.close());
  const reply = decodeReply(Buffer.from(await client.ask('COMMAND'), 'latin1'));
  const tips = tipsOf(reply ?? undefined);
  assert.ok(tips.length > 300);
  for (const [name, texts] of tips) {
    const argv = name === 'XADD' ? ['XADD', 's', '*', 'f', 'v'] : name.split(' ');
    const found = tolerancesOf(Command.of(argv), DEFAULT_TOLERANCES);
    if (texts.includes('nondeterministic_output_order'))
      assert.ok(found.includes('order'), `${name}: ${found.join()}`);
    if (texts.includes('nondeterministic_output')) assert.notDeepEqual(found, [], name);
  }
});

test('settings are read one over the other', () => {
  assert.deepEqual(parseTolerances(['none']), NO_TOLERANCES);
  assert.deepEqual(parseTolerances(['none', 'order=on,ttl=5s']), {
    ...NO_TOLERANCES,
    order: true,
    ttlMs: 5000,
  });
  assert.equal(parseTolerances(['ttl=500ms']).ttlMs, 500);
  assert.equal(parseTolerances(['errors=strict']).errorText, false);
  assert.equal(parseTolerances(['server=compare,time=strict,float=0']).float, 0);
  for (const wrong of ['ttl=soon', 'order', 'nosuch=1', 'float=-1'])
    assert.throws(
      () => parseTolerances([wrong]),
      (error) => error instanceof RmtopError && error.code === 'USAGE',
    );
});
