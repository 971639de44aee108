/** Redis's glob over bytes as characters: `*`, `?`, `[a-z]`, `[^a]`, `\x` (util.c, stringmatchlen). */

/** Whether `text` fits `pattern`. Goes back to the last `*` only, so its time is bounded by the product of both lengths. */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let starAt = -1;
  let starText = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      starAt = p++;
      starText = t;
      continue;
    }
    const next = matchOne(pattern, p, text.charCodeAt(t));
    if (next !== -1) {
      p = next;
      t++;
      continue;
    }
    if (starAt === -1) return false;
    p = starAt + 1;
    t = ++starText;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** Where the pattern goes on after the character `code`; -1 when it does not fit. */
function matchOne(pattern: string, at: number, code: number): number {
  const char = pattern[at];
  if (char === undefined) return -1;
  if (char === '?') return at + 1;
  if (char === '[') return matchClass(pattern, at + 1, code);
  if (char === '\\' && at + 1 < pattern.length)
    return pattern.charCodeAt(at + 1) === code ? at + 2 : -1;
  return pattern.charCodeAt(at) === code ? at + 1 : -1;
}

function matchClass(pattern: string, at: number, code: number): number {
  const isNegated = pattern[at] === '^';
  if (isNegated) at++;
  let isIn = false;
  for (; at < pattern.length && pattern[at] !== ']'; at++) {
    if (pattern[at] === '\\' && at + 1 < pattern.length) at++;
    const from = pattern.charCodeAt(at);
    let to = from;
    if (pattern[at + 1] === '-' && at + 2 < pattern.length && pattern[at + 2] !== ']') {
      to = pattern.charCodeAt(at + 2);
      at += 2;
    }
    if (code >= Math.min(from, to) && code <= Math.max(from, to)) isIn = true;
  }
  return isIn === isNegated ? -1 : Math.min(at + 1, pattern.length);
}
