/** A server's MOVED or ASK → where the request goes next (mesh page, 4.5). */
import { isIpLiteral, joinAddress, splitAddress } from './address.js';

/** A redirect that can be followed. */
export type Redirect = {
  readonly kind: 'MOVED' | 'ASK';
  readonly slot: number;
  /** Announced address of the target. */
  readonly address: string;
};

/**
 * The redirect that the error `text` (without its `-`) asks for; null where it is none, or its target cannot be used, and the error
 * goes to the client as it is: other than three words, no port, or a name (Envoy needs a DNS cache for those).
 */
export function parseRedirect(text: string): Redirect | null {
  const words = text.split(' ');
  const [kind, slot, target] = words;
  if (words.length !== 3 || (kind !== 'MOVED' && kind !== 'ASK') || target === undefined)
    return null;
  const parts = splitAddress(target);
  if (parts === null || parts.host === '' || !isIpLiteral(parts.host)) return null;
  return { kind, slot: Number(slot), address: joinAddress(parts.host, parts.port) };
}

/** With redirection on, CLUSTERDOWN becomes `upstream failure`. */
export function isClusterDown(text: string): boolean {
  return text === 'CLUSTERDOWN' || text.startsWith('CLUSTERDOWN ');
}
