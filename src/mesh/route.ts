/** Key → route: the longest prefix that the key starts with, else the catch-all (mesh page, 3.1); and the key that is sent then. */
import type { Peer } from '../commands/command.js';
import type { CompiledConfig, CompiledRoute } from './compile.js';
import type { Reason } from './decision.js';
import { formatKey } from './key-format.js';

/** Before the radix tree of 1.36 a NUL byte in the key ended the text that is compared. */
const NUL_IS_COMPARED_SINCE = 36;

/** The route of `key`; null where none matches. Routes are sorted, longest prefix first and the catch-all last. */
export function findRoute(config: CompiledConfig, key: Uint8Array): CompiledRoute | null {
  if (config.envoy < NUL_IS_COMPARED_SINCE && key.includes(0))
    key = key.subarray(0, key.indexOf(0));
  if (config.settings.caseInsensitive) {
    for (const route of config.routes) if (startsWithAnyCase(key, route.bytes)) return route;
    return null;
  }
  const { routes, fork } = config;
  const among =
    key.length > fork.at
      ? (fork.byByte[key[fork.at] as number] as readonly CompiledRoute[])
      : routes;
  // The catch-all has no bytes: every key starts with them.
  for (const route of among) if (startsWith(key, route.bytes)) return route;
  return null;
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  if (key.length < prefix.length) return false;
  // From the end: prefixes of one application often begin alike.
  for (let i = prefix.length - 1; i >= 0; i--) if (key[i] !== prefix[i]) return false;
  return true;
}

function startsWithAnyCase(key: Uint8Array, lowerPrefix: Uint8Array): boolean {
  if (key.length < lowerPrefix.length) return false;
  for (let i = 0; i < lowerPrefix.length; i++) {
    const byte = key[i] as number;
    if ((byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte) !== lowerPrefix[i]) return false;
  }
  return true;
}

/** What the route makes of `key`: cut, then formatted (3.3 and 3.4); `key` itself where it does neither. */
export function rewriteKey(route: CompiledRoute, key: Buffer, peer: Peer): Buffer {
  const cut = route.strip === 0 ? key : key.subarray(route.strip);
  return route.format === null ? cut : formatKey(route.format, cut, peer);
}

/** No route matched: Envoy answers `no upstream host`. */
export const NO_ROUTE: Reason = { stage: 'route', code: 'none' };
