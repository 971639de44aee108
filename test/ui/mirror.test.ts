/** The pane of mirrors: totals of the core, the share of the configuration, and the last difference, whole at every width. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { MirrorTally } from '../../src/events/stats.js';
import { mirrorPane } from '../../ui/panes/mirror.js';
import { plain } from '../../ui/text/styles.js';
import { TestScreen } from '../helpers/model.js';

test('totals of a mirror stand under their names, no figure cut, in a narrow pane and in a wide one', async () => {
  const screen = new TestScreen(200, 50);
  const { stream, model } = screen;
  const [route] = stream.config.routes;
  assert.ok(route !== undefined);
  const fraction = { numerator: 5, of: 1000 as const } as unknown as { numerator: number; of: 100 };
  const mirrors = [{ upstream: 'redis-new', fraction, excludeReads: true }];
  stream.other({
    type: 'config',
    atUs: 1,
    config: { ...stream.config, version: 2, routes: [{ ...route, mirrors }] },
  });
  stream.other({
    type: 'mirror',
    atUs: 2,
    seq: 48104,
    part: 0,
    upstream: 'redis-new',
    address: '10.0.0.1:6379',
    state: 'diff',
    lagUs: 2000,
    durationUs: 3000,
    detail: 'value 18, not 17',
    reply: ':17\r\n',
    cause: null,
  });
  screen.update();
  const tally = new MirrorTally();
  Object.assign(tally, { sent: 1_204_000, same: 1_203_900, different: 98, failed: 2, dropped: 77 });
  model.feed.meter.add({ ...(await stream.totals()), mirrors: { 'redis-new': tally } });
  for (const width of [75, 80, 120]) {
    const head = mirrorPane.head(model, { width, height: 10 }).map(plain);
    const sent = width < 100 ? '1\\.2M +1\\.2M' : '1,204,000 +1,203,900';
    assert.match(head[0] ?? '', /TO +PCT +SENT +SAME +DIFF +FAILED +DROP +LAG p50 +LAG p99 *$/);
    assert.match(head[1] ?? '', new RegExp(`redis-new +0\\.5% +${sent} +98 +2 +77 `));
    assert.doesNotMatch(head.join('\n'), /~/);
    assert.match(head[2] ?? '', /redis-new 0\.0% differ, last #48104/);
  }
  // A mirror in the configuration has its place on a large screen.
  assert.ok(screen.update().cells.some(({ pane }) => pane === 'mirror'));
});
