/** Everything the screen shows and how it is being looked at. Actions change it; frames are made of it. */
import {
  DEFAULT_TOLERANCES,
  Facts,
  type Filter,
  type MeshConfig,
  type Playback,
  parseFilter,
  type Tolerances,
} from 'rmtop';
import type { Jumps } from './actions/jumps.js';
import { Charts } from './charts/curves.js';
import type { Compared } from './detail/diff.js';
import { Diary } from './diary.js';
import { FaultDesk } from './faults/desk.js';
import { FilterBar } from './filter-bar.js';
import { History } from './history.js';
import { type Action, type KeyChoices, keyIn } from './key-table.js';
import { knownValues } from './known.js';
import type { Arrangement, Zoom } from './layout.js';
import { type Look, lookOf, type Styling } from './look.js';
import type { MenuId } from './menu.js';
import type { Recordings } from './recordings.js';
import { diffOf, type Replaying, type Replays } from './replays.js';
import type { Feed } from './store/feed.js';
import type { Row } from './store/rows.js';
import { Sifter } from './store/sifter.js';
import type { TimeMode } from './stream/cells.js';
import type { ColumnId } from './stream/columns.js';
import { Viewport } from './stream/viewport.js';
import type { LineEdit } from './text/line-edit.js';
import { Scroll } from './text/scroll.js';
import { Toasts } from './toasts.js';
import type { Codec } from './values/kinds.js';

export type PaneId =
  | 'stream'
  | 'detail'
  | 'slots'
  | 'mirror'
  | 'faults'
  | 'stats'
  | 'hot'
  | 'conns'
  | 'log';
type ListPaneId = Exclude<PaneId, 'stream'>;

/** What the keys go to before they go to the panes. */
export type Dialog =
  | { readonly kind: 'quit' }
  | { readonly kind: 'fault' }
  /** Which key does `action` from now on. */
  | { readonly kind: 'bind'; readonly action: Action }
  /** Whether to take rows off the list. */
  | { readonly kind: 'clear'; readonly which: 'all' | 'hidden' }
  /** Whether to send the recording again, to `upstream`. */
  | { readonly kind: 'replay'; readonly file: string; readonly upstream: string }
  /** Whether to end a client's connection. */
  | { readonly kind: 'close'; readonly connection: number }
  | {
      readonly kind: 'prompt';
      readonly label: string;
      line: LineEdit;
      /** What there is to say of the line. */
      note: string;
      readonly about: (text: string) => string;
      /** Takes the line; gives what is wrong with it. */
      readonly submit: (text: string) => string | null;
    }
  | {
      readonly kind: 'menu';
      readonly id: MenuId;
      query: LineEdit;
      at: number;
      /** What is wrong with what was typed. */
      note: string;
    };

/** The terminal's, in cells. */
export type Size = { readonly columns: number; readonly rows: number };

/** What the screen is about. */
export type Subject = {
  readonly listen: { readonly host: string; readonly port: number };
  readonly config: MeshConfig;
  /** The upstream as the user wrote it. */
  readonly label: string;
  readonly version: string;
  /** What is wrong in the mesh's files, the gravest first. */
  readonly warnings: readonly Warning[];
  /** Of a recording: its files. */
  readonly files?: readonly string[];
};

/** Something to know before it costs an hour, and what to do about it; empty where that is not known. */
export type Warning = { readonly text: string; readonly next: string };
export type Keepable = string | boolean | readonly string[];

/** Whose file: the user's own, or the one that a project's team shares. */
export type KeptIn = 'user' | 'project';

/** What came of keeping a setting: the file it is in, or why it is in none. */
export type Kept =
  | { readonly kind: 'kept'; readonly file: string }
  | { readonly kind: 'problem'; readonly message: string };

