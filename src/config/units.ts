/** Durations and shares as the formats spell them. */

/** A duration read: `ms`, and whether Envoy's own notation (decimal seconds with an `s`) was used. */
export type Duration = { readonly ms: number; readonly isEnvoy: boolean };

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Reads `5s`, `0.25s` as Envoy does and `250ms`, `1h30m` as Go does; null where it is neither. */
export function parseDuration(text: string): Duration | null {
  if (text === '0') return { ms: 0, isEnvoy: false };
  if (
    !/^[+-]?(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$/.test(
      text,
    )
  )
    return null;
  let ms = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(
    /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g,
  ))
    ms += Number(amount) * (UNITS[unit] ?? 0);
  return {
    ms: (text.startsWith('-') ? -1 : 1) * Number(ms.toFixed(6)),
    isEnvoy: /^-?\d+(\.\d{1,9})?s$/.test(text),
  };
}

/** A number of ms in Envoy's notation: `0.25s`. */
export function envoyDuration(ms: number): string {
  return `${Number((ms / 1000).toFixed(9))}s`;
}

/** The numerator is a uint32. */
const MOST = 0xffffffff;

/** Percent as Aeraki hands it to Envoy: millionths, cut rather than rounded, in floating point (config page, 2.5). */
export function perMillion(percent: number): number {
  return Math.min(MOST, Math.max(0, Math.trunc(percent * 10_000)));
}
