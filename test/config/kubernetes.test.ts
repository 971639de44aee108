/** Lists, namespaces, Services and their endpoints, as the readers look them up (config page, 1.0 and 1.5). */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  codes,
  destination,
  found,
  HOST,
  k8sService,
  listener,
  load,
  outbound,
  rule,
  slice,
} from '../helpers/mesh-files.js';

const SERVICE = k8sService('a', ['tcp-redis', 6379]);
const seeds = (text: string): readonly string[] | undefined =>
  listener(load(text), HOST).config.upstreams[outbound(HOST)]?.seeds;

/** Documents as the items of a list. */
function listOf(kind: string, documents: string, more = ''): string {
  const items = documents
    .split('---\n')
    .filter((each) => each !== '')
    .map((each) => `- ${each.trimEnd().replaceAll('\n', '\n  ')}`);
  return `apiVersion: v1\nkind: ${kind}\n${more}items:\n${items.join('\n')}\n`;
}

test('what kubectl get -o yaml prints: a List of everything, with all that the server adds', () => {
  const mesh = load(
    listOf(
      'List',
      `${rule('{settings: {opTimeout: 3s}}').replace('namespace: shop', 'namespace: shop, uid: x, resourceVersion: "1", managedFields: [{}], annotations: {a: b}').trimEnd()}\nstatus: {odd: [1]}\n${SERVICE}`,
      'metadata: {resourceVersion: ""}\n',
    ),
  );
  assert.equal(listener(mesh).config.settings.opTimeoutMs, 3000);
  assert.ok(!codes(mesh).some((code) => code.startsWith('READ')), codes(mesh).join());
});

test('typed lists, whose items do not say their kind', () => {
  const bare = (text: string): string => text.replace(/apiVersion: .*\nkind: .*\n/, '');
  const text = listOf('RedisServiceList', bare(rule('{settings: {opTimeout: 3s}}'))).replace(
    'apiVersion: v1',
    'apiVersion: redis.aeraki.io/v1alpha1',
  );
  assert.equal(listener(load(text)).config.settings.opTimeoutMs, 3000);
});

test('an object without its namespace fits any, or that of --namespace; a Secret too', () => {
  const free = rule('{settings: {opTimeout: 3s}}').replace(', namespace: shop', '');
  assert.equal(listener(load(`${free}${SERVICE}`)).config.settings.opTimeoutMs, 3000);
  assert.equal(found(load(free), 'READ-NAMESPACE').length, 1);
  const told = load(`${free}${SERVICE}`, { namespace: 'other' });
  assert.equal(
    listener(told, HOST).config.settings.opTimeoutMs,
    60_000,
    'in another namespace it is not for this service',
  );
  assert.equal(found(told, 'READ-NAMESPACE').length, 0);
});

test('endpoints of several slices, by their label; not ready ones left out; a port by its name', () => {
  assert.deepEqual(
    seeds(`${SERVICE}${slice('a', ['10.0.0.1'])}${slice('a', ['10.0.0.2']).replace('a-x', 'a-y')}`),
    ['10.0.0.1:6379', '10.0.0.2:6379'],
  );
  const conditions = (ready: string): string =>
    slice('a', ['10.0.0.1']).replace('[10.0.0.1]}', `[10.0.0.1], conditions: {${ready}}}`);
  assert.deepEqual(seeds(`${SERVICE}${conditions('ready: false')}`), []);
  assert.deepEqual(seeds(`${SERVICE}${conditions('ready: true')}`), ['10.0.0.1:6379']);
  assert.deepEqual(
    seeds(`${SERVICE}${conditions('serving: true')}`),
    ['10.0.0.1:6379'],
    'without a word it is ready',
  );
  const named = slice('a', ['10.0.0.1']).replace(
    '{name: "", port: 6379}',
    '{name: metrics, port: 9121}, {name: tcp-redis, port: 6390}',
  );
  assert.deepEqual(seeds(`${SERVICE}${named}`), ['10.0.0.1:6390']);
  const other = slice('b', ['10.0.0.9']).replace('name: b-x', 'name: a');
  assert.deepEqual(seeds(`${SERVICE}${other}`), [`${HOST}:6379`], 'its own name does not link it');
});

test('the older Endpoints, by their name', () => {
  const endpoints =
    '---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: a, namespace: shop}\nsubsets: [{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}], ports: [{name: tcp-redis, port: 6390}]}]\n';
  assert.deepEqual(seeds(`${SERVICE}${endpoints}`), ['10.0.0.1:6390', '10.0.0.2:6390']);
});

test('--service takes a name as people say it', () => {
  const two = `${SERVICE}${k8sService('b', ['tcp-redis', 6379]).replace('10.96.0.1', '10.96.0.2')}`;
  for (const name of ['a', 'a.shop', 'a.shop.svc', HOST, `${HOST}.`, 'A.Shop'])
    assert.equal(listener(load(two, { service: name })).name, HOST, name);
});

const mapOf = (text: string): readonly string[] => load(text).addressMap;

test('names and addresses of loaded Services lead to their endpoints, pods by their own names', () => {
  const pods = slice('a', ['10.0.0.1', '10.0.0.2']).replace(
    '{addresses: [10.0.0.1]}',
    '{addresses: [10.0.0.1], hostname: redis-0, targetRef: {name: redis-0}}',
  );
  const map = mapOf(`${SERVICE}${pods}`);
  for (const entry of [
    `${HOST}:6379=10.0.0.1:6379`,
    'a.shop:6379=10.0.0.1:6379',
    'a.shop.svc:6379=10.0.0.1:6379',
    '10.96.0.1:6379=10.0.0.1:6379',
    `redis-0.${HOST}=10.0.0.1`,
  ])
    assert.ok(map.includes(entry), `${entry} of ${map.join(' ')}`);
  const external = SERVICE.replace(
    'spec: {',
    'spec: {type: ExternalName, externalName: redis.example.com, ',
  );
  assert.ok(mapOf(external).includes(`${HOST}=redis.example.com`));
});

test('addressMap in a file, in the forms of the clients it was copied from', () => {
  const forms = (yaml: string): readonly string[] => mapOf(`${destination('{}')}---\n${yaml}`);
  assert.deepEqual(
    forms(
      'addressMap: {"10.1.44.41:6379": {host: 127.0.0.1, port: 63791}, "10.1.171.248:6379": "127.0.0.1:63792", redis-2.redis: "127.0.0.1:63793", "*:6379": "127.0.0.1:6379"}',
    ),
    [
      '10.1.44.41:6379=127.0.0.1:63791',
      '10.1.171.248:6379=127.0.0.1:63792',
      'redis-2.redis=127.0.0.1:63793',
      '*:6379=127.0.0.1:6379',
    ],
  );
  assert.deepEqual(
    forms(
      'addressMap:\n- {from_host: 10.1.44.41, from_port: 6379, to_host: 127.0.0.1, to_port: 63791}\n- {from_host: 10.1.44.42, to_host: 127.0.0.1}\n- {from_port: 6379, to_port: 16379}\n- {from_host: 10.1.44.42, to_host: 127.0.0.9}\n',
    ),
    ['10.1.44.41:6379=127.0.0.1:63791', '10.1.44.42=127.0.0.1', '*:6379=:16379'],
    'the first rule that fits counts',
  );
});
