/** What a filter says of a command by its name alone: for those who ask of every command before it is sent. */
import { commandByName } from '../commands/table.js';
import type { Node } from './ast.js';
import { compile, type Predicate } from './compile.js';
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
      return BY_NAME.has(node.field.text.toLowerCase()) ? predicateOf(node) : DEPENDS;
    case 'word':
      return node.value.kind === 'bare' &&
        commandByName(node.value.text.toUpperCase()) !== undefined
        ? predicateOf(node)
        : DEPENDS;
    case 'tilde':
      return DEPENDS;
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