/** What actions can cause outside the model. */
export type Effects = {
  /** Copies to the clipboard; the toast names `what`. */
  readonly copy: (bytes: string | Buffer, what: string) => void;
  /** Settles when the core has taken it. */
  readonly reconfigure: (config: MeshConfig) => Promise<void>;
  /** Ends a client's connection; settles when the core has done it. False: it was gone already. */
  readonly closeClient: (connection: number) => Promise<boolean>;
  /** Mouse reports on or off. */
  readonly mouse: (on: boolean) => void;
  /** Keeps a setting in a file, or takes it out of it (null); gives where, or what is wrong. */
  readonly keep: (where: KeptIn, path: readonly string[], value: Keepable | null) => Kept;
  readonly quit: () => void;
  /** Shows the recording of these files, the parts of one, instead; settles when it is open. Rejects with RmtopError. */
  readonly open: (files: readonly string[]) => Promise<void>;
  /** Sends a recording again, to `upstream`, and shows that instead; settles when it begins. Rejects with RmtopError. */
  readonly replay: (file: string, upstream: string) => Promise<void>;
  /** The way to send recordings again; null: there is none here. */
  readonly replays: Pick<Replays, 'upstream' | 'check'> | null;
  /** Back from a recording that was opened so. */
  readonly leave: () => void;
  /** Leaves the terminal to the user's shell until that ends; gives why that cannot be. */
  readonly shell: () => string | null;
  readonly repaint: () => void;
  /** Something changed that is to be seen soon. */
  readonly changed: () => void;
};

/** Rules draw from generators made of this, so that the same traffic has the same faults another time. */
const FAULT_SEED = 1;
/** Rows that a preview asks about: the newest. */
const PREVIEW_ROWS = 5000;
const PREVIEW_MS = 3000;

export class Model {
  readonly subject: Subject;
  readonly feed: Feed;
  readonly sifter: Sifter;
  readonly viewport: Viewport;
  readonly filterBar: FilterBar;
  readonly toasts: Toasts;
  readonly desk: FaultDesk;
  readonly charts: Charts;
  /** When the first rule that is on went on, µs since the stream began; null: none is. */
  faultsOnSinceUs: number | null = null;
  readonly effects: Effects;
  readonly recordings: Recordings;
  /** What is being played; null: live traffic is shown. */
  readonly playback: Playback | null;
  /** The recording that is sent again, which is the traffic that is shown; null: none is. */
  readonly replay: Replaying | null;
  /** The difference that was gone to last, by the data plane's number; `awaits`: the next one is gone to when it comes. */
  readonly difference: { last: number; awaits: boolean } = { last: 0, awaits: false };
  /** What is behind a recording that was opened from the screen: the live traffic, or the recording it was opened from; null: nothing. */
  behind: (() => Model) | null = null;
  /** The command that gets the focus when it is there: the one that a recording was entered at. */
  awaited: number | null = null;
  look: Look;
  styling: Styling;
  mouse = false;
  /** Filters kept by name. */
  readonly saved: Map<string, string> = new Map();
  /** Lines typed in the palette, latest first. */
  readonly typed: string[] = [];
  size: Size = { columns: 80, rows: 24 };
  pane: PaneId = 'stream';
  /** Where Esc leads back to. */
  cameFrom: PaneId = 'stream';
  /** The panes that were shown before, latest first. */
  recent: readonly PaneId[] = [];
  arrangement: Arrangement = 'auto';
  zoom: Zoom = 'normal';
  /** The tab of each pane that has some. */
  readonly tabs: Partial<Record<PaneId, number>> = {};
  private inForce: Filter | null = null;
  private lastHit: { id: string; ms: number; seq: number | null } = {
    id: '',
    ms: Number.NEGATIVE_INFINITY,
    seq: null,
  };
  private preview = { scope: '', ms: Number.NEGATIVE_INFINITY, fits: 0, of: 0 };
  private readonly cursors: Partial<Record<PaneId, number>> = {};
  dialog: Dialog | null = null;
  /** Texts of the banners that were closed. */
  readonly closedBanners: Set<string> = new Set();
  /** How many inputs there were: what a key changes is drawn at once. */
  inputs = 0;
  keyLine = true;
  /** Keys that are not the usual ones. A new map with each change: what is made of it is kept by it. */
  keyChoices: KeyChoices = new Map();
  /** What the replies that `=` compares may differ in. */
  tolerances: Tolerances = DEFAULT_TOLERANCES;
  /** The columns that the user chose; null: the usual ones at this width. */
  columns: readonly ColumnId[] | null = null;
  time: TimeMode = 'clock';
  /** `M`: rows without a mark are hidden, too. */
  onlyMarked = false;
  /** What was looked for last: commands in the stream, text in the other panes. */
  readonly sought: { filter: Filter | null; text: string } = { filter: null, text: '' };
  /** How many searches there were: one that is not the last ends. */
  searches = 0;
  readonly jumps: Jumps = { back: [], forward: [] };
  /** Ends sorting that is under way. */
  stopSorting: () => void = () => {};
  /** What was done, as the lines that do it again. */
  readonly diary: Diary = new Diary();
  /** What can be undone. */
  history: History = new History();
  /** What the Decoded tab takes values for; null: what they look like. */
  codec: Codec | null = null;
  /** What the Diff tab is about; null: nothing yet. */
  compared: Compared | null;
  /** The column that `*` and `#` act on. */
  cell: ColumnId = 'key';
  /** When ctrl-c was last pressed, ms. */
  interruptedMs: number = Number.NEGATIVE_INFINITY;
  /** Rows that passed through the stream between two frames, in the last second. */
  notPainted = 0;
  readonly scrolls: Readonly<Record<ListPaneId, Scroll>> = {
    detail: new Scroll(false),
    slots: new Scroll(false),
    mirror: new Scroll(false),
    faults: new Scroll(false),
    stats: new Scroll(false),
    hot: new Scroll(false),
    conns: new Scroll(false),
    log: new Scroll(true),
  };

