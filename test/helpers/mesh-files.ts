/** Mesh files for tests: texts in, what they come to out. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Diagnostic } from '../../src/config/diagnostic.js';
import type { LoadedListener } from '../../src/config/envoy.js';
import { type LoadedMesh, loadTexts, type MeshOptions } from '../../src/config/mesh.js';

export type Given = Partial<MeshOptions> & { readonly files?: Readonly<Record<string, string>> };

/** Loads one text, or several by file name; `files` are those that a DataSource may name. */
export function load(
  texts: string | Readonly<Record<string, string>>,
  given: Given = {},
): LoadedMesh {
  const { files = {}, ...more } = given;
  const all = typeof texts === 'string' ? { 'mesh.yaml': texts } : texts;
  return loadTexts(
    Object.entries(all).map(([file, text]) => ({ file, text })),
    { intended: false, set: {}, env: {}, envoy: 40, ...more },
    (name) => files[name] ?? null,
  );
}

/** The text of a file under test/fixtures/config. */
export function fixture(name: string): string {
  let root = import.meta.dirname;
  while (!root.endsWith(`${path.sep}dist`)) root = path.dirname(root);
  return readFileSync(path.join(path.dirname(root), 'test/fixtures/config', name), 'utf8');
}

/** The findings of one code. */
export function found(mesh: LoadedMesh, code: Diagnostic['code']): readonly Diagnostic[] {
  return mesh.diagnostics.filter((each) => each.code === code);
}

/** The one finding of a code, which there must be. */
export function theOne(mesh: LoadedMesh, code: Diagnostic['code']): Diagnostic {
  const all = found(mesh, code);
  assert.equal(
    all.length,
    1,
    `${code}: ${mesh.diagnostics.map((each) => `${each.code} ${each.message}`).join('; ')}`,
  );
  return all[0] ?? assert.fail();
}

/** The codes found, sorted. */
export function codes(mesh: LoadedMesh): string[] {
  return [...new Set(mesh.diagnostics.map((each) => each.code))].sort();
}

/** The one listener, or that of a name. */
export function listener(mesh: LoadedMesh, name?: string): LoadedListener {
  const fits = mesh.listeners.filter((each) => name === undefined || each.name === name);
  assert.equal(
    fits.length,
    1,
    `${mesh.listeners.map((each) => each.name)}; ${mesh.diagnostics.map((each) => each.message).join('; ')}`,
  );
  return fits[0] ?? assert.fail();
}

/** A bootstrap of one listener on 6400 with `proxy` beside its stat_prefix and settings, and `clusters`; YAML flow style. */
export function bootstrap(proxy: string, clusters: readonly string[] = [cluster('a')]): string {
  return `
static_resources:
  listeners:
  - name: test
    address: {socket_address: {address: 127.0.0.1, port_value: 6400}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          stat_prefix: test
          ${/\bsettings:/.test(proxy) ? '' : 'settings: {op_timeout: 5s}'}
${proxy.replace(/^/gm, '          ')}
  clusters:
${clusters.map((each) => `  - ${each}`).join('\n')}
`;
}

/** Routes of a bootstrap: everything to cluster `a`. */
export const TO_A = 'prefix_routes: {catch_all_route: {cluster: a}}';

/** A cluster in flow style: MAGLEV over 127.0.0.1 at `ports`, unless `more` says otherwise. */
export function cluster(
  name: string,
  ports: readonly number[] = [7001],
  more = 'type: STATIC, lb_policy: MAGLEV',
): string {
  const endpoints = ports.map((port) => `{endpoint: {address: ${socket('127.0.0.1', port)}}}`);
  return `{name: ${name}, ${more}, load_assignment: {cluster_name: ${name}, endpoints: [{lb_endpoints: [${endpoints.join(', ')}]}]}}`;
}

export function socket(address: string, port: number): string {
  return `{socket_address: {address: ${address}, port_value: ${port}}}`;
}

/** The service that `rule` and `destination` are for. */
export const HOST = 'a.shop.svc.cluster.local';

/** The cluster of a service's port. */
export function outbound(host: string, port = 6379): string {
  return `outbound|${port}||${host}`;
}

/** A RedisService for HOST; `spec` in flow style, its `host` is added. Its spec stands on line 5. */
export function rule(spec: string, name = 'a'): string {
  return aeraki('RedisService', name, spec, `host: [${HOST}]`);
}

/** A RedisDestination for HOST with this trafficPolicy. */
export function destination(policy: string, name = 'a'): string {
  return aeraki('RedisDestination', name, `{trafficPolicy: ${policy}}`, `host: ${HOST}`);
}

function aeraki(kind: string, name: string, spec: string, host: string): string {
  return `---\napiVersion: redis.aeraki.io/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec.replace(/^\{(?=.)/, spec === '{}' ? `{${host}` : `{${host}, `)}\n`;
}

/** A Service in namespace shop with these ports. */
export function k8sService(name: string, ...ports: readonly (readonly [string, number])[]): string {
  const listed = ports.map(([port, number]) => `{name: ${port}, port: ${number}}`);
  return `---\napiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec: {clusterIP: 10.96.0.1, ports: [${listed.join(', ')}]}\n`;
}

/** An EndpointSlice of a service in namespace shop. */
export function slice(service: string, ips: readonly string[], port = 6379): string {
  const endpoints = ips.map((ip) => `{addresses: [${ip}]}`);
  return `---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: ${service}-x, namespace: shop, labels: {kubernetes.io/service-name: ${service}}}\naddressType: IPv4\nports: [{name: "", port: ${port}}]\nendpoints: [${endpoints.join(', ')}]\n`;
}
