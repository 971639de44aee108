/** Which regular expressions may run on the data path: those whose time grows with the length of the text, not faster. */

const MAX_LENGTH = 200;

/** Why `source` is refused there; null when it is not. */
export function regexProblem(source: string): string | null {
  if (source.length > MAX_LENGTH)
    return `a regular expression on the data path has at most ${MAX_LENGTH} characters`;
  if (/\\(?:[1-9]|k<)/.test(source))
    return 'no backreferences on the data path: they can take for ever';
  if (/\(\?<?[=!]/.test(source)) return 'no look-around on the data path: it can take for ever';
  return hasNestedQuantifier(source)
    ? 'no repetition within a repetition on the data path: it can take for ever'
    : null;
}

/** Whether a group that repeats something is itself repeated, as in `(a+)+`; also `a+a+`-like runs within one are caught by it. */
function hasNestedQuantifier(source: string): boolean {
  const groups: { hasQuantifier: boolean }[] = [{ hasQuantifier: false }];
  let closed: { hasQuantifier: boolean } | null = null;
  for (let i = 0; i < source.length; i++) {
    const char = source.charAt(i);
    const before = closed;
    closed = null;
    if (char === '\\') i++;
    else if (char === '[') i = endOfClass(source, i);
    else if (char === '(') groups.push({ hasQuantifier: false });
    else if (char === ')') {
      closed = (groups.length > 1 ? groups.pop() : undefined) ?? null;
      const parent = groups.at(-1);
      if (closed?.hasQuantifier && parent !== undefined) parent.hasQuantifier = true;
    } else if (isUnbounded(source, i)) {
      if (before?.hasQuantifier) return true;
      const group = groups.at(-1);
      if (group !== undefined) group.hasQuantifier = true;
    }
  }
  return false;
}

function isUnbounded(source: string, at: number): boolean {
  const char = source.charAt(at);
  return char === '*' || char === '+' || /^\{\d*,?\d*\}/.test(source.slice(at));
}

function endOfClass(source: string, at: number): number {
  for (at++; at < source.length && source.charAt(at) !== ']'; at++)
    if (source.charAt(at) === '\\') at++;
  return at;
}
