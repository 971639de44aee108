/** The columns of the stream at each width: `ux.md` b.6. */

/** All of them, by the names that `:columns` and `:order` take. */
export const COLUMN_IDS = [
  'state',
  'n',
  'time',
  'client',
  'command',
  'key',
  'slot',
  'node',
  'p',
  'm',
  'f',
  'ms',
  'size',
  'reply',
] as const;

export type ColumnId = (typeof COLUMN_IDS)[number];

/** What each shows, for those who choose. */
export const COLUMN_HELP: Readonly<Record<ColumnId, string>> = {
  state: '> focus, ! error, w waiting, ^ slow, * marked',
  n: 'arrival number',
  time: 'when it arrived',
  client: 'connection, or the name its client gave itself',
  command: 'name',
  key: 'first key, and how many more',
  slot: 'slot of the key',
  node: 'server it went to',
  p: 'primary or replica was asked for, and why this one',
  m: 'what came of its mirror',
  f: 'fault that hit it',
  ms: 'how long the client waited',
  size: 'bytes of the reply',
  reply: 'type and size of the reply, or its value',
};

export type Column = {
  readonly id: ColumnId;
  readonly head: string;
  readonly width: number;
  /** Figures stand at the right edge. */
  readonly right: boolean;
};

type Set = readonly (readonly [id: ColumnId, head: string, width: number, right?: true])[];

const NARROW: Set = [
  ['state', '', 2],
  ['command', 'CMD', 8],
  ['key', 'KEY', 12],
  ['node', 'NODE', 5],
  ['ms', 'ms', 6, true],
];

const AT_80: Set = [
  ['state', '', 2],
  ['n', '#', 5, true],
  ['time', 'MM:SS.cc', 8],
  ['client', 'C', 2],
  ['command', 'CMD', 7],
  ['key', 'KEY', 17],
  ['slot', 'SLOT', 5, true],
  ['node', 'NODE', 5],
  ['p', 'P', 2],
  ['m', 'M', 1],
  ['f', 'F', 1],
  ['ms', 'ms', 5, true],
  ['reply', 'REPLY', 8],
];

const AT_120: Set = [
  ['state', '', 2],
  ['n', '#', 7, true],
  ['time', 'HH:MM:SS.mmm', 12],
  ['client', 'CLIENT', 8],
  ['command', 'CMD', 8],
  ['key', 'KEY', 22],
  ['slot', 'SLOT', 5, true],
  ['node', 'NODE', 5],
  ['p', 'P', 2],
  ['m', 'M', 1],
  ['f', 'F', 1],
  ['ms', 'RTT ms', 7, true],
  ['size', 'SIZE', 5, true],
  ['reply', 'REPLY', 22],
];

const AT_180: Set = [
  ['state', '', 2],
  ['n', '#', 8, true],
  ['time', 'HH:MM:SS.mmmuuu', 15],
  ['client', 'CLIENT', 14],
  ['command', 'CMD', 10],
  ['key', 'KEY', 24],
  ['slot', 'SLOT', 5, true],
  ['node', 'NODE', 5],
  ['p', 'P', 2],
  ['m', 'M', 1],
  ['f', 'F', 2],
  ['ms', 'RTT ms', 8, true],
  ['size', 'SIZE', 5, true],
  ['reply', 'REPLY', 17],
];

/** The key takes spare room up to this width, the reply what is left. */
const KEY_ENOUGH = 48;

/** What the contents ask of columns that may have to be wider than drawn. */
export type Needs = { readonly client: number; readonly node: number };

/** The columns that the user chose, as wide as they are in the usual sets at this width, or in the next wider one that has them. */
function chosenSet(usual: Set, chosen: readonly ColumnId[]): Set {
  const sets = [usual, AT_120, AT_180];
  const ids = chosen.includes('state') ? chosen : (['state', ...chosen] as const);
  return ids.flatMap((id) => {
    const found = sets.flatMap((set) => set.filter(([own]) => own === id))[0];
    return found === undefined ? [] : [found];
  });
}

/**
 * The columns for a stream `width` cells wide; with a blank between each two they fill it exactly, unless it is too narrow. `chosen`:
 * others than the usual ones.
 */
export function columnsFor(
  width: number,
  needs: Needs,
  chosen: readonly ColumnId[] | null = null,
): readonly Column[] {
  const usual = width >= 180 ? AT_180 : width >= 120 ? AT_120 : width >= 80 ? AT_80 : NARROW;
  const set = chosen === null ? usual : chosenSet(usual, chosen);
  const wanted: Partial<Record<ColumnId, number>> = { client: needs.client, node: needs.node };
  const columns = set.map(([id, head, least, right]) => ({
    id,
    head,
    width: Math.max(least, wanted[id] ?? 0),
    right: right === true,
  }));
  let spare = width - columns.reduce((sum, column) => sum + column.width + 1, -1);
  const give = (id: ColumnId, cells: number): void => {
    const column = columns.find((each) => each.id === id);
    if (column === undefined) return;
    const given = Math.max(cells, 4 - column.width);
    column.width += given;
    spare -= given;
  };
  const keyWidth = columns.find((column) => column.id === 'key')?.width ?? 0;
  const hasReply = columns.some((column) => column.id === 'reply');
  if (spare < 0) give('key', spare);
  else give('key', hasReply ? Math.min(spare, KEY_ENOUGH - keyWidth, Math.ceil(spare / 2)) : spare);
  give('reply', spare);
  return columns;
}

/** Columns that `*` and `#` can make a condition of, in the order that `h` and `l` walk through them. */
export const CELLS: readonly ColumnId[] = [
  'client',
  'command',
  'key',
  'slot',
  'node',
  'p',
  'm',
  'f',
  'ms',
  'size',
  'reply',
];
