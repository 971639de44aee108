/** The admin page over HTTP: its forms, its refusals, and what it never does. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { parseAdmin } from '../../src/admin/address.js';
import { startAdmin } from '../../src/admin/server.js';
import { RmtopError } from '../../src/errors.js';
import type { HostPort } from '../../src/mesh/address.js';
import { get, openPage, type Page, seen } from '../helpers/admin.js';
import { sharedServer } from '../helpers/cluster.js';
import { startProxy, type TestProxy } from '../helpers/proxy.js';
import { until } from '../helpers/until.js';

const server = sharedServer();

/** A proxy that has carried out a SET and three GETs, and its page. */
async function busy(
  t: TestContext,
  statPrefixes: readonly string[] = ['shop'],
): Promise<{ readonly page: HostPort; readonly proxy: TestProxy }> {
  const proxy = await startProxy(t, { seeds: [server.port()] });
  const client = await proxy.client();
  await client.ask('SET', 'k', 'v');
  for (let i = 0; i < 3; i++) await client.ask('GET', 'k');
  await until(() => proxy.commands.length === 4);
  const page = await openPage(
    t,
    statPrefixes.map((statPrefix) => seen(proxy, { statPrefix })),
  );
  return { page, proxy };
}

const linesOf = ({ body }: Page): string[] => body.split('\n').filter(Boolean);

test('/stats: every statistic a line, counters and gauges before histograms, each by name', async (t) => {
  const { page } = await busy(t);
  const all = await get(page, '/stats');
  assert.deepEqual([all.status, all.type], [200, 'text/plain; charset=utf-8']);
  const lines = linesOf(all);
  assert.ok(lines.length > 600, `Envoy has entries for every command it knows: ${lines.length}`);
  assert.ok(lines.includes('redis.shop.command.get.total: 3'));
  assert.ok(lines.includes('redis.shop.command.zadd.total: 0'));
  assert.ok(lines.includes('redis.shop.command.zadd.latency: No recorded values'));
  const names = lines.map((line) => line.slice(0, line.indexOf(': ')));
  const firstTimed = names.findIndex((name) => name.endsWith('latency') || name.endsWith('_time'));
  assert.deepEqual(names.slice(0, firstTimed), names.slice(0, firstTimed).sort());
  assert.equal(new Set(names).size, names.length);
});

test('usedonly, filter and type select', async (t) => {
  const { page } = await busy(t);
  const names = async (query: string): Promise<string[]> =>
    linesOf(await get(page, `/stats?${query}`)).map((line) => line.slice(0, line.indexOf(': ')));
  assert.deepEqual(await names('usedonly&filter=command'), [
    'redis.shop.command.get.success',
    'redis.shop.command.get.total',
    'redis.shop.command.set.success',
    'redis.shop.command.set.total',
    'cluster.redis.redis_cluster.upstream_commands.upstream_rq_time',
    'redis.shop.command.get.latency',
    'redis.shop.command.set.latency',
  ]);
  assert.deepEqual(await names('filter=%5Eredis%5C.shop%5C.command%5C.(get|set)%5C.total%24'), [
    'redis.shop.command.get.total',
    'redis.shop.command.set.total',
  ]);
  assert.ok((await names('type=Gauges')).includes('redis.shop.downstream_cx_active'));
  assert.ok((await names('type=Histograms')).every((name) => /latency$|_time$/.test(name)));
});