  constructor(
    subject: Subject,
    feed: Feed,
    styling: Styling,
    filter: Filter,
    effects: Effects,
    recordings: Recordings,
    playback: Playback | null = null,
    replay: Replaying | null = null,
  ) {
    this.subject = subject;
    this.feed = feed;
    this.styling = styling;
    this.look = lookOf(styling);
    this.effects = effects;
    this.recordings = recordings;
    this.playback = playback;
    this.replay = replay;
    if (replay !== null) feed.replayed = (seq) => diffOf(replay, seq);
    this.compared = replay === null ? null : { kind: 'replay' };
    this.sifter = new Sifter(feed.rows, new Facts(feed), feed.context);
    this.viewport = new Viewport(feed.rows);
    this.toasts = new Toasts(effects.changed);
    this.charts = new Charts(effects.changed);
    this.desk = new FaultDesk({
      config: () => feed.context.latest.config?.config ?? subject.config,
      reconfigure: effects.reconfigure,
      isRecorded: playback !== null,
      seed: FAULT_SEED,
      keyOf: (action) => this.keyOf(action),
      say: (text) => {
        this.toasts.answer(text);
        const at = this.desk.rules.findIndex(({ id }) => id === this.desk.last);
        if (at >= 0) this.setCursor('faults', at);
        if (this.desk.on === 0) this.faultsOnSinceUs = null;
        else this.faultsOnSinceUs ??= feed.nowUs();
        effects.changed();
      },
    });
    this.filterBar = new FilterBar(filter, (inForce) => {
      this.inForce = inForce;
      this.sift();
    });
    this.filterBar.known = (field) => knownValues(this, field);
    this.filterBar.accepted = (text) => this.did(`filter ${text}`.trim());
    feed.journal.onEntry = (entry) => {
      if (entry.level !== 'info') this.toasts.say(entry.level, entry.text, entry.next);
    };
  }

  /** The filter or the marks say something else now: rows are asked about again. */
  sift(): void {
    const { inForce } = this;
    this.sifter.use(this.onlyMarked ? onlyMarked(inForce) : inForce);
    this.viewport.sifted();
  }

  /** Notes what was done, as the line that does it again. */
  did(line: string): void {
    const atUs = this.feed.nowUs();
    this.diary.add({ atUs, line });
    this.feed.journal.add(atUs, 'info', `:${line}`, null);
  }

  /** Another theme, other symbols, or more that is known of the terminal. */
  restyle(changed: Partial<Styling>): void {
    this.styling = { ...this.styling, ...changed };
    this.look = lookOf(this.styling);
  }

  /** What is shown is something else, and looks as `old` did: what the user has set and typed stays. */
  lookLike(old: Model): void {
    const { size, keyLine, columns, time, codec, keyChoices, mouse, inputs, tolerances } = old;
    Object.assign(this, { size, keyLine, columns, time, codec, keyChoices, mouse, inputs });
    this.tolerances = tolerances;
    this.restyle(old.styling);
    const { delimiter } = old.feed.tallies.keys;
    if (delimiter !== this.feed.tallies.keys.delimiter)
      this.feed.tallies.keys.delimiter = delimiter;
    for (const [name, text] of old.saved) this.saved.set(name, text);
    this.typed.splice(0, this.typed.length, ...old.typed);
    this.filterBar.remembers(old.filterBar);
  }

