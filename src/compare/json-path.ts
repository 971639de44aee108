/**
 * A small part of JSONPath (RFC 9535), enough to name parts of a document: `$.user.email`, `$['a b']`, `$.items[0]`, `$.items[*].id`,
 * `$.*`, and `$..email` at any depth. No filters, slices or unions: a path is followed beside the document in one pass, each step at the
 * cost of the path's length, whatever the document is.
 */

/** One step down: a member's name, an element's place, or any. `deep`: it may be any number of levels further down. */
type Step = { readonly name: string | number | null; readonly deep: boolean };

/** How far a path has been followed at one place of a document: several ways at once, for a deep step may match again further down. */
export type PathState = readonly number[];

/** A path, followed step by step from `start`. */
export class JsonPath {
  readonly text: string;
  readonly start: PathState = [0];
  private readonly steps: readonly Step[];

  constructor(text: string, steps: readonly Step[]) {
    this.text = text;
    this.steps = steps;
  }

  /** The state at the member or element `child` of a value in `state`; empty where the path leads nowhere below. */
  step(state: PathState, child: string | number): PathState {
    const next: number[] = [];
    for (const at of state) {
      const step = this.steps[at];
      if (step === undefined) continue;
      if (step.deep && !next.includes(at)) next.push(at);
      if ((step.name === null || step.name === child) && !next.includes(at + 1)) next.push(at + 1);
    }
    return next;
  }

  /** The name that a member it names has; null where that may be any, or it is an element. */
  get last(): string | null {
    const { name } = this.steps.at(-1) as Step;
    return typeof name === 'string' ? name : null;
  }

  /** Whether the path names the value in `state`. */
  isAt(state: PathState): boolean {
    return state.includes(this.steps.length);
  }
}

/** What is wrong with a path. */
export type PathProblem = { readonly kind: 'problem'; readonly message: string };

const STEP =
  /(\.\.?)(?:(\*)|([^.[\]'"*?@(),:\s]+))|(\.\.)?\[(?:(\*)|(\d{1,9})|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/y;

/** The path that `text` says, or what is wrong with it. */
export function parseJsonPath(text: string): JsonPath | PathProblem {
  const problem = (message: string): PathProblem => ({ kind: 'problem', message });
  if (!text.startsWith('$'))
    return problem(`${text} is no JSON path: one begins with $, as $.name`);
  const steps: Step[] = [];
  STEP.lastIndex = 1;
  while (STEP.lastIndex < text.length) {
    const at = STEP.lastIndex;
    const match = STEP.exec(text);
    if (match === null)
      return problem(
        `${text} is not understood at column ${at + 1}: there are .name ['name'] [0] [*] .* and ..name`,
      );
    const [, dots, , name, deep, , index, single, double] = match;
    const quoted = single ?? double;
    steps.push({
      name:
        name ?? (index !== undefined ? Number(index) : (quoted?.replace(/\\(.)/g, '$1') ?? null)),
      deep: dots === '..' || deep !== undefined,
    });
  }
  if (steps.length === 0) return problem('$ is all of it: name a part, as $.name');
  return new JsonPath(text, steps);
}
