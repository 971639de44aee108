/** What brings about each finding of reading, of EnvoyFilters and of address maps. */
import { bootstrap, cluster, HOST, k8sService, rule, TO_A } from '../../helpers/mesh-files.js';
import type { FindingCase } from './case.js';

const SECRET = (fields: string): string =>
  `---\napiVersion: v1\nkind: Secret\nmetadata: {name: login, namespace: shop}\n${fields}\n`;
const filterPatch = (match: string, value: string, operation = 'REPLACE', head = ''): string =>
  `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: f, namespace: shop}
spec:
  configPatches:
  - ${head}applyTo: NETWORK_FILTER
    match: ${match}
    patch: {operation: ${operation}, value: ${value}}
---
static_resources:
  clusters:
  - ${cluster('a')}
`;
const PROXY = `{name: envoy.filters.network.redis_proxy, typed_config: {stat_prefix: s, settings: {op_timeout: 1s}, ${TO_A}}}`;
const LISTENER =
  'name: 10.1.1.1_6379, filterChain: {filter: {name: envoy.filters.network.tcp_proxy}}';
const fault = (body: string): string => bootstrap(`${TO_A}\nfaults:\n- ${body}`);
const redisCluster = (more = ''): string =>
  cluster('a', [7001], `cluster_type: {name: envoy.clusters.redis}, ${more}`);
const toAuth = (source: string): string =>
  bootstrap(`${TO_A}\ndownstream_auth_password: ${source}`);

