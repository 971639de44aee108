/** A value of a file that knows its place. Readers, merges and generators all work on these. */
import type { Position } from './diagnostic.js';

/** Text, a number, a truth value or nothing. `plain`: written without quotes, so that its type was read off its looks. */
export type ScalarNode = {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As it stands in the file. */
  readonly text: string;
  readonly plain: boolean;
  readonly at: Position;
};

export type ListNode = {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly at: Position;
};

export type Entry = { readonly at: Position; readonly value: Node };

export type MapNode = {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly at: Position;
};

export type Node = ScalarNode | ListNode | MapNode;

/** What `make` turns into nodes: plain data, with nodes wherever a place of their own is worth keeping. */
export type Plain =
  | Node
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** A node of plain data, all of it at `at`; what is undefined is left out. */
export function make(value: Plain, at: Position): Node {
  if (isNode(value)) return value;
  if (value === undefined || value === null || typeof value !== 'object') {
    return { kind: 'scalar', value: value ?? null, text: String(value), plain: false, at };
  }
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map((each: Plain) => make(each, at)), at };
  }
  const entries = new Map<string, Entry>();
  for (const [key, each] of Object.entries(value as { readonly [key: string]: Plain })) {
    if (each === undefined) continue;
    const node = make(each, at);
    entries.set(key, { at: node.at, value: node });
  }
  return { kind: 'map', entries, at };
}

/** As `make`, of a mapping. */
export function makeMap(value: { readonly [key: string]: Plain }, at: Position): MapNode {
  const node = make(value, at);
  return node.kind === 'map' ? node : { kind: 'map', entries: new Map(), at };
}

function isNode(value: Plain): value is Node {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    'at' in value &&
    typeof value.at === 'object'
  );
}

/** The value at a path of keys; undefined where there is none, or null. */
export function get(node: Node | undefined, ...path: readonly string[]): Node | undefined {
  let current = node;
  for (const key of path)
    current = current?.kind === 'map' ? current.entries.get(key)?.value : undefined;
  return current?.kind === 'scalar' && current.value === null ? undefined : current;
}

/** The first of several spellings of a key. */
export function getAny(node: Node | undefined, ...keys: readonly string[]): Node | undefined {
  for (const key of keys) {
    const found = get(node, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The text at a path; null where there is none. Numbers and truth values as they were written. */
export function str(node: Node | undefined, ...path: readonly string[]): string | null {
  const found = get(node, ...path);
  if (found?.kind !== 'scalar') return null;
  return typeof found.value === 'string' ? found.value : found.text;
}

/** The number at a path; null where there is none. */
export function num(node: Node | undefined, ...path: readonly string[]): number | null {
  const found = get(node, ...path);
  return found?.kind === 'scalar' && typeof found.value === 'number' ? found.value : null;
}

/** Whether the value at a path is true. */
export function isTrue(node: Node | undefined, ...path: readonly string[]): boolean {
  const found = get(node, ...path);
  return found?.kind === 'scalar' && found.value === true;
}

/** The items of the list at a path; a lone value counts as a list of one. */
export function items(node: Node | undefined, ...path: readonly string[]): readonly Node[] {
  const found = get(node, ...path);
  if (found === undefined) return [];
  return found.kind === 'list' ? found.items : [found];
}

/** The texts of the list at a path. */
export function strings(node: Node | undefined, ...path: readonly string[]): string[] {
  return items(node, ...path).flatMap((item) => str(item) ?? []);
}

/** The keys and values of the mapping at a path. */
export function pairs(node: Node | undefined, ...path: readonly string[]): [string, Entry][] {
  const found = get(node, ...path);
  return found?.kind === 'map' ? [...found.entries] : [];
}

/** Where the key at the end of a path stands; the nearest place above it where it is not written. */
export function placeOf(node: Node, ...path: readonly string[]): Position {
  let place = node.at;
  let current: Node | undefined = node;
  for (const key of path) {
    const entry: Entry | undefined = current?.kind === 'map' ? current.entries.get(key) : undefined;
    if (entry === undefined) break;
    place = entry.at;
    current = entry.value;
  }
  return place;
}

/** `node` with one key set. */
export function withKey(node: MapNode, key: string, value: Node): MapNode {
  return { ...node, entries: new Map(node.entries).set(key, { at: value.at, value }) };
}

/** `patch` merged into `base` as protobuf merges messages: scalars of the patch win, lists append, mappings merge. */
export function merge(base: Node, patch: Node): Node {
  if (base.kind === 'list' && patch.kind === 'list') {
    return { ...base, items: [...base.items, ...patch.items] };
  }
  if (base.kind !== 'map' || patch.kind !== 'map') return patch;
  const entries = new Map(base.entries);
  for (const [key, entry] of patch.entries) {
    const before = entries.get(key);
    entries.set(
      key,
      before === undefined ? entry : { at: entry.at, value: merge(before.value, entry.value) },
    );
  }
  return { ...base, entries };
}

/** `node` with its texts put through `change`. */
export function mapTexts(node: Node, change: (text: string, node: ScalarNode) => Node): Node {
  switch (node.kind) {
    case 'scalar':
      return typeof node.value === 'string' ? change(node.value, node) : node;
    case 'list':
      return { ...node, items: node.items.map((item) => mapTexts(item, change)) };
    case 'map': {
      const entries = new Map<string, Entry>();
      for (const [key, entry] of node.entries) {
        entries.set(key, { at: entry.at, value: mapTexts(entry.value, change) });
      }
      return { ...node, entries };
    }
  }
}
