/**
 * The mesh of the bench, as people have them: five prefixes and a catch-all to one Redis Cluster, four fault rules, and, if wanted, two
 * mirrors to a server beside it: every write of one prefix, a tenth of another.
 *
 * Of the faults two are the mesh's and concern commands that the load has none of; of rmtop's own rules one draws for every read and
 * nearly never hits, for a fault that hits is no longer the proxy's cost, and one looks at every key.
 */

/** The loads' keys are `key:000` and nine digits, of which the first is 0 to 4: each prefix gets a fifth. */
export const SPREAD_KEYS = 500_000_000;

const MIRRORS: Readonly<Record<number, string>> = {
  0: ', request_mirror_policy: [{cluster: copy, exclude_read_commands: true}]',
  1: ', request_mirror_policy: [{cluster: copy, runtime_fraction: {default_value: {numerator: 10, denominator: HUNDRED}}}]',
};

/** The flags beside the file. */
export const MESH_RULES: readonly string[] = [
  ...['--fault', 'delay 1ms 0.01% class=read'],
  ...['--fault', 'error 20% key=cart:checkout:*'],
];

/** The bootstrap: a listener on a free port before the cluster that `seed` is of; copies go to `copy`. */
export function meshYaml(seed: number, copy: number, hasMirrors: boolean): string {
  const routes = [0, 1, 2, 3, 4].map(
    (i) => `- {prefix: "key:000${i}", cluster: cache${hasMirrors ? (MIRRORS[i] ?? '') : ''}}`,
  );
  return `static_resources:
  listeners:
  - name: bench
    address: ${socketAt(0)}
    filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          stat_prefix: bench
          settings: {op_timeout: 60s}
          prefix_routes:
            routes:
            ${routes.join('\n            ')}
            catch_all_route: {cluster: cache}
          faults:
          - {fault_type: DELAY, delay: 0.1s, fault_enabled: {default_value: {numerator: 5, denominator: HUNDRED}}, commands: [HGETALL, LRANGE]}
          - {fault_type: ERROR, fault_enabled: {default_value: {numerator: 1, denominator: HUNDRED}}, commands: [EVAL]}
  clusters:
  - {name: cache, cluster_type: {name: envoy.clusters.redis}, lb_policy: CLUSTER_PROVIDED, ${hostAt('cache', seed)}}
  - {name: copy, type: STATIC, lb_policy: MAGLEV, ${hostAt('copy', copy)}}
`;
}

function socketAt(port: number): string {
  return `{socket_address: {address: 127.0.0.1, port_value: ${port}}}`;
}

function hostAt(name: string, port: number): string {
  return `load_assignment: {cluster_name: ${name}, endpoints: [{lb_endpoints: [{endpoint: {address: ${socketAt(port)}}}]}]}`;
}