export const READ_CASES: readonly FindingCase[] = [
  { code: 'READ-YAML', why: 'what is no YAML', text: 'a: 1\nb: [1, §}' },
  { code: 'READ-YAML', why: 'an anchor within itself', text: 'a: &a §[*a]' },
  { code: 'READ-TEMPLATE', why: 'a Helm template', text: 'name: x\nspec: §{{ .Values.spec }}' },
  {
    code: 'READ-SHELL',
    why: 'a pasted command',
    text: `§kubectl apply -f - <<EOF${bootstrap(TO_A)}EOF\n`,
  },
  {
    code: 'READ-DUPKEY',
    why: 'a key twice',
    text: `stat_prefix: s\nsettings: {op_timeout: 1s}\n§stat_prefix: t\ncluster: a`,
  },
  {
    code: 'READ-DUPOBJECT',
    why: 'an object twice',
    text: { 'a.yaml': rule('{}'), 'b.yaml': rule('{}').replace('{name', '{§name') },
  },
  {
    code: 'READ-TYPE',
    why: 'a list for a mapping',
    text: bootstrap('settings: §[1]\nprefix_routes: {catch_all_route: {cluster: a}}'),
  },
  {
    code: 'READ-TYPE',
    why: 'a word for a truth value',
    text: bootstrap(`settings: {op_timeout: 1s, enable_redirection: §maybe}\n${TO_A}`),
  },
  {
    code: 'READ-TYPE',
    why: 'a word for a number',
    text: bootstrap(TO_A, [cluster('a').replace('7001', '§none')]),
  },
  {
    code: 'READ-TYPE',
    why: 'a number for text',
    text: bootstrap(`${TO_A}\ndownstream_auth_password: {inline_string: §12345}`),
  },
  {
    code: 'READ-TYPE',
    why: 'a port that is none',
    text: k8sService('a', ['tcp-redis', 70_000]).replace('port: 7', '§port: 7'),
  },
  {
    code: 'READ-TYPE',
    why: 'nothing in a list',
    text: bootstrap(`${TO_A}\ncustom_commands: [a, §~]`),
  },
  {
    code: 'READ-ENUM',
    why: 'a name that is none',
    text: bootstrap(TO_A, [cluster('a', [1], 'lb_policy: §MAGLEF')]),
  },
  {
    code: 'READ-ENUM',
    why: 'a lower case name in a CRD',
    text: rule('{settings: {readPolicy: §replica}}'),
  },
  {
    code: 'READ-DURATION',
    why: "Go's notation in Envoy's file",
    text: bootstrap(`settings: {op_timeout: §250ms}\n${TO_A}`),
  },
  { code: 'READ-DURATION', why: 'no unit', text: rule('{settings: {opTimeout: §5}}') },
  {
    code: 'READ-HINT',
    why: 'one for a list',
    text: bootstrap(
      'prefix_routes: {catch_all_route: {cluster: a}, routes: §{prefix: p, cluster: a}}',
    ),
  },
  {
    code: 'READ-HINT',
    why: 'a string host in a RedisService is refused by the API server',
    level: 'warning',
    text: rule('{}').replace(`[${HOST}]`, `§${HOST}`),
  },
  {
    code: 'READ-SPELLING',
    why: 'snake_case in a CRD',
    text: rule('{settings: {§read_policy: ANY}}'),
  },
  {
    code: 'READ-SPELLING',
    why: 'snake_case in an EnvoyFilter',
    text: filterPatch(`{listener: {${LISTENER}}}`, PROXY).replace(
      '  configPatches',
      '  §config_patches',
    ),
  },
  {
    code: 'READ-UNKNOWN',
    why: 'read_policy beside settings',
    text: bootstrap(`${TO_A}\n§read_policy: ANY`),
  },
  {
    code: 'READ-UNKNOWN',
    why: 'commands within fault_enabled, as in an example of Envoy',
    text: fault(
      '{fault_type: ERROR, fault_enabled: {§commands: [GET], default_value: {numerator: 1}}}',
    ),
  },
  {
    code: 'READ-UNKNOWN',
    why: 'a field of a cluster that rmtop does not know',
    level: 'warning',
    text: bootstrap(TO_A, [cluster('a', [1], '§lb_polizy: MAGLEV')]),
  },
  {
    code: 'READ-NAMESPACE',
    why: 'an object without its namespace',
    text: rule('{}').replace('{name: a, namespace: shop}', '{§name: a}'),
  },
  {
    code: 'READ-BASE64',
    why: 'text under data',
    text: `${rule('{}')}${SECRET('data: {§password: plain text}')}`,
  },
  { code: 'READ-BASE64', why: 'inline_bytes', text: toAuth('{§inline_bytes: "***"}') },
  { code: 'READ-NOTHING', why: 'nothing of use', text: '§kind: Pod\napiVersion: v1' },
  {
    code: 'READ-NOTHING',
    why: 'no such service',
    text: `§${bootstrap(TO_A)}`,
    given: { service: 'nobody' },
  },
  {
    code: 'EF-PLACEHOLDER',
    why: "in a listener's name",
    text: filterPatch(
      `{listener: {${LISTENER.replace('10.1.1.1', `\${VIP}`).replace('name', '§name')}}}`,
      PROXY,
    ),
  },
  {
    code: 'EF-PLACEHOLDER',
    why: 'in an address',
    level: 'error',
    text: bootstrap(TO_A, [
      cluster('a').replace('127.0.0.1', `\${HOST}`).replace('{socket_address', '§{socket_address'),
    ]),
  },
  {
    code: 'EF-NOMATCH',
    why: 'REPLACE of nothing',
    text: filterPatch('{listener: {name: 10.1.1.1_6379}}', PROXY, 'REPLACE', '§'),
  },
  {
    code: 'EF-IGNORED',
    why: 'another patch',
    text: filterPatch(`{listener: {${LISTENER}}}`, PROXY, 'REPLACE', '§').replace(
      'NETWORK_FILTER',
      'HTTP_FILTER',
    ),
  },
  {
    code: 'EF-IGNORED',
    why: "the server's own sidecar",
    text: filterPatch(
      '{context: SIDECAR_INBOUND, listener: {name: virtualInbound}}',
      PROXY,
      'REPLACE',
      '§',
    ),
  },
  {
    code: 'EF-IGNORED',
    why: 'MERGE into nothing',
    level: 'warning',
    text: filterPatch(`{listener: {${LISTENER}}}`, PROXY, 'MERGE', '§'),
  },
  {
    code: 'EF-LISTENER',
    why: 'neither name nor port',
    text: filterPatch('{context: ANY}', PROXY).replace('match', '§match'),
  },
  {
    code: 'ISTIO-CLUSTER',
    why: "a cluster of Istio's own",
    text: bootstrap(
      '§prefix_routes: {catch_all_route: {cluster: "outbound|6379||x.shop.svc.cluster.local"}}',
    ),
  },
  {
    code: 'MAP-BAD',
    why: 'half a pair',
    text: `${bootstrap(TO_A)}---\naddressMap:\n- §{from_host: 10.1.1.1}\n`,
  },
  {
    code: 'MAP-BAD',
    why: 'no address',
    text: `${bootstrap(TO_A)}---\naddressMap: {"10.1.1.1:6379": "x:y", §"10.1.1.2:1": [1]}\n`.replace(
      '{"10.1.1.1:6379": "x:y", ',
      '{',
    ),
  },
  {
    code: 'MAP-FOLDED',
    why: 'two nodes at one place, and reads from replicas',
    text: `${bootstrap(`settings: {op_timeout: 1s, read_policy: REPLICA}\n${TO_A}`, [redisCluster('lb_policy: CLUSTER_PROVIDED')])}---\naddressMap:\n  10.1.1.1:6379: 127.0.0.1:63791\n  §10.1.1.2:6379: 127.0.0.1:63791\n`,
  },
];
