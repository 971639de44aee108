/** Redis's glob patterns: `*`, `?`, `[a-z]`, `[^x]`, `\x`. */

/** Whether all of `text` is what `pattern` describes. */
export function matchesGlob(pattern: string, text: string): boolean {
  return toRegExp(pattern).test(text);
}

function toRegExp(pattern: string): RegExp {
  const source = pattern.replace(
    /\\(.)|\*+|\?|\[(\^?)((?:\\.|[^\]])*)\]?|(.)/gs,
    (wild, escaped, not, members, plain) => {
      if (escaped !== undefined) return literal(escaped);
      if (members !== undefined) return classOf(not, members);
      if (plain !== undefined) return literal(plain);
      return wild === '?' ? '.' : '.*';
    },
  );
  return new RegExp(`^${source}$`, 's');
}

function classOf(not: string, members: string): string {
  const inside = members.replace(/\\(.)|[\]\\^[]/gs, (char, escaped) => `\\${escaped ?? char}`);
  // An empty class matches nothing, its negation anything: JavaScript agrees.
  return `[${not}${inside}]`;
}

function literal(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
}