  /** The screen goes on with other events of the same recording: what the user made of it stays. */
  takeOver(old: Model): void {
    this.lookLike(old);
    const { pane, cameFrom, recent, arrangement, zoom, awaited, cell, history, onlyMarked } = old;
    Object.assign(this, { pane, cameFrom, recent, arrangement, zoom, awaited, cell });
    Object.assign(this.tabs, old.tabs);
    this.history = history;
    for (const text of old.closedBanners) this.closedBanners.add(text);
    for (const did of old.diary.list) this.diary.add(did);
    this.sought.filter = old.sought.filter;
    this.sought.text = old.sought.text;
    for (const seq of old.feed.marks.list) {
      this.feed.marks.add(seq);
      const note = old.feed.marks.of(seq)?.note;
      if (note != null) this.feed.marks.write(seq, note);
    }
    this.onlyMarked = onlyMarked;
    this.filterBar.restore(old.filterBar);
  }

  /** Whether nothing has come yet: the first screen is shown then. */
  get isFresh(): boolean {
    const { rows, lost, heldBack } = this.feed;
    const isEmpty = rows.arrived === 0 && rows.length === 0 && lost === 0 && heldBack === 0;
    return isEmpty && this.playback === null && this.replay === null;
  }

  /** The key of an action, for texts that name it. */
  keyOf(action: Action): string {
    return keyIn(this.keyChoices, action);
  }

  tabOf(pane: PaneId): number {
    return this.tabs[pane] ?? 0;
  }

  /** The item in focus of a pane that has `count` of them now. */
  cursorOf(pane: PaneId, count: number): number {
    return Math.max(0, Math.min(this.cursors[pane] ?? 0, count - 1));
  }

  setCursor(pane: PaneId, at: number): void {
    this.cursors[pane] = at;
  }

  /** Facts about the focused row; null when there is none. */
  focusedFacts(): Facts | null {
    const row = this.viewport.focused;
    return row === null ? null : this.factsOf(row);
  }

  factsOf(row: Row): Facts {
    const { context } = this.feed;
    return new Facts(this.feed).load(
      row.kind === 'pending' ? row.event : row.block.command(row.offset, context),
    );
  }

  /** How many of the newest commands in memory a scope fits; asked anew every few seconds at most. */
  previewOf(scope: string): { readonly fits: number; readonly of: number } {
    const { rows } = this.feed;
    const nowMs = performance.now();
    if (this.preview.scope === scope && nowMs - this.preview.ms < PREVIEW_MS) return this.preview;
    const filter = parseFilter(scope, 'decision');
    const of = Math.min(PREVIEW_ROWS, rows.length);
    let fits = 0;
    if (filter.kind === 'filter')
      for (let i = rows.length - of; i < rows.length; i++)
        if (filter.matches(this.factsOf(rows.row(i)))) fits++;
    this.preview = { scope, ms: nowMs, fits, of };
    return this.preview;
  }

  /** The newest command in memory that a rule has hit; asked anew every few seconds at most. */
  lastHitOf(id: string): Row | null {
    const nowMs = performance.now();
    const known = this.lastHit;
    if (known.id !== id || nowMs - known.ms >= PREVIEW_MS) {
      const { rows } = this.feed;
      const filter = parseFilter(`fault.id=${id}`);
      let seq: number | null = null;
      for (let i = rows.length - 1; i >= Math.max(0, rows.length - PREVIEW_ROWS); i--)
        if (filter.kind === 'filter' && filter.matches(this.factsOf(rows.row(i)))) {
          seq = rows.seqAt(i);
          break;
        }
      this.lastHit = { id, ms: nowMs, seq };
    }
    const { seq } = this.lastHit;
    const { rows } = this.feed;
    return seq !== null && rows.has(seq) ? rows.row(rows.indexOf(seq)) : null;
  }

  /** Shows a pane; Esc leads back to where one was. */
  show(pane: PaneId): void {
    if (pane === this.pane) return;
    this.cameFrom = pane === 'detail' ? this.pane : 'stream';
    this.recent = [this.pane, ...this.recent.filter((each) => each !== this.pane)];
    this.pane = pane;
    // What is read must not run away.
    if (pane === 'detail') this.viewport.stay();
  }
}

/** Both: what the filter lets through, and has a mark. */
function onlyMarked(filter: Filter | null): Filter {
  return {
    kind: 'filter',
    text: `marked ${filter?.text ?? ''}`,
    readings: [],
    matches: (facts) => facts.mark !== undefined && (filter === null || filter.matches(facts)),
  };
}
