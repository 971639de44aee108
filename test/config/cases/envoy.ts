/** What brings about each finding about Envoy's configuration. */
import { bootstrap, cluster, HOST, socket, TO_A } from '../../helpers/mesh-files.js';
import type { FindingCase } from './case.js';

const fault = (body: string): string => bootstrap(`${TO_A}\nfaults:\n- ${body}`);
const redisCluster = (more = ''): string =>
  cluster('a', [7001], `cluster_type: {name: envoy.clusters.redis}, ${more}`);
const toAuth = (source: string): string =>
  bootstrap(`${TO_A}\ndownstream_auth_password: ${source}`);

export const ENVOY_CASES: readonly FindingCase[] = [
  {
    code: 'FAULT-SUBPERCENT',
    why: 'a fraction of a percent',
    text: fault(
      '{fault_type: ERROR, fault_enabled: §{default_value: {numerator: 5, denominator: TEN_THOUSAND}}}',
    ),
  },
  {
    code: 'FAULT-SUM',
    why: 'over 100',
    text: bootstrap(
      `${TO_A}\n§faults: [{fault_type: ERROR, commands: [GET], fault_enabled: {default_value: {numerator: 60}}}, {fault_type: ERROR, fault_enabled: {default_value: {numerator: 60}}}]`,
    ),
  },
  {
    code: 'FAULT-NODELAY',
    why: 'a delay of nothing',
    text: fault('§{fault_type: DELAY, fault_enabled: {default_value: {numerator: 5}}}'),
  },
  {
    code: 'ENVOY-REQUIRED',
    why: 'no stat_prefix',
    text: bootstrap(TO_A)
      .replace('          stat_prefix: test\n', '')
      .replace('"@type"', '§"@type"'),
  },
  {
    code: 'ENVOY-REQUIRED',
    why: 'a route without a cluster',
    text: bootstrap('prefix_routes: {routes: [§{prefix: p}], catch_all_route: {cluster: a}}'),
  },
  {
    code: 'ENVOY-REQUIRED',
    why: 'a mirror without a cluster',
    text: bootstrap(
      'prefix_routes: {catch_all_route: {cluster: a, request_mirror_policy: [§{exclude_read_commands: true}]}}',
    ),
  },
  {
    code: 'ENVOY-REQUIRED',
    why: 'a cluster without a name',
    text: bootstrap(TO_A, [cluster('a'), '§{lb_policy: MAGLEV}']),
  },
  {
    code: 'ENVOY-REQUIRED',
    why: 'a fault without fault_enabled',
    text: fault('§{fault_type: ERROR}'),
  },
  {
    code: 'ENVOY-REQUIRED',
    why: 'an empty DataSource',
    text: toAuth('§{watched_directory: {path: x}}'),
  },
  {
    code: 'ENVOY-REFUSED',
    why: 'a table that is not prime',
    text: bootstrap(TO_A, [
      cluster('a', [1, 2], 'lb_policy: MAGLEV, maglev_lb_config: {§table_size: 1000}'),
    ]),
  },
  {
    code: 'ENVOY-REFUSED',
    why: 'a ring whose ends are swapped',
    text: bootstrap(TO_A, [
      cluster(
        'a',
        [1, 2],
        'lb_policy: RING_HASH, ring_hash_lb_config: §{minimum_ring_size: 9, maximum_ring_size: 3}',
      ),
    ]),
  },
  {
    code: 'ENVOY-REFUSED',
    why: 'a long prefix',
    text: bootstrap(
      `prefix_routes: {routes: [{§prefix: ${'p'.repeat(1001)}, cluster: a}], catch_all_route: {cluster: a}}`,
    ),
  },
  {
    code: 'ENVOY-REFUSED',
    why: 'a LOGICAL_DNS of two',
    text: bootstrap(TO_A, [cluster('a', [1, 2], 'type: LOGICAL_DNS').replace('{name', '{§name')]),
  },
  {
    code: 'ENVOY-REFUSED',
    why: 'a custom command in upper case',
    level: 'warning',
    text: bootstrap(`${TO_A}\n§custom_commands: [FT.SEARCH]`),
  },
  {
    code: 'ENVOY-DUPPREFIX',
    why: 'a prefix twice',
    text: bootstrap(
      'prefix_routes: {routes: [{prefix: p, cluster: a}, {§prefix: p, cluster: a}], catch_all_route: {cluster: a}}',
    ),
  },
  {
    code: 'ENVOY-DUPPREFIX',
    why: 'a prefix twice but for its case',
    text: bootstrap(
      'prefix_routes: {case_insensitive: true, routes: [{prefix: p, cluster: a}, {§prefix: P, cluster: a}], catch_all_route: {cluster: a}}',
    ),
  },
  {
    code: 'ENVOY-DUPCLUSTER',
    why: 'a cluster twice',
    text: bootstrap(TO_A, [cluster('a'), cluster('a').replace('{name', '{§name')]),
  },
  {
    code: 'ENVOY-EMPTYPREFIX',
    why: 'an empty prefix',
    text: bootstrap(
      'prefix_routes: {routes: [§{prefix: "", cluster: a}], catch_all_route: {cluster: a}}',
    ),
  },
  {
    code: 'ENVOY-CATCHALLPREFIX',
    why: 'a catch-all that cuts',
    text: bootstrap(
      'prefix_routes: {catch_all_route: {cluster: a, prefix: p, §remove_prefix: true}}',
    ),
  },
  {
    code: 'ENVOY-NOUPSTREAM',
    why: 'no route at all',
    text: bootstrap('prefix_routes: §{case_insensitive: true}'),
  },
  {
    code: 'ENVOY-UNKNOWNCLUSTER',
    why: 'a route',
    text: bootstrap('§prefix_routes: {catch_all_route: {cluster: nobody}}'),
  },
  {
    code: 'ENVOY-UNKNOWNCLUSTER',
    why: 'a mirror',
    text: bootstrap(
      '§prefix_routes: {catch_all_route: {cluster: a, request_mirror_policy: [{cluster: nobody}]}}',
    ),
  },
  {
    code: 'ENVOY-UNKNOWNCLUSTER',
    why: "Istio's black hole",
    text: bootstrap('§prefix_routes: {catch_all_route: {cluster: BlackHoleCluster}}'),
  },
  {
    code: 'ENVOY-UNKNOWNCLUSTER',
    why: 'an inbound cluster',
    text: bootstrap('§prefix_routes: {catch_all_route: {cluster: "inbound|6379||"}}'),
  },
  {
    code: 'ENVOY-KEYBLINDLB',
    why: 'ROUND_ROBIN over two hosts',
    text: bootstrap(TO_A, [cluster('a', [1, 2], 'type: STATIC').replace('{name', '{§name')]),
  },
  {
    code: 'ENVOY-CLUSTERLB',
    why: 'a Redis Cluster by MAGLEV',
    text: bootstrap(TO_A, [redisCluster('§lb_policy: MAGLEV')]),
  },
  {
    code: 'ENVOY-CLUSTERLB',
    why: 'CLUSTER_PROVIDED without the type',
    text: bootstrap(TO_A, [cluster('a', [1], '§lb_policy: CLUSTER_PROVIDED')]),
  },
  {
    code: 'ENVOY-CLUSTERLB',
    why: 'both types',
    level: 'warning',
    text: bootstrap(TO_A, [redisCluster('lb_policy: CLUSTER_PROVIDED, §type: STATIC')]),
  },
  {
    code: 'ENVOY-OPTIMEOUT',
    why: 'missing',
    text: bootstrap(`§settings: {enable_redirection: true}\n${TO_A}`),
  },
  { code: 'ENVOY-OPTIMEOUT', why: 'zero', text: bootstrap(`settings: {§op_timeout: 0s}\n${TO_A}`) },
  {
    code: 'ENVOY-V2',
    why: 'the type of v2',
    text: bootstrap(TO_A)
      .replace(
        'envoy.extensions.filters.network.redis_proxy.v3',
        'envoy.config.filter.network.redis_proxy.v2',
      )
      .replace('"@type"', '§"@type"'),
  },
  {
    code: 'ENVOY-V2',
    why: 'hosts',
    text: bootstrap(TO_A, [
      '{name: a, type: static, §hosts: [{socket_address: {address: 127.0.0.1, port_value: 1}}]}',
    ]),
  },
  { code: 'ENVOY-WHITESPACE', why: 'a newline', text: toAuth('§{inline_string: "pw\\n"}') },
  {
    code: 'ENVOY-LEVEL',
    why: 'custom_commands in an old Envoy',
    given: { envoy: 26 },
    text: bootstrap(`${TO_A}\n§custom_commands: [ft.search]`),
  },
  {
    code: 'ENVOY-LEVEL',
    why: 'credentials in an old Envoy',
    given: { envoy: 30 },
    text: bootstrap(TO_A, [
      cluster(
        'a',
        [1],
        'typed_extension_protocol_options: {envoy.filters.network.redis_proxy: {§credentials: [{address: "127.0.0.1:1", auth_password: {inline_string: p}}]}}',
      ),
    ]),
  },
  {
    code: 'ENVOY-NOTLOCAL',
    why: 'an external login',
    text: bootstrap(`${TO_A}\n§external_auth_provider: {grpc_service: {}}`),
  },
  {
    code: 'ENVOY-NOTLOCAL',
    why: 'zones',
    text: bootstrap(`settings: {op_timeout: 1s, §read_policy: LOCAL_ZONE_AFFINITY}\n${TO_A}`, [
      redisCluster('lb_policy: CLUSTER_PROVIDED'),
    ]),
  },
  {
    code: 'ENVOY-NOTLOCAL',
    why: 'ORIGINAL_DST',
    level: 'error',
    text: bootstrap(TO_A, [cluster('a', [1], '§type: ORIGINAL_DST, lb_policy: MAGLEV')]),
  },
  {
    code: 'ENVOY-NOTLOCAL',
    why: 'two priorities',
    text: bootstrap(TO_A, [
      `{name: a, type: STATIC, lb_policy: MAGLEV, §load_assignment: {endpoints: [${[0, 1].map((priority) => `{priority: ${priority}, lb_endpoints: [{endpoint: {address: ${socket('127.0.0.1', 7 + priority)}}}]}`).join(', ')}]}}`,
    ]),
  },
  {
    code: 'ENVOY-DATASOURCE',
    why: 'a file that is not here',
    text: toAuth('{§filename: /etc/redis/pw}'),
  },
  {
    code: 'ENVOY-DATASOURCE',
    why: 'a variable that is not set',
    text: toAuth('{§environment_variable: REDIS_PW}'),
  },
  { code: 'ENVOY-REDACTED', why: 'out of a dump', text: toAuth('§{inline_string: "[redacted]"}') },
  {
    code: 'ENVOY-ADDRESS',
    why: 'a name where an address is due',
    text: bootstrap(TO_A, [cluster('a').replace('127.0.0.1', 'redis').replace('{name', '{§name')]),
  },
  {
    code: 'ENVOY-ADDRESS',
    why: 'an endpoint without a port',
    text: bootstrap(TO_A, [
      cluster('a').replace(', port_value: 7001', '').replace('{endpoint:', '§{endpoint:'),
    ]),
  },
  {
    code: 'ENVOY-ADDRESS',
    why: 'no hosts',
    text: bootstrap(TO_A, ['{§name: a, type: STATIC, lb_policy: MAGLEV}']),
  },
  {
    code: 'ENVOY-PLACEMENT',
    why: 'a name of the mesh is hashed',
    text: bootstrap(TO_A, [
      cluster('a', [6379], 'type: STRICT_DNS, lb_policy: MAGLEV')
        .replace('127.0.0.1', HOST)
        .replace('{name', '{§name'),
    ]),
  },
  {
    code: 'ENVOY-NOEFFECT',
    why: 'a read policy without a Redis Cluster',
    text: bootstrap(`settings: {op_timeout: 1s, §read_policy: ANY}\n${TO_A}`),
  },
  {
    code: 'ENVOY-NOEFFECT',
    why: 'hash tags with Redis Clusters only',
    text: bootstrap(`settings: {op_timeout: 1s, §enable_hashtagging: true}\n${TO_A}`, [
      redisCluster('lb_policy: CLUSTER_PROVIDED'),
    ]),
  },
  {
    code: 'ENVOY-FORMATTER',
    why: 'without the key',
    text: bootstrap('prefix_routes: {catch_all_route: {cluster: a, §key_formatter: same}}'),
  },
  {
    code: 'ENVOY-FORMATTER',
    why: 'a command that is not known here',
    text: bootstrap(
      'prefix_routes: {catch_all_route: {cluster: a, §key_formatter: "%KEY%%FILTER_STATE(x)%"}}',
    ),
  },
];
