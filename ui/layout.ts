/** Which parts the screen has at its size, and how high each is: `ux.md` b.7. */

export type Layout = {
  /** `totals`: no room for a table; `narrow`: the table and little else. */
  readonly kind: 'totals' | 'narrow' | 'normal';
  readonly columns: number;
  readonly rows: number;
  readonly hasTabs: boolean;
  readonly hasKeyLine: boolean;
  /** Lines under the filter while it is typed: its problem, or how it was read. */
  readonly filterHelpRows: number;
  /** What is left for the pane. */
  readonly bodyRows: number;
  /** Of these, the detail strip under the stream, with its rule; 0: none. */
  readonly stripRows: number;
};

const STRIP_LEAST = 6;
const STRIP_MOST = 18;

export function layoutOf(
  columns: number,
  rows: number,
  how: { readonly isTyping: boolean; readonly keyLine: boolean; readonly strip: boolean },
): Layout {
  const base = { columns, rows };
  if (columns < 60 || rows < 12)
    return {
      ...base,
      kind: 'totals',
      hasTabs: false,
      hasKeyLine: false,
      filterHelpRows: 0,
      bodyRows: Math.min(3, rows),
      stripRows: 0,
    };
  const kind = columns < 80 || rows < 22 ? 'narrow' : 'normal';
  const hasTabs = columns >= 80;
  const filterHelpRows = how.isTyping ? 2 : 0;
  // Header, filter and toast are always there.
  const bodyRows = rows - 3 - Number(hasTabs) - Number(how.keyLine) - filterHelpRows;
  const wanted = rows >= 30 ? Math.round(rows / 3) : STRIP_LEAST;
  const stripRows = kind === 'normal' && how.strip ? Math.min(STRIP_MOST, wanted) : 0;
  return { ...base, kind, hasTabs, hasKeyLine: how.keyLine, filterHelpRows, bodyRows, stripRows };
}