test('format=json has the same figures; histograms come as quantiles or buckets', async (t) => {
  const { page } = await busy(t);
  const read = async (query: string): Promise<{ stats: Record<string, unknown>[] }> => {
    const answer = await get(page, `/stats?format=json&usedonly&filter=command.get&${query}`);
    assert.equal(answer.type, 'application/json');
    return JSON.parse(answer.body);
  };
  const { stats } = await read('');
  assert.deepEqual(stats.slice(0, 2), [
    { name: 'redis.shop.command.get.success', value: 3 },
    { name: 'redis.shop.command.get.total', value: 3 },
  ]);
  const histograms = stats[2]?.histograms as {
    supported_quantiles: number[];
    computed_quantiles: { name: string; values: { cumulative: number }[] }[];
  };
  const [latency] = histograms.computed_quantiles;
  assert.equal(latency?.name, 'redis.shop.command.get.latency');
  const values = latency?.values.map((each) => each.cumulative) ?? [];
  assert.equal(values.length, histograms.supported_quantiles.length);
  assert.deepEqual(
    values,
    values.toSorted((a, b) => a - b),
  );
  const buckets = (await read('histogram_buckets=cumulative')).stats[2]?.histograms as {
    buckets: { upper_bound: number; cumulative: number }[];
  }[];
  assert.equal(buckets[0]?.buckets.at(-1)?.cumulative, 3);
  const disjoint = (await read('histogram_buckets=disjoint')).stats[2]?.histograms as {
    buckets: { upper_bound: number; cumulative: number }[];
  }[];
  assert.equal(
    disjoint[0]?.buckets.reduce((sum, each) => sum + each.cumulative, 0),
    3,
  );
});

/** `name{labels} value`, as the exposition format 0.0.4 has it. */
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*)\} (\S+)$/;

test('/stats/prometheus: one family after another, labels instead of names, histograms that add up', async (t) => {
  const { page } = await busy(t, ['shop', 'a "b"\\']);
  const answer = await get(page, '/stats/prometheus?usedonly');
  assert.match(answer.type, /^text\/plain; version=0\.0\.4/);
  const families = new Map<string, string>();
  const samples = new Map<string, number>();
  let family = '';
  for (const line of linesOf(answer)) {
    const [, name = '', kind = ''] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (name !== '') {
      assert.ok(!families.has(name), `${name} twice`);
      families.set(name, kind);
      family = name;
      continue;
    }
    const [, sample = '', labels = '', value = ''] = SAMPLE.exec(line) ?? assert.fail(line);
    assert.equal(sample.replace(/_(bucket|sum|count)$/, ''), family);
    samples.set(`${sample}{${labels}}`, Number(value));
  }
  const shop = 'envoy_redis_prefix="shop"';
  assert.equal(families.get('envoy_redis_command_get_total'), 'counter');
  assert.equal(families.get('envoy_redis_downstream_cx_active'), 'gauge');
  assert.equal(families.get('envoy_redis_command_get_latency'), 'histogram');
  assert.equal(samples.get(`envoy_redis_command_get_total{${shop}}`), 3);
  assert.equal(samples.get('envoy_redis_command_get_total{envoy_redis_prefix="a \\"b\\"\\\\"}'), 3);
  assert.equal(samples.get('envoy_cluster_upstream_cx_active{envoy_cluster_name="redis"}'), 2);
  const buckets = [...samples].filter(([name]) =>
    name.startsWith(`envoy_redis_command_get_latency_bucket{${shop}`),
  );
  const counts = buckets.map(([, count]) => count);
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
  );
  assert.match(buckets.at(-1)?.[0] ?? '', /le="\+Inf"/);
  assert.equal(counts.at(-1), 3);
  assert.equal(samples.get(`envoy_redis_command_get_latency_count{${shop}}`), 3);
});

test('listeners of one stat_prefix are one, as in Envoy', async (t) => {
  const { page } = await busy(t, ['shop', 'shop']);
  assert.ok(linesOf(await get(page, '/stats')).includes('redis.shop.command.get.total: 6'));
});

