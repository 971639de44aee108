/**
 * Two recordings of the same thing side by side (recording page, 6): connections by name, else in the order they came; on each the
 * commands in order, so that one that was put in or left out is `extra` or `missing` and does not shift everything behind it.
 */
import type { CommandEvent } from '../events/event.js';

/** Two commands that belong together, or one that the other side lacks. */
export type Pair =
  | {
      readonly kind: 'both';
      readonly a: CommandEvent;
      readonly b: CommandEvent;
      readonly changed: boolean;
    }
  | { readonly kind: 'missing'; readonly a: CommandEvent }
  | { readonly kind: 'extra'; readonly b: CommandEvent };

/** One connection's commands, in the order they arrived. */
export type ClientCommands = {
  readonly name: string | null;
  readonly commands: readonly CommandEvent[];
};

/** How far ahead the other side's command is looked for. */
const WINDOW = 64;

/** The clients of both sides that belong together; null where there is none. */
export function pairClients(
  a: readonly ClientCommands[],
  b: readonly ClientCommands[],
): (readonly [ClientCommands | null, ClientCommands | null])[] {
  const left = [...b];
  const take = (index: number): ClientCommands | null =>
    index === -1 ? null : (left.splice(index, 1)[0] ?? null);
  const named = a.map((client) =>
    client.name === null ? null : take(left.findIndex((each) => each.name === client.name)),
  );
  const pairs = a.map((client, i): readonly [ClientCommands | null, ClientCommands | null] => [
    client,
    named[i] ?? take(left.findIndex((each) => each.name === null || client.name === null)),
  ]);
  return [...pairs, ...left.map((client) => [null, client] as const)];
}

/** Pairs the commands of one client. */
export function pairCommands(a: readonly CommandEvent[], b: readonly CommandEvent[]): Pair[] {
  const pairs: Pair[] = [];
  const as = a.map(identity);
  const bs = b.map(identity);
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (as[i] === bs[j]) {
      pairs.push({
        kind: 'both',
        a: a[i++] as CommandEvent,
        b: b[j++] as CommandEvent,
        changed: false,
      });
      continue;
    }
    const step = resume(as, bs, i, j);
    if (step !== null && (step.skipA === 0 || step.skipB === 0)) {
      for (; step.skipA > 0; step.skipA--)
        pairs.push({ kind: 'missing', a: a[i++] as CommandEvent });
      for (; step.skipB > 0; step.skipB--) pairs.push({ kind: 'extra', b: b[j++] as CommandEvent });
      continue;
    }
    const [left, right] = [a[i++] as CommandEvent, b[j++] as CommandEvent];
    if (sameKind(left, right)) pairs.push({ kind: 'both', a: left, b: right, changed: true });
    else pairs.push({ kind: 'missing', a: left }, { kind: 'extra', b: right });
  }
  for (; i < a.length; i++) pairs.push({ kind: 'missing', a: a[i] as CommandEvent });
  for (; j < b.length; j++) pairs.push({ kind: 'extra', b: b[j] as CommandEvent });
  return pairs;
}

/** The nearest place where both sides say the same again: how many commands of each are passed over. Null within the window. */
function resume(
  a: readonly string[],
  b: readonly string[],
  i: number,
  j: number,
): { skipA: number; skipB: number } | null {
  for (let skip = 1; skip <= WINDOW; skip++) {
    // The same change on both sides first: one command that is another now.
    if (i + skip < a.length && a[i + skip] === b[j + skip]) return { skipA: skip, skipB: skip };
    if (i + skip < a.length && a[i + skip] === b[j]) return { skipA: skip, skipB: 0 };
    if (j + skip < b.length && a[i] === b[j + skip]) return { skipA: 0, skipB: skip };
  }
  return null;
}

function identity(event: CommandEvent): string {
  return [
    event.command.name,
    ...event.args
      .slice(event.command.name.split(' ').length)
      .map((arg) => arg.bytes.toString('latin1')),
  ].join('\0');
}

/** The same command on the same key, with other arguments. */
function sameKind(a: CommandEvent, b: CommandEvent): boolean {
  const key = ({ command }: CommandEvent): string | null => {
    const [at] = command.keys;
    return at === undefined ? null : command.text(at);
  };
  return a.command.name === b.command.name && key(a) === key(b);
}
