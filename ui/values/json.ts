/** JSON as it was written, only indented: numbers keep all their digits, and a key that is there twice is shown twice. */

/** Deeper levels are indented no further. */
const MAX_INDENT = 24;

/** The lines of `text`, no more than `limit`; null where it is no JSON. */
export function jsonLines(text: string, limit: number): string[] | null {
  return isJson(text) ? indented(text, limit) : null;
}

export function isJson(text: string): boolean {
  return jsonProblem(text) === '';
}

/** What is wrong with `text`; empty where it is JSON. For whoever insists that it is JSON. */
export function jsonProblem(text: string): string {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

function indented(text: string, limit: number): string[] {
  const lines: string[] = [];
  let line = '';
  let depth = 0;
  let before = '';
  const end = (): void => {
    lines.push(line);
    line = ' '.repeat(2 * Math.min(depth, MAX_INDENT));
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (lines.length >= limit) return lines;
    const isEmpty = (before === '{' && token === '}') || (before === '[' && token === ']');
    if (token === '}' || token === ']') {
      depth--;
      if (!isEmpty) end();
    } else if (before === '{' || before === '[') end();
    line += token;
    if (token === '{' || token === '[') depth++;
    else if (token === ',') end();
    else if (token === ':') line += ' ';
    before = token;
  }
  lines.push(line);
  return lines;
}
