/**
 * Fault rules as text, for `--fault`, for typing them and for profiles, one a line:
 *
 *   error 20% "LOADING" if cmd=SET key=session:*        delay 50ms+-10ms 5% on reply max 10 if class=read
 *
 * The `if` may be left out where the scope begins with a field: `error 50% cmd=GET`.
 */
import { parseFilter } from '../filter/filter.js';
import type { FaultAction, FaultRule } from '../mesh/config.js';

/** What is wrong with a text, and what would be right. */
export type RuleProblem = { readonly kind: 'problem'; readonly message: string };

/** A rule without what its keeper gives it: a name, a seed, whether it is on. */
export type NewRule = Omit<FaultRule, 'id' | 'on' | 'seed'> & { readonly kind: 'rule' };

/** Error texts by the names that people know. */
const PRESETS: Readonly<Record<string, string>> = {
  LOADING: 'LOADING Redis is loading the dataset in memory',
  BUSY: 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  READONLY: "READONLY You can't write against a read only replica.",
  OOM: "OOM command not allowed when used memory > 'maxmemory'.",
  CLUSTERDOWN: 'CLUSTERDOWN The cluster is down',
  NOAUTH: 'NOAUTH Authentication required.',
  TRYAGAIN: 'TRYAGAIN Multiple keys request during rehashing of slot',
  MASTERDOWN: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
};

const KINDS = 'delay, error, close, hang, drip, moved, ask, down';

/** Reads a rule; its scope may only ask for what is known when a command is decided. */
export function parseRule(text: string): NewRule | RuleProblem {
  const [before = '', ...scopes] = splitScope(text);
  const words = before.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const [kind = '', ...rest] = words;
  const taken = take(rest);
  if (typeof taken === 'string') return problem(taken);
  const action = actionOf(kind, taken);
  if (typeof action === 'string') return problem(action);
  const scope = scopes.join(' if ').trim();
  const filter = parseFilter(scope, 'decision');
  if (filter.kind === 'problem')
    return problem(
      `in the scope: ${filter.message}${filter.hint === null ? '' : `, ${filter.hint}`}`,
    );
  return { kind: 'rule', percent: taken.percent, scope, action, max: taken.max };
}

function problem(message: string): RuleProblem {
  return { kind: 'problem', message };
}

/** What stands before the scope, and the scope: after an ` if ` outside quotes, else from the first word that asks for a field. */
function splitScope(text: string): string[] {
  let field = -1;
  for (const { 0: word, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|\S+/g)) {
    if (word === 'if') return [text.slice(0, index), text.slice(index + 2)];
    const isField =
      /^[(!-]*[a-z][\w.]*(=|!=|<|>|!~)/i.test(word) ||
      /^[(!-]*[a-z][\w.]* in \{/i.test(text.slice(index));
    if (field === -1 && isField) field = index;
  }
  return field === -1 ? [text] : [text.slice(0, field), text.slice(field)];
}

type Taken = {
  percent: number;
  max: number | null;
  at: 'request' | 'reply';
  words: string[];
  text: string | null;
};

/** The parts that every kind may have; `words` are left over for the kind. */
function take(words: readonly string[]): Taken | string {
  const taken: Taken = { percent: 100, max: null, at: 'request', words: [], text: null };
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (/^[\d.]+%$/.test(word)) {
      taken.percent = Number(word.slice(0, -1));
      if (!(taken.percent >= 0 && taken.percent <= 100)) return `${word}: from 0% to 100%`;
    } else if (word === 'max') {
      taken.max = Number(words[++i]);
      if (!Number.isInteger(taken.max) || taken.max < 1)
        return 'max wants a number of hits, e.g. max 10';
    } else if (word === 'on' && words[i + 1] === 'reply') {
      taken.at = 'reply';
      i++;
    } else if (word.startsWith('"')) taken.text = word.slice(1, -1).replace(/\\(.)/g, '$1');
    else taken.words.push(word);
  }
  return taken;
}

/** The action, or what is wrong. */
function actionOf(kind: string, { words, text, at }: Taken): FaultAction | string {
  const [first] = words;
  if (words.length > 1)
    return `what is ${words[1]}? Texts stand in "quotes"; the scope begins with if`;
  switch (kind) {
    case 'delay': {
      const [amount, jitter] = (first ?? '').split('+-');
      const ms = millisecondsIn(amount ?? '');
      const jitterMs = jitter === undefined ? 0 : millisecondsIn(jitter);
      return ms === null || jitterMs === null
        ? 'how long? e.g. delay 50ms+-10ms 5%'
        : { kind, ms, jitterMs, at };
    }
    case 'error': {
      const preset = first === undefined ? undefined : PRESETS[first.toUpperCase()];
      if (first !== undefined && preset === undefined)
        return `${first} is no preset: ${Object.keys(PRESETS).join(' ')}, or a text in "quotes"`;
      return { kind, text: text ?? preset ?? 'Fault Injected: Error', delayMs: 0, at };
    }
    case 'close': {
      const bytes = /^after(\d+)B?$/i.exec(first ?? '')?.[1];
      return {
        kind,
        reset: first?.toLowerCase() === 'rst',
        afterBytes: bytes === undefined ? null : Number(bytes),
      };
    }
    case 'hang': {
      const ms = first === undefined ? null : millisecondsIn(first);
      return first !== undefined && ms === null
        ? 'how long? e.g. hang 5s, or hang alone'
        : { kind, ms };
    }
    case 'drip': {
      const [bytes, pause] = (first ?? '').split('/');
      const pauseMs = millisecondsIn(pause ?? '');
      return Number(bytes) > 0 && pauseMs !== null
        ? { kind, bytes: Number(bytes), pauseMs }
        : 'so many bytes every so long, e.g. drip 10/5ms';
    }
    case 'moved':
    case 'ask':
      return { kind, to: first ?? null };
    case 'down':
      return { kind };
    default:
      return kind === '' ? `begin with a kind: ${KINDS}` : `no fault is called ${kind}: ${KINDS}`;
  }
}

function millisecondsIn(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text);
  return match === null ? null : Number(match[1]) * (match[2] === 's' ? 1000 : 1);
}

/** `delay 50ms+-10ms 5% if class=read`: what `parseRule` reads. */
export function ruleText(rule: Pick<FaultRule, 'action' | 'percent' | 'scope' | 'max'>): string {
  const max = rule.max === null ? '' : ` max ${rule.max}`;
  const scope = rule.scope.trim() === '' ? '' : ` if ${rule.scope}`;
  const { action } = rule;
  const amount = amountText(action);
  const at = 'at' in action && action.at === 'reply' ? ' on reply' : '';
  return `${action.kind}${amount === '' ? '' : ` ${amount}`} ${rule.percent}%${at}${max}${scope}`;
}

/** What a rule does, without its kind. */
export function amountText(action: FaultAction): string {
  switch (action.kind) {
    case 'delay':
      return `${action.ms}ms${action.jitterMs > 0 ? `+-${action.jitterMs}ms` : ''}`;
    case 'error':
      return `"${action.text.replace(/[\\"]/g, '\\$&')}"`;
    case 'close':
      return action.reset ? 'RST' : action.afterBytes === null ? '' : `after${action.afterBytes}B`;
    case 'hang':
      return action.ms === null ? '' : `${action.ms}ms`;
    case 'drip':
      return `${action.bytes}/${action.pauseMs}ms`;
    case 'moved':
    case 'ask':
      return action.to ?? '';
    case 'down':
      return '';
  }
}
