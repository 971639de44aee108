/** Everything the screen shows and how it is being looked at. Actions change it; frames are made of it. */
import { Facts, type Filter, type MeshConfig } from 'rmtop';
import { FilterBar } from './filter-bar.js';
import type { Arrangement, Zoom } from './layout.js';
import type { Look } from './look.js';
import type { Feed } from './store/feed.js';
import { Sifter } from './store/sifter.js';
import type { ColumnId } from './stream/columns.js';
import { Viewport } from './stream/viewport.js';
import type { LineEdit } from './text/line-edit.js';
import { Scroll } from './text/scroll.js';
import { Toasts } from './toasts.js';

export type PaneId = 'stream' | 'detail' | 'slots' | 'faults' | 'stats' | 'hot' | 'conns' | 'log';
type ListPaneId = Exclude<PaneId, 'stream'>;

/** What the keys go to before they go to the panes. */
export type Dialog =
  | { readonly kind: 'quit' }
  | { readonly kind: 'copy' }
  | { readonly kind: 'help'; readonly topic: 'keys' | 'filter'; query: LineEdit; at: number };

/** The terminal's, in cells. */
export type Size = { readonly columns: number; readonly rows: number };

/** What the screen is about. */
export type Subject = {
  readonly listen: { readonly host: string; readonly port: number };
  readonly config: MeshConfig;
  /** The upstream as the user wrote it. */
  readonly label: string;
  readonly version: string;
};

/** What actions can cause outside the model. */
export type Effects = {
  /** Copies to the clipboard; the toast names `what`. */
  readonly copy: (bytes: string | Buffer, what: string) => void;
  readonly quit: () => void;
  readonly repaint: () => void;
  /** Something changed that is to be seen soon. */
  readonly changed: () => void;
};

export class Model {
  readonly subject: Subject;
  readonly feed: Feed;
  readonly sifter: Sifter;
  readonly viewport: Viewport;
  readonly filterBar: FilterBar;
  readonly toasts: Toasts;
  readonly effects: Effects;
  look: Look;
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
  private readonly cursors: Partial<Record<PaneId, number>> = {};
  dialog: Dialog | null = null;
  keyLine = true;
  /** The column that `*` and `#` act on. */
  cell: ColumnId = 'key';
  /** When ctrl-c was last pressed, ms. */
  interruptedMs: number = Number.NEGATIVE_INFINITY;
  /** Rows that passed through the stream between two frames, in the last second. */
  notPainted = 0;
  readonly scrolls: Readonly<Record<ListPaneId, Scroll>> = {
    detail: new Scroll(false),
    slots: new Scroll(false),
    faults: new Scroll(false),
    stats: new Scroll(false),
    hot: new Scroll(false),
    conns: new Scroll(false),
    log: new Scroll(true),
  };

  constructor(subject: Subject, feed: Feed, look: Look, filter: Filter, effects: Effects) {
    this.subject = subject;
    this.feed = feed;
    this.look = look;
    this.effects = effects;
    this.sifter = new Sifter(feed.rows, new Facts(feed), feed.context);
    this.viewport = new Viewport(feed.rows);
    this.toasts = new Toasts(effects.changed);
    this.filterBar = new FilterBar(filter, (inForce) => {
      this.sifter.use(inForce);
      this.viewport.sifted();
    });
    feed.journal.onEntry = (entry) => {
      if (entry.level !== 'info') this.toasts.say(entry.level, entry.text, entry.next);
    };
  }

  /** Whether nothing has come yet: the first screen is shown then. */
  get isFresh(): boolean {
    const { rows, lost, heldBack } = this.feed;
    return rows.arrived === 0 && rows.length === 0 && lost === 0 && heldBack === 0;
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
    if (row === null) return null;
    const { context } = this.feed;
    return new Facts(this.feed).load(
      row.kind === 'pending' ? row.event : row.block.command(row.offset, context),
    );
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
