/**
 * One source of events, the live proxy or a recording, with what the screen makes of it. It listens whether it is the one that is shown
 * or not, so that nothing of it is lost while another is.
 */
import type { Filter, Playback, ProxyHandle } from 'rmtop';
import { heedReplay } from './actions/replay.js';
import type { Styling } from './look.js';
import { type Effects, Model, type Subject } from './model.js';
import type { Recordings } from './recordings.js';
import type { Replaying } from './replays.js';
import { Feed } from './store/feed.js';

const ASKED_MS = 1000;

export type ViewNeeds = {
  readonly proxy: ProxyHandle;
  readonly subject: Subject;
  readonly recordings: Recordings;
  /** What is played, of which `proxy` is the source; null: live traffic. */
  readonly playback: Playback | null;
  /** What is sent again, through `proxy`; null: nothing is. */
  readonly replay: Replaying | null;
  /** What does not depend on the source. */
  readonly effects: Omit<Effects, 'reconfigure' | 'closeClient' | 'changed'>;
  /** What Esc leads back to from here; null: nothing. */
  readonly behind: (() => Model) | null;
  /** Something is to be seen soon. */
  readonly changed: () => void;
  /** The model is another one: a recording was entered at another moment. */
  readonly replaced: () => void;
};

export class View {
  model: Model;
  readonly playback: Playback | null;
  private readonly needs: ViewNeeds;
  private proxy: ProxyHandle;
  private readonly stops: (() => void)[] = [];
  private unsubscribe: () => void = () => {};
  /** Whether something came in after the totals were last asked for. */
  private hasNews = false;
  private totalsTimer: NodeJS.Timeout | null = null;
  /** When the core was last asked how its clients stand. */
  private clientsMs = Number.NEGATIVE_INFINITY;
  private closed = false;

  constructor(needs: ViewNeeds, styling: Styling, filter: Filter) {
    this.needs = needs;
    this.proxy = needs.proxy;
    this.playback = needs.playback;
    this.model = this.modelOf(needs.proxy, styling, filter);
  }

  private modelOf(proxy: ProxyHandle, styling: Styling, filter: Filter): Model {
    const { subject, recordings, playback, replay, effects, changed, behind } = this.needs;
    const model = new Model(
      subject,
      new Feed(proxy),
      styling,
      filter,
      {
        ...effects,
        reconfigure: (config) => proxy.reconfigure(config),
        closeClient: (connection) => proxy.closeClient(connection),
        changed,
      },
      recordings,
      playback,
      replay,
    );
    model.behind = behind;
    return model;
  }

  start(): void {
    const { playback, replay, changed } = this.needs;
    this.listen();
    if (replay !== null) this.stops.push(replay.onChange((seq) => this.replayed(replay, seq)));
    if (playback === null) return;
    this.stops.push(playback.onJump((source) => this.jumped(source)));
    this.stops.push(playback.onChange(changed));
  }

  /** Hears nothing any more, and says nothing. */
  close(): void {
    this.closed = true;
    this.unsubscribe();
    for (const stop of this.stops) stop();
    this.model.toasts.clear();
    this.model.feed.onNews = () => {};
    if (this.totalsTimer !== null) clearTimeout(this.totalsTimer);
  }

  private listen(): void {
    this.model.feed.onNews = () => this.news();
    this.unsubscribe = this.proxy.subscribe(this.model.feed);
  }

  /** Another moment of a recording: what was counted so far is of another. */
  private jumped(source: ProxyHandle): void {
    const { model } = this;
    this.unsubscribe();
    this.proxy = source;
    this.model = this.modelOf(source, model.styling, model.filterBar.filter);
    this.model.takeOver(model);
    model.toasts.clear();
    model.feed.onNews = () => {};
    this.listen();
    this.needs.replaced();
  }

  /** More is known of the replay: what its rows show, and whether it has come to where it is to stop. */
  private replayed(replay: Replaying, seq: number | null): void {
    if (seq !== null) this.model.feed.rows.recheck(seq);
    heedReplay(this.model, replay);
    this.needs.changed();
  }

  private news(): void {
    this.needs.changed();
    this.hasNews = true;
    if (this.totalsTimer === null && !this.model.feed.frozen) this.askTotals();
  }

  /** Once a second, until the figures have come to rest. */
  private askTotals(): void {
    const { feed } = this.model;
    this.hasNews = false;
    this.totalsTimer = setTimeout(() => this.totalsDue(), ASKED_MS);
    this.totalsTimer.unref();
    this.proxy.totals().then(
      (totals) => {
        if (this.closed || feed.frozen || feed !== this.model.feed) return;
        feed.meter.add(totals);
        this.needs.changed();
      },
      () => {}, // the core has ended, and whoever waits for that knows
    );
  }

  private totalsDue(): void {
    this.totalsTimer = null;
    const { meter, frozen } = this.model.feed;
    if ((this.hasNews || !meter.isStill) && !frozen) this.askTotals();
  }

  /** How clients stand is asked for where it is shown, once a second at most; frames come for as long as anything does. */
  askClients(): void {
    const { feed } = this.model;
    const nowMs = performance.now();
    if (feed.frozen || nowMs - this.clientsMs < ASKED_MS) return;
    this.clientsMs = nowMs;
    this.proxy.clients().then(
      (states) => {
        if (this.closed || feed !== this.model.feed) return;
        feed.sessions.states = new Map(states.map((each) => [each.connection, each]));
        this.needs.changed();
      },
      () => {}, // the core has ended, and whoever waits for that knows
    );
  }
}
