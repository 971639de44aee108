import assert from 'node:assert/strict';
import test from 'node:test';
import {
  bootstrap,
  cluster,
  codes,
  found,
  listener,
  load,
  TO_A,
  theOne,
} from '../helpers/mesh-files.js';

const ok = bootstrap(TO_A);

test('documents that are empty or only comments are passed over without a word', () => {
  const mesh = load(`# licence\n---\n# nothing\n---\n\n---${ok}`);
  assert.deepEqual(mesh.diagnostics, []);
  assert.deepEqual(mesh.skipped, []);
  assert.equal(mesh.listeners.length, 1);
});

test('the order of files does not matter to what they refer to', () => {
  const listeners = bootstrap(TO_A, []).replace(/\n {2}clusters:\s*$/, '\n');
  const clusters = `static_resources:\n  clusters:\n  - ${cluster('a')}`;
  for (const texts of [
    { 'a.yaml': listeners, 'b.yaml': clusters },
    { 'a.yaml': clusters, 'b.yaml': listeners },
  ]) {
    const mesh = load(texts);
    assert.deepEqual(codes(mesh), []);
    assert.deepEqual(listener(mesh).config.upstreams.a?.seeds, ['127.0.0.1:7001']);
  }
});

test('unknown kinds are skipped, and told', () => {
  const mesh = load(
    `kind: Deployment\napiVersion: apps/v1\n---\nkind: ConfigMap\napiVersion: v1\ndata: {defaultMode: 0755}\n---${ok}`,
  );
  assert.deepEqual(
    mesh.skipped.map((each) => [each.kind, each.line]),
    [
      ['Deployment', 1],
      ['ConfigMap', 4],
    ],
  );
  assert.deepEqual(mesh.diagnostics, []);
});

test('JSON is YAML, also without positions where it is huge', () => {
  const filter = { stat_prefix: 's', settings: { op_timeout: '1s' }, cluster: 'a', pad: undefined };
  assert.equal(listener(load({ 'f.json': JSON.stringify(filter) })).statPrefix, 's');
  const config = {
    configs: [
      {
        '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump',
        note: 'x'.repeat(1_100_000),
        static_listeners: [
          {
            listener: {
              name: 'big',
              filter_chains: [{ filters: [{ name: 'envoy.redis_proxy', typed_config: filter }] }],
            },
          },
        ],
      },
    ],
  };
  assert.equal(listener(load({ 'f.json': JSON.stringify(config) })).name, 'big');
});

test('snake_case and camelCase mix in Envoy configuration', () => {
  const mesh = load(
    ok
      .replace('stat_prefix', 'statPrefix')
      .replace('op_timeout', 'opTimeout')
      .replace('catch_all_route', 'catchAllRoute')
      .replace('load_assignment', 'loadAssignment')
      .replace('lb_endpoints', 'lbEndpoints')
      .replace('static_resources', 'staticResources')
      .replace('filter_chains', 'filterChains')
      .replace('typed_config', 'typedConfig')
      .replace('port_value: 6400', 'portValue: 6400'),
  );
  assert.deepEqual(codes(mesh), []);
  assert.equal(listener(mesh).wishedPort, 6400);
  assert.equal(listener(mesh).config.settings.opTimeoutMs, 5000);
});

test('enums come in any case, or as their number', () => {
  for (const written of ['maglev', 'Maglev', 'MAGLEV', '5']) {
    const mesh = load(
      bootstrap(TO_A, [cluster('a', [1, 2], `type: static, lb_policy: ${written}`)]),
    );
    assert.equal(listener(mesh).config.upstreams.a?.hostSet?.balancer.policy, 'MAGLEV', written);
    assert.deepEqual(codes(mesh), []);
  }
  const mesh = load(bootstrap(TO_A, [cluster('a', [1], 'lb_policy: MAGLEF')]));
  assert.match(theOne(mesh, 'READ-ENUM').advice, /MAGLEV/);
});

test('durations: seconds with an s; what only Go reads is flagged, a bare number too', () => {
  const ms = (text: string): [number, string[]] => {
    const mesh = load(bootstrap(`settings: {op_timeout: ${text}}\n${TO_A}`));
    return [listener(mesh).config.settings.opTimeoutMs, codes(mesh)];
  };
  assert.deepEqual(ms('0.25s'), [250, []]);
  assert.deepEqual(ms('0.003s'), [3, []]);
  assert.deepEqual(ms('250ms'), [250, ['READ-DURATION']]);
  assert.deepEqual(ms('1h30m'), [5_400_000, ['READ-DURATION']]);
  assert.deepEqual(ms('5'), [5000, ['READ-DURATION']]);
  assert.deepEqual(ms('9000000s'), [0x7fffffff, []], 'as far as timers go');
  assert.deepEqual(ms('1e308'), [0x7fffffff, ['READ-DURATION']]);
  assert.deepEqual(ms('soon'), [60_000, ['ENVOY-OPTIMEOUT', 'READ-DURATION']]);
});

