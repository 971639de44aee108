/** How a name of a Kubernetes cluster is reached from outside: the command to type, read off the name (config page, 3.3). */
import { joinAddress, splitAddress } from './address.js';

/** The two steps: `kubectl …` opens the way, the entry of `--map` leads there. */
export type Forward = { readonly command: string; readonly map: string };

/**
 * The port-forward for `address` (`host:port`), from `localPort` of this machine: of a pod for `pod.service.namespace.svc…`, else of the
 * service. Null where it is no full name of a service: then nothing says in which namespace to look.
 */
export function portForward(address: string, localPort: number): Forward | null {
  const parts = splitAddress(address);
  if (parts === null) return null;
  const labels = parts.host.toLowerCase().replace(/\.$/, '').split('.');
  const svc = labels.indexOf('svc');
  if ((svc !== 2 && svc !== 3) || !labels.every((label) => /^[a-z0-9-]+$/.test(label))) return null;
  const namespace = labels[svc - 1] ?? '';
  const target = svc === 3 ? `pod/${labels[0]}` : `svc/${labels[0]}`;
  return {
    command: `kubectl -n ${namespace} port-forward ${target} ${localPort}:${parts.port}`,
    map: `--map ${joinAddress(parts.host, parts.port)}=127.0.0.1:${localPort}`,
  };
}

/** Where forwards begin on this machine, unless their user says otherwise. */
export const FIRST_FORWARD_PORT = 63790;

/** Both steps as a line to type; null as for `portForward`. */
export function forwardText(address: string): string | null {
  const way = portForward(address, FIRST_FORWARD_PORT);
  return way === null ? null : `${way.command}, and ${way.map}`;
}