test('/config_dump shows the configuration in force, also after it has changed', async (t) => {
  const { page, proxy } = await busy(t);
  const dump = async (): Promise<string> => {
    const answer = await get(page, '/config_dump');
    assert.deepEqual([answer.status, answer.type], [200, 'application/json']);
    return JSON.stringify(JSON.parse(answer.body));
  };
  assert.match(await dump(), /"stat_prefix":"shop"[\s\S]*"read_policy":"MASTER"/);
  const { config } = proxy.handle;
  await proxy.handle.reconfigure({
    ...config,
    settings: { ...config.settings, readPolicy: 'ANY' },
  });
  assert.match(await dump(), /"read_policy":"ANY"/);
});

test('/ and /ready; other paths and other methods are refused, HEAD has no body', async (t) => {
  const { page } = await busy(t);
  assert.match((await get(page, '/')).body, /127\.0\.0\.1:\d+ {2}test[\s\S]*\/stats\/prometheus/);
  assert.equal((await get(page, '/ready')).body, 'LIVE\n');
  const missing = await get(page, '/quitquitquit');
  assert.equal(missing.status, 404);
  assert.match(missing.body, /\/config_dump/);
  assert.equal((await get(page, '/stats', { method: 'POST' })).status, 405);
  const head = await get(page, '/ready', { method: 'HEAD' });
  assert.deepEqual([head.status, head.body], [200, '']);
});

test('a wrong query is told what is wrong with it', async (t) => {
  const { page } = await busy(t);
  const cases: [string, RegExp][] = [
    ['filter=(', /no regular expression/],
    ['filter=(a%2B)%2B', /repetition/],
    ['type=Things', /there is no type "Things"; there is Counters/],
    ['format=xml', /there is no format "xml"/],
    ['histogram_buckets=x', /summary, cumulative or disjoint/],
  ];
  for (const [query, text] of cases) {
    const answer = await get(page, `/stats?${query}`);
    assert.equal(answer.status, 400, query);
    assert.match(answer.body, text);
  }
});

test('a page of the web that took our address for its name gets nothing', async (t) => {
  const { page } = await busy(t);
  const ask = (host: string): Promise<Page> => get(page, '/config_dump', { headers: { host } });
  assert.equal((await ask('evil.example:9901')).status, 403);
  for (const host of ['localhost', 'localhost:9901', '127.0.0.1:1', '[::1]:9901'])
    assert.equal((await ask(host)).status, 200, host);
});

test('when the core has died the page says so instead of hanging', async (t) => {
  const { proxy } = await busy(t);
  const handle = {
    ...proxy.handle,
    totals: () => Promise.reject(new RmtopError('INTERNAL', 'gone')),
  };
  const page = await openPage(t, [
    seen(proxy, {
      handle: { ...handle, address: proxy.handle.address, config: proxy.handle.config },
    }),
  ]);
  const answer = await get(page, '/stats');
  assert.equal(answer.status, 503);
  assert.match(answer.body, /gone/);
});

test('an address is HOST:PORT or a port of this machine; one that others can reach has to be wanted', async () => {
  assert.deepEqual(parseAdmin('127.0.0.1:9901', false), { host: '127.0.0.1', port: 9901 });
  assert.deepEqual(parseAdmin('9901', false), { host: '127.0.0.1', port: 9901 });
  assert.deepEqual(parseAdmin(':0', false), { host: '127.0.0.1', port: 0 });
  assert.deepEqual(parseAdmin('[::1]:9901', false), { host: '::1', port: 9901 });
  assert.deepEqual(parseAdmin('0.0.0.0:9901', true), { host: '0.0.0.0', port: 9901 });
  for (const wrong of ['', 'nowhere', 'host:', 'host:99999', 'http://localhost:1/'])
    assert.throws(() => parseAdmin(wrong, false), { code: 'BAD_ADDRESS' }, wrong);
  for (const open of ['0.0.0.0:9901', '[::]:9901', '192.168.1.4:9901', 'example.com:9901']) {
    assert.throws(() => parseAdmin(open, false), /open to other machines/, open);
    await assert.rejects(
      startAdmin({ listen: parseAdmin(open, true), proxies: () => [] }),
      /open to other machines/,
    );
  }
});