test('numbers, truth values and lists in a looser form are taken, with a hint', () => {
  const mesh = load(
    bootstrap(
      `settings: {op_timeout: 5s, enable_hashtagging: "true", enable_redirection: yes, max_upstream_unknown_connections: "7"}
prefix_routes:
  routes: {prefix: p, cluster: a, request_mirror_policy: {cluster: a, exclude_read_commands: True}}
  catch_all_route: {cluster: a}`,
    ),
  );
  const { settings, routes } = listener(mesh).config;
  assert.equal(settings.hashtagging, true);
  assert.equal(settings.enableRedirection, true);
  assert.equal(settings.maxUpstreamUnknownConnections, 7);
  assert.deepEqual(routes[0]?.mirrors, [
    { upstream: 'a', excludeReads: true, fraction: { numerator: 100, of: 100 } },
  ]);
  assert.deepEqual(codes(mesh), ['READ-HINT']);
  assert.equal(found(mesh, 'READ-HINT').length, 5);
});

test('a key twice in one mapping: the last counts, with a warning at its place', () => {
  const mesh = load('stat_prefix: one\nsettings: {op_timeout: 1s}\nstat_prefix: two\ncluster: a');
  assert.equal(listener(mesh).statPrefix, 'two');
  const { line, column, level } = theOne(mesh, 'READ-DUPKEY');
  assert.deepEqual([line, column, level], [3, 1, 'warning']);
});

test('nothing where a message is due is absent', () => {
  const mesh = load(
    bootstrap(`faults:\n${TO_A}`, [
      cluster('a', [1], 'outlier_detection: , lb_policy: MAGLEV, health_checks: '),
    ]),
  );
  assert.deepEqual(codes(mesh), []);
});

test('placeholders come from --set, then from the environment; never into a Secret', () => {
  const text = bootstrap(TO_A, [
    cluster('a').replace('127.0.0.1', `\${HOST}`).replace('7001', `\${PORT}`),
  ]);
  const mesh = load(text, { set: { PORT: '7009' }, env: { HOST: '10.0.0.9', PORT: '1' } });
  assert.deepEqual(listener(mesh).config.upstreams.a?.seeds, ['10.0.0.9:7009']);
  assert.deepEqual(codes(mesh), []);
  const left = load(text, { set: { PORT: '7009' } });
  const placeholder = theOne(left, 'EF-PLACEHOLDER');
  assert.equal(placeholder.level, 'error');
  assert.match(placeholder.advice, /--set HOST=/);
});

test('templates are told from broken YAML, with their line', () => {
  for (const template of [
    'name: {{ .Values.name }}',
    '{% if x %}\nname: a\n{% endif %}',
    '{{- if .Values.on }}\nname: a\n{{- end }}',
    'apiVersion: redis.aeraki.io/v1alpha1\nkind: RedisService\nmetadata: {name: "{{ .Release.Name }}"}',
  ]) {
    const mesh = load(`# {{ a comment }}\n${template}`);
    assert.match(theOne(mesh, 'READ-TEMPLATE').message, /render it first/, template);
    assert.deepEqual(codes(mesh), ['READ-NOTHING', 'READ-TEMPLATE']);
  }
  assert.equal(theOne(load('a: 1\nb: {{ x }}'), 'READ-TEMPLATE').line, 2);
  // A key formatter and a hash tag look like one.
  const keys = load(
    bootstrap(
      'prefix_routes: {catch_all_route: {cluster: a, key_formatter: "{%KEY%}"}, routes: [{prefix: "{{user}}", cluster: a}]}',
    ),
  );
  assert.deepEqual(codes(keys), []);
});

test('broken YAML: the place, no excerpt of the file, and the other documents still count', () => {
  const mesh = load(`password: "hunter2\n  unfinished: [hunter2\n---${ok}`);
  assert.ok(found(mesh, 'READ-YAML').length > 0);
  assert.doesNotMatch(JSON.stringify(mesh.diagnostics), /hunter2/);
  const second = load({ 'a.yaml': 'a: [1\nb: }', 'b.yaml': ok });
  assert.equal(second.listeners.length, 1);
  assert.equal(theOne(second, 'READ-YAML').file, 'a.yaml');
});

test('the shell around a pasted document is dropped, lines stay right', () => {
  const mesh = load(`\nkubectl apply -f - <<EOF${ok}\nEOF\n`);
  assert.equal(listener(mesh).name, 'test');
  assert.deepEqual(codes(mesh), ['READ-SHELL']);
});

test('anchors, merge keys and aliases that never end', () => {
  const mesh = load(
    `x: &s {op_timeout: 3s}\n---\nstat_prefix: a\nsettings: &t {<<: {op_timeout: 3s, enable_redirection: true}, op_timeout: 4s}\ncluster: a`,
  );
  assert.equal(listener(mesh).config.settings.opTimeoutMs, 4000);
  assert.equal(listener(mesh).config.settings.enableRedirection, true);
  const loop = load('a: &a [*a, *a]\nb: *a');
  assert.ok(found(loop, 'READ-YAML').length > 0);
});

test('nothing of use in the files is an error that says what was wanted', () => {
  for (const text of [
    '',
    'kind: Pod\napiVersion: v1',
    '- 1\n- 2',
    'just words',
    '\u0000',
    '{"configs": 3}',
    '[[[[',
  ]) {
    const mesh = load(text);
    assert.match(theOne(mesh, 'READ-NOTHING').advice, /redis_proxy/, text);
    assert.deepEqual(mesh.listeners, []);
  }
});
