/** What a filter asks for: for those who can answer only some of it. */
import type { Node } from './ast.js';
import { isFlag, TILDES } from './flags.js';
import { parse } from './parse.js';

/** The fields and flags in the filter `text`, lower case. Of a filter that has been compiled without a complaint. */
export function askedBy(text: string): readonly string[] {
  return askedIn(parse(text));
}

function askedIn(node: Node): readonly string[] {
  switch (node.kind) {
    case 'all':
      return [];
    case 'and':
    case 'or':
      return node.of.flatMap(askedIn);
    case 'not':
      return askedIn(node.of);
    case 'compare':
    case 'member':
      return [node.field.text.toLowerCase()];
    case 'tilde': {
      const form = TILDES[node.name.text];
      if (form === undefined) return [];
      return form.kind === 'flag' ? [form.flag] : form.fields;
    }
    case 'word': {
      const { value } = node;
      return value.kind === 'bare' && isFlag(value.text.toLowerCase())
        ? [value.text.toLowerCase()]
        : [];
    }
  }
}
