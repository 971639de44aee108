/** What a filter says of a command by its name alone: for those who ask of every command before it is sent. */
import { commandByName } from '../commands/table.js';
import type { Node } from './ast.js';
import { compile, type Predicate, prefixIn } from './compile.js';
import type { Facts } from './facts.js';

/** Whether a command fits; null where that depends on more than its name. */
export type Verdict = (facts: Facts) => boolean | null;

const DEPENDS: Verdict = () => null;

/** The fields that two commands of one name never differ in. */
const BY_NAME: ReadonlySet<string> = new Set(['cmd', 'class']);

/** The verdict of a filter that has been compiled without a complaint. */
export function verdictOf(node: Node): Verdict {
  switch (node.kind) {
    case 'all':
      return () => true;
    case 'and':
      return junction(node.of.map(verdictOf), false);
    case 'or':
      return junction(node.of.map(verdictOf), true);
    case 'not': {
      const of = verdictOf(node.of);
      return (facts) => {
        const fits = of(facts);
        return fits === null ? null : !fits;
      };
    }
    case 'compare':
    case 'member':
    case 'word':
      return isByName(node) ? predicateOf(node) : DEPENDS;
    case 'tilde':
      return DEPENDS;
  }
}

/**
 * What is left to ask of a command whose name alone does not settle it, where that is only what its keys begin with: all of these must
 * begin a key. Null where more is to be asked.
 */
export function keyPrefixesOf(node: Node): readonly Buffer[] | null {
  if (node.kind === 'compare') {
    const isKey = node.operator === '=' && node.field.text.toLowerCase() === 'key';
    const prefix = isKey ? prefixIn(node.value) : null;
    return prefix === null ? null : [prefix];
  }
  if (node.kind !== 'and') return null;
  const prefixes: Buffer[] = [];
  for (const each of node.of) {
    if (isByName(each)) continue; // true, or the verdict would have been false
    const own = keyPrefixesOf(each);
    if (own === null) return null;
    prefixes.push(...own);
  }
  return prefixes;
}

function isByName(node: Node): boolean {
  switch (node.kind) {
    case 'compare':
    case 'member':
      return BY_NAME.has(node.field.text.toLowerCase());
    case 'word':
      return (
        node.value.kind === 'bare' && commandByName(node.value.text.toUpperCase()) !== undefined
      );
    default:
      return false;
  }
}

function predicateOf(node: Node): Predicate {
  return compile(node, { phase: null, readings: [] });
}

/** Of `and` one false decides, of `or` one true, whatever the others depend on. */
function junction(of: readonly Verdict[], deciding: boolean): Verdict {
  return (facts) => {
    const verdicts = of.map((each) => each(facts));
    if (verdicts.includes(deciding)) return deciding;
    return verdicts.includes(null) ? null : !deciding;
  };
}
