/** A RedisService becomes a redis_proxy filter: each row of the config page's 2.3 to 2.5, with Aeraki's slips, and what the CRD reads like. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { perMillion } from '../../src/config/units.js';
import type { MeshConfig } from '../../src/mesh/config.js';
import {
  codes,
  type Given,
  HOST,
  k8sService,
  listener,
  load,
  outbound,
  rule,
  theOne,
} from '../helpers/mesh-files.js';

const generated = (spec: string, given: Given = {}) => listener(load(rule(spec), given));
const intended = (spec: string) => generated(spec, { intended: true });

test.describe('2.3 a RedisService becomes a redis_proxy filter', () => {
  type Row = readonly [
    spec: string,
    field: keyof MeshConfig['settings'],
    generated: unknown,
    intended: unknown,
  ];
  const ROWS: readonly Row[] = [
    ['{}', 'opTimeoutMs', 60_000, 60_000],
    ['{settings: {opTimeout: 250ms}}', 'opTimeoutMs', 250, 250],
    ['{settings: {opTimeout: 1h30m}}', 'opTimeoutMs', 5_400_000, 5_400_000],
    ['{settings: {enableCommandStats: true}}', 'commandStats', true, true],
    ['{}', 'commandStats', false, false],
    ['{settings: {enableHashtagging: true}}', 'hashtagging', true, true],
    ['{}', 'hashtagging', false, false],
    ['{settings: {enableRedirection: true}}', 'enableRedirection', true, true],
    ['{}', 'enableRedirection', false, false],
    ['{}', 'readPolicy', 'MASTER', 'MASTER'],
    ['{settings: {readPolicy: MASTER}}', 'readPolicy', 'MASTER', 'MASTER'],
    ['{settings: {readPolicy: PREFER_MASTER}}', 'readPolicy', 'PREFER_MASTER', 'PREFER_MASTER'],
    ['{settings: {readPolicy: REPLICA}}', 'readPolicy', 'REPLICA', 'REPLICA'],
    ['{settings: {readPolicy: PREFER_REPLICA}}', 'readPolicy', 'PREFER_MASTER', 'PREFER_REPLICA'],
    ['{settings: {readPolicy: ANY}}', 'readPolicy', 'ANY', 'ANY'],
    ['{settings: {caseInsensitive: true}}', 'caseInsensitive', false, true],
    ['{settings: {maxUpstreamUnknownConnections: 7}}', 'maxUpstreamUnknownConnections', 100, 7],
  ];
  for (const [spec, field, asGenerated, asIntended] of ROWS) {
    test(`${spec}: ${field}`, () => {
      assert.deepEqual(generated(spec).config.settings[field], asGenerated, 'generated');
      assert.deepEqual(intended(spec).config.settings[field], asIntended, 'intended');
    });
  }

  test('the stat prefix is the name of the cluster; the unit of latencies is never set', () => {
    const { statPrefix, latencyInMicros, name } = generated('{}');
    assert.deepEqual([statPrefix, latencyInMicros, name], [outbound(HOST), false, HOST]);
  });

  test('0s as opTimeout is handed on, and said to be of no use', () => {
    const mesh = load(rule('{settings: {opTimeout: 0s}}'));
    assert.match(theOne(mesh, 'ENVOY-OPTIMEOUT').message, /is 0/);
  });

  test('bufferFlushTimeout and maxBufferSizeBeforeFlush are accepted', () => {
    assert.ok(
      !codes(
        load(rule('{settings: {bufferFlushTimeout: 3ms, maxBufferSizeBeforeFlush: 1024}}')),
      ).includes('READ-SPELLING'),
    );
  });

  test('what is dropped is listed, whichever way it is read', () => {
    const spec =
      '{settings: {caseInsensitive: true, maxUpstreamUnknownConnections: 7, readPolicy: PREFER_REPLICA}}';
    for (const isIntended of [false, true]) {
      const mesh = load(rule(spec), { intended: isIntended });
      assert.deepEqual(
        mesh.notInForce
          .map(({ setting, line }) => [setting, line])
          .filter(([setting]) => !String(setting).startsWith('read_policy')),
        [
          ['settings.caseInsensitive: true', 5],
          ['settings.maxUpstreamUnknownConnections: 7', 5],
          ['settings.readPolicy: PREFER_REPLICA', 5],
        ],
      );
    }
  });
});

const routesOf = (spec: string, more = '', given: Given = {}) =>
  listener(load(`${rule(spec)}${more}`, given), HOST).config.routes.map(
    ({ prefix, upstream, strip }) => [prefix, upstream, strip],
  );
const B = 'b.shop.svc.cluster.local';
const C = 'c.shop.svc.cluster.local';

test.describe('2.4 routes', () => {
  test('no redis: one catch-all to the service itself', () => {
    for (const spec of ['{}', '{redis: []}'])
      assert.deepEqual(routesOf(spec), [[null, outbound(HOST), 0]], spec);
  });

  test('without match, or with match and no key, a route is the catch-all; of several the last', () => {
    for (const match of ['', 'match: {}, '])
      assert.deepEqual(routesOf(`{redis: [{${match}route: {host: ${B}}}]}`), [
        [null, outbound(B), 0],
      ]);
    const spec = `{redis: [{route: {host: ${B}}}, {match: {}, route: {host: ${C}}}]}`;
    assert.deepEqual(routesOf(spec), [[null, outbound(C), 0]]);
    assert.match(theOne(load(rule(spec)), 'AERAKI-CATCHALL').consequence, /the last one/);
  });

  test('an empty key is a prefix that fits every key, and shadows the catch-all', () => {
    for (const key of ['{}', '{prefix: ""}']) {
      const spec = `{redis: [{match: {key: ${key}}, route: {host: ${B}}}, {route: {host: ${C}}}]}`;
      assert.deepEqual(routesOf(spec), [
        ['', outbound(B), 0],
        [null, outbound(C), 0],
      ]);
      assert.ok(codes(load(rule(spec))).includes('ENVOY-EMPTYPREFIX'));
    }
  });

  test('the longest prefix comes first, whatever the order; removePrefix cuts its bytes', () => {
    assert.deepEqual(
      routesOf(
        `{redis: [{match: {key: {prefix: "é", removePrefix: true}}, route: {host: ${B}}}, {match: {key: {prefix: "abc"}}, route: {host: ${C}}}, {route: {host: ${HOST}}}]}`,
      ),
      [
        ['abc', outbound(C), 0],
        ['é', outbound(B), 2],
        [null, outbound(HOST), 0],
      ],
    );
  });

  test('one prefix twice: Aeraki hands both on, Envoy refuses the listener', () => {
    const twice = `{match: {key: {prefix: p}}, route: {host: ${B}}}`;
    const mesh = load(rule(`{redis: [${twice}, ${twice}, {route: {host: ${B}}}]}`));
    assert.equal(theOne(mesh, 'ENVOY-DUPPREFIX').message, 'prefix `p` already exists.');
  });

  test('no catch-all: keys that fit nothing have no upstream', () => {
    const mesh = load(rule(`{redis: [{match: {key: {prefix: p}}, route: {host: ${B}}}]}`));
    assert.match(theOne(mesh, 'AERAKI-CATCHALL').consequence, /no upstream host/);
  });

  const port = (spec: string, service: string): unknown =>
    routesOf(spec, `${k8sService('a', ['tcp-redis', 6379])}${service}`)[0]?.[1];
  const TO_B = `{redis: [{route: {host: ${B}}}]}`;
  test('a port: as written; else looked up in the namespace of the RedisService', () => {
    assert.equal(port(`{redis: [{route: {host: ${B}, port: 6380}}]}`, ''), outbound(B, 6380));
    assert.equal(port(TO_B, ''), outbound(B, 6379), 'unknown service: the listening port');
    assert.equal(port(TO_B, k8sService('b', ['x', 7000])), outbound(B, 7000), 'its only port');
    assert.equal(
      port(TO_B, k8sService('b', ['x', 7000], ['y', 6379])),
      outbound(B, 6379),
      'the port with the listening number',
    );
    assert.equal(
      port(TO_B, k8sService('b', ['x', 7000], ['tcp-redis', 7001])),
      outbound(B, 7001),
      "the port with the listening port's name",
    );
    assert.equal(
      port(TO_B, k8sService('b', ['x', 7000], ['y', 7001])),
      outbound(B, 6379),
      'none fits: the listening port',
    );
    const far = 'b.far.svc.cluster.local';
    assert.equal(
      port(
        `{redis: [{route: {host: ${far}}}]}`,
        k8sService('b', ['tcp-redis', 7000]).replace('namespace: shop', 'namespace: far'),
      ),
      outbound(far, 6379),
      'another namespace is not looked into',
    );
  });
});

test.describe('2.5 mirrors and faults', () => {
  const mirrors = (more: string, given: Given = {}) =>
    listener(
      load(rule(`{redis: [{route: {host: ${B}, port: 6380}, mirror: [${more}]}]}`), given),
      HOST,
    ).config.routes[0]?.mirrors;

  test("a mirror goes to the primary route's port; its own counts only as intended", () => {
    const mirror = `{route: {host: ${C}, port: 7777}, percentage: {value: 100}}`;
    assert.equal(mirrors(mirror)?.[0]?.upstream, outbound(C, 6380));
    assert.equal(mirrors(mirror, { intended: true })?.[0]?.upstream, outbound(C, 7777));
  });

  test('percent become millionths, cut; over 100 is always', () => {
    for (const [percent, millionths] of [
      [16.08, 160_799],
      [0.000_05, 0],
      [12.5, 125_000],
      [0.5, 5000],
      [100, 1_000_000],
      [250, 2_500_000],
    ] as const) {
      assert.equal(perMillion(percent), millionths);
      assert.deepEqual(
        mirrors(
          `{route: {host: ${C}}, percentage: {value: ${percent}}, excludeReadCommands: true}`,
        ),
        [
          {
            upstream: outbound(C, 6380),
            excludeReads: true,
            fraction: { numerator: millionths, of: 1_000_000 },
          },
        ],
      );
    }
  });

  const faults = (fault: string) => generated(`{faults: [${fault}]}`).config.faults;
  test('faults in order, whole percents only, commands in lower case', () => {
    for (const [percent, whole] of [
      [0.5, 0],
      [0.9, 0],
      [1.9, 1],
      [30, 30],
      [100, 100],
    ] as const)
      assert.equal(faults(`{type: ERROR, percentage: {value: ${percent}}}`)[0]?.percent, whole);
    assert.deepEqual(
      faults(
        '{type: ERROR, percentage: {value: 10}, commands: [GET, HGetAll]}, {percentage: {value: 5}, delay: 250ms}',
      ).map(({ id, commands, action }) => [
        id,
        commands,
        action.kind,
        action.kind === 'delay' ? action.ms : action.delayMs,
      ]),
      [
        ['m1', ['get', 'hgetall'], 'error', 0],
        ['m2', [], 'delay', 250],
      ],
    );
  });

  test('an empty percentage is never', () => {
    assert.equal(faults('{type: ERROR, percentage: {}}')[0]?.percent, 0);
    assert.equal(mirrors(`{route: {host: ${C}}, percentage: {}}`)?.[0]?.fraction.numerator, 0);
  });
});
