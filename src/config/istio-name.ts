/** Istio's names of clusters (config page, 1.3.3). */

export type IstioName = {
  readonly direction: 'outbound' | 'inbound';
  readonly port: number;
  readonly subset: string;
  /** '' of inbound clusters since Istio 1.8. */
  readonly host: string;
};

/** The parts of `outbound|6379||host`, or of the gateway's spelling `outbound_.6379_._.host`; null where it is no such name. */
export function parseIstioName(name: string): IstioName | null {
  const parts = name.includes('|') ? name.split('|') : name.split('_.');
  const [direction, port = '', subset = '', host = ''] = parts;
  if (parts.length !== 4 && !(parts.length === 3 && direction === 'inbound')) return null;
  if ((direction !== 'outbound' && direction !== 'inbound') || !/^\d+$/.test(port)) return null;
  return { direction, port: Number(port), subset: subset === '_' ? '' : subset, host };
}

/** Clusters of Istio's own that lead nowhere in particular. */
export function isIstioBuiltIn(name: string): boolean {
  return /^(PassthroughCluster|BlackHoleCluster|InboundPassthroughCluster(Ipv[46])?)$/.test(name);
}

/** The name of the cluster of a service's port. */
export function outboundName(host: string, port: number): string {
  return `outbound|${port}||${host}`;
}
