/** A recorded command decided again under another mesh: what would change. Pure; sends nothing. */
import { type Decision, isStopped, type Part, partsOf } from '../mesh/decision.js';
import type { Rng } from '../mesh/rng.js';
import { aliasOf, type Topology } from '../mesh/topology.js';

/** What changes most, in this order: a command has the first that fits. */
export type DecisionChange =
  | 'refused'
  | 'admitted'
  | 'answered'
  | 'split'
  | 'route'
  | 'shard'
  | 'role'
  /** Another server of the same role: only where that is asked for. */
  | 'server'
  | 'mirrors'
  | 'fault'
  | 'key';

/** One change, in words of the mesh: `cart:>` means another route. */
export type Redecided = {
  readonly change: DecisionChange;
  readonly from: string;
  readonly to: string;
};

/**
 * What is different between two decisions of one command; null where the mesh would do the same. What is left to chance does not count:
 * which replica is drawn, which server when any will do. With `routingOnly` neither mirrors nor faults are looked at.
 */
export function compareDecisions(a: Decision, b: Decision, routingOnly = false): Redecided | null {
  if (isSamePlan(a, b)) return null;
  if (a.action.kind !== b.action.kind || isRefusal(a) !== isRefusal(b)) {
    const change =
      b.action.kind === 'refuse' ? 'refused' : a.action.kind === 'refuse' ? 'admitted' : 'answered';
    return { change, from: actionOf(a), to: actionOf(b) };
  }
  if (actionOf(a) !== actionOf(b)) {
    return {
      change: b.action.kind === 'refuse' ? 'refused' : 'answered',
      from: actionOf(a),
      to: actionOf(b),
    };
  }
  return (
    differ('split', a, b, (parts) => String(parts.length)) ??
    routeDiffers(a, b) ??
    differ('key', a, b, (parts) =>
      parts.map((part) => part.rekey?.bytes.toString('latin1') ?? '').join(' '),
    ) ??
    differ('shard', a, b, (parts) => parts.map(shardOf).join(' ')) ??
    differ('role', a, b, (parts) => parts.map(placeOf).join(' ')) ??
    (routingOnly ? null : (differ('mirrors', a, b, mirrorsOf) ?? faultDiffers(a, b)))
  );
}

/** A decision, and the topology it was made with; undefined where that is not known any more. */
type Placed = readonly [Decision, Topology | undefined];

/** Where two decisions that `compareDecisions` takes for the same go to different servers, by their names in the topology; else null. */
export function compareServers([a, before]: Placed, [b, after]: Placed): Redecided | null {
  const names = (decision: Decision, topology: Topology | undefined): string =>
    partsOf(decision)
      .map(({ to }) =>
        to === null || topology === undefined
          ? (to?.address ?? '-')
          : aliasOf(topology, to.upstream, to.address),
      )
      .join(' ');
  const [from, to] = [names(a, before), names(b, after)];
  return from === to ? null : { change: 'server', from, to };
}

/** Whether two decisions are plainly the same: as nearly all are, so that nothing is put into words for them. */
function isSamePlan(a: Decision, b: Decision): boolean {
  if (a.action.kind !== 'forward' || b.action.kind !== 'forward') return false;
  if (a.fault !== null || b.fault !== null) return false;
  const [left, right] = [a.action.parts, b.action.parts];
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++)
    if (!isSamePart(left[i] as Part, right[i] as Part)) return false;
  return true;
}

function isSamePart(a: Part, b: Part): boolean {
  if (a.rekey !== null || b.rekey !== null || a.mirrors.length + b.mirrors.length > 0) return false;
  if (a.to === null || b.to === null || a.route?.upstream !== b.route?.upstream) return false;
  return a.to.upstream === b.to.upstream && a.to.shard === b.to.shard && a.to.role === b.to.role;
}

function isRefusal({ action }: Decision): boolean {
  return action.kind === 'refuse';
}

function actionOf({ action }: Decision): string {
  switch (action.kind) {
    case 'refuse':
      return `refused: ${action.error}`;
    case 'answer':
      return `answered: ${action.reply}`;
    case 'forward':
      return 'forwarded';
  }
}

function differ(
  change: DecisionChange,
  a: Decision,
  b: Decision,
  say: (parts: readonly Part[]) => string,
): Redecided | null {
  const [from, to] = [say(partsOf(a)), say(partsOf(b))];
  return from === to ? null : { change, from, to };
}

/** Another upstream; another prefix that leads to the same one changes nothing. */
function routeDiffers(a: Decision, b: Decision): Redecided | null {
  const upstreams = (parts: readonly Part[]): string =>
    parts.map(({ route }) => route?.upstream ?? '').join(' ');
  if (upstreams(partsOf(a)) === upstreams(partsOf(b))) return null;
  return differ('route', a, b, (parts) => parts.map(routeOf).join(' '));
}

function routeOf({ route }: Part): string {
  return route === null ? 'none' : `${route.prefix ?? '*'}@${route.upstream}`;
}

function shardOf(part: Part): string {
  return part.to === null ? 'no host' : `${part.to.upstream}/s${shardText(part)}`;
}

/** A choice left to chance says nothing about the mesh. */
function shardText({ to, why }: Part): string {
  // A client's own connection without a key: where it was opened was left to chance, then.
  const isPinnedOnly = why.length > 0 && why.every((reason) => reason.code === 'pinned');
  const isAny =
    isPinnedOnly || why.some((reason) => reason.code === 'random-shard' || reason.code === 'turn');
  return isAny ? '?' : String(to?.shard ?? '-');
}

function roleText({ to, why }: Part): string {
  if (why.some((reason) => reason.stage === 'choose' && reason.code === 'random')) return '?';
  return to === null ? '-' : to.role === 'replica' ? 'R' : 'P';
}

function mirrorsOf(parts: readonly Part[]): string {
  return parts.map((part) => part.mirrors.map((hop) => hop.upstream).join('+') || '-').join(' ');
}

function faultDiffers(a: Decision, b: Decision): Redecided | null {
  const [from, to] = [a, b].map((each) =>
    each.fault === null
      ? 'none'
      : `${each.fault.id}${isStopped(each) ? ' instead of the command' : ''}`,
  ) as [string, string];
  return from === to ? null : { change: 'fault', from, to };
}

/** Positions of the keys of a command that `b` takes to another server than `a`, or under another name; its role there does not count. */
export function movedKeys(keys: readonly number[], a: Decision, b: Decision): number[] {
  const [before, after] = [partsOf(a), partsOf(b)];
  if (before.length === 0 || after.length === 0) return []; // refused or answered: no key is looked for anywhere
  return keys.filter((at) => homeOf(before, at) !== homeOf(after, at));
}

function homeOf(parts: readonly Part[], key: number): string {
  const part = parts.find(({ args }) => args === 'all' || args.includes(key));
  return part === undefined
    ? ''
    : `${shardOf(part)} ${part.rekey?.at === key ? part.rekey.bytes.toString('latin1') : ''}`;
}

/** The recorded draws first, then draws of `more`: a policy that did not draw before has none recorded. */
export function drawsThen(draws: readonly number[], more: Rng): Rng {
  let next = 0;
  return {
    below(n) {
      const drawn = draws[next++];
      return drawn === undefined ? more.below(n) : Math.min(drawn, n - 1);
    },
    rule(rule, command, parts) {
      return draws[next++] ?? more.rule?.(rule, command, parts) ?? -1;
    },
  };
}

/** `s1.P`; `?` for what was left to chance. */
function placeOf(part: Part): string {
  return part.to === null ? 'no host' : `s${shardText(part)}.${roleText(part)}`;
}
