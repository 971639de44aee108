/** Numbers for people: short, of fixed width where they change often. */

/** `48,112` */
export function count(n: number): string {
  return n.toLocaleString('en-US');
}

/** `812`, `1.2k`, `48.1k`, `1.2M`: at most five characters. */
export function short(n: number): string {
  if (n < 1000) return String(Math.round(n));
  if (n < 999_950) return `${trim(n / 1000)}k`;
  return n < 999_950_000 ? `${trim(n / 1e6)}M` : `${trim(n / 1e9)}G`;
}

function trim(n: number): string {
  return n >= 100 ? String(Math.round(n)) : n.toFixed(1);
}

/** A latency for the header: `0.41ms`, `1.8ms`, `58ms`, `1.2s`; `--` when there is none. */
export function latency(us: number | null): string {
  if (us === null) return '--';
  const ms = us / 1000;
  if (ms < 1) return `${ms.toFixed(2)}ms`;
  if (ms < 10) return `${ms.toFixed(1)}ms`;
  return ms < 1000 ? `${Math.round(ms)}ms` : `${(ms / 1000).toFixed(1)}s`;
}

/** Milliseconds for a column of `width` cells: `0.41`, `50.71`, `1234.5`, then `12.3s`. */
export function milliseconds(us: number, width: number): string {
  const ms = us / 1000;
  for (const digits of [2, 1]) {
    const text = ms.toFixed(digits);
    if (text.length <= width) return text;
  }
  const seconds = ms / 1000;
  return seconds < 1000 ? `${seconds.toFixed(1)}s` : `${Math.round(seconds / 60)}m`;
}

/** `212`, `9.1k`, `4.1M`, for sizes in bytes. */
export function size(bytes: number): string {
  return short(bytes);
}

/** A share: `0.4%`, `12%`. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '0.0%';
  const share = (100 * part) / whole;
  return share >= 10 || share === 0 ? `${Math.round(share)}%` : `${share.toFixed(1)}%`;
}

/** `1 client`, `3 clients` */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}
