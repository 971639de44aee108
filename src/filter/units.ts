/** Numbers with units: `2ms`, `64KiB`, `12`. */

/** µs of each unit of time. */
const DURATIONS: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1000,
  s: 1e6,
  m: 60e6,
  h: 3600e6,
};

/** Bytes of each unit of size. */
const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  k: 1000,
  M: 1e6,
  G: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

export type NumberType = 'int' | 'duration' | 'size';

/** What to say of a text that is no number of this type. */
export const WANTED: Readonly<Record<NumberType, string>> = {
  int: 'a whole number',
  duration: 'a duration: 500us, 2ms, 1.5s, 3m, 1h',
  size: 'a size: 100, 100B, 64KiB, 1M',
};

/** The number that `text` says, in µs or bytes; null when it says none of this type. */
export function parseNumber(text: string, type: NumberType): number | null {
  const match = /^(-?\d+(?:\.\d+)?)([A-Za-z%]*)$/.exec(text);
  if (match === null) return null;
  const [, digits = '', unit = ''] = match;
  const number = Number(digits);
  switch (type) {
    case 'int':
      return unit === '' && Number.isSafeInteger(number) ? number : null;
    case 'size': {
      const scale = SIZES[unit === '' ? 'B' : unit];
      return scale === undefined ? null : number * scale;
    }
    case 'duration': {
      const scale = DURATIONS[unit];
      if (scale !== undefined) return number * scale;
      return unit === '' && number === 0 ? 0 : null;
    }
  }
}
