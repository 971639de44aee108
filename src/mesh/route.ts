/** Key → route: the longest prefix that the key starts with, else the catch-all (mesh page, 3.1). */
import type { CompiledConfig } from './config.js';
import type { Reason, RouteMatch } from './decision.js';

/** Before the radix tree of 1.36 a NUL byte in the key ended the text that is compared. */
const NUL_IS_COMPARED_SINCE = 36;

/** The route of `key`; null where none matches. Routes are sorted, longest prefix first and the catch-all last. */
export function findRoute(config: CompiledConfig, key: Uint8Array): RouteMatch | null {
  if (config.envoy < NUL_IS_COMPARED_SINCE && key.includes(0))
    key = key.subarray(0, key.indexOf(0));
  for (const route of config.routes) {
    if (route.bytes.length === 0 || startsWith(key, route.bytes)) return route.match;
  }
  return null;
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  if (key.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (key[i] !== prefix[i]) return false;
  return true;
}

/** Why a route was taken. */
export function routeReason(route: RouteMatch): Reason {
  return route.prefix === null
    ? { stage: 'route', code: 'catch-all', upstream: route.upstream }
    : { stage: 'route', code: 'prefix', prefix: route.prefix, upstream: route.upstream };
}

/** No route matched: Envoy answers `no upstream host`. */
export const NO_ROUTE: Reason = { stage: 'route', code: 'none' };
