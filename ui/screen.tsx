/** The screen: inputs in, frames out. It owns the model, and knows neither sockets nor signals. */
import type { Filter, Playback, ProxyHandle } from 'rmtop';
import { App, type Body, type Chrome, type Regions } from './components/app.js';
import { bannerLines } from './components/banner.js';
import { cellsLines } from './components/cells.js';
import { filterHelp, filterLine } from './components/filter-line.js';
import { firstScreenProps } from './components/first-screen.js';
import { keyLine, newsLine, tabsLine } from './components/foot.js';
import { headerLine, totalsLines } from './components/header.js';
import { FramePacer } from './frames.js';
import { Layout as InkLayout } from './ink.js';
import { act } from './input.js';
import { type Cell, type Layout, layoutOf } from './layout.js';
import type { Styling } from './look.js';
import { type Effects, Model, type Subject } from './model.js';
import { point } from './mouse.js';
import type { Recordings } from './recordings.js';
import { Feed } from './store/feed.js';
import { isSummedUp } from './stream/summary.js';
import { copy, copyWays } from './terminal/clipboard.js';
import { ESC_TIMEOUT_MS, type Input, KeyDecoder } from './terminal/keys.js';
import { Painter } from './terminal/painter.js';
import { isLightAnswer, type Support } from './terminal/support.js';
import type { Port, Terminal } from './terminal/terminal.js';
import { hasMirror } from './warnings.js';

/** How long the filter may look at rows for one frame. */
const FILTER_BUDGET_MS = 8;
/** Figures that change with every command are drawn anew this often at most. */
const FIGURES_MS = 500;
const TOTALS_MS = 1000;

export type ScreenNeeds = {
  readonly proxy: ProxyHandle;
  readonly subject: Subject;
  readonly filter: Filter;
  readonly fps: number;
  readonly terminal: Terminal;
  readonly port: Port;
  readonly support: Support;
  readonly symbols: Styling['symbols'];
  readonly mouse: boolean;
  /** See `Effects.keep`. */
  readonly keep: Effects['keep'];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly recordings: Recordings;
  /** What is played, of which `proxy` is the source; null: live traffic. */
  readonly playback: Playback | null;
  /** The user wants to end. */
  readonly quit: () => void;
  /** The screen cannot go on. */
  readonly failed: (error: unknown) => void;
};

export class Screen {
  model: Model;
  readonly pacer: FramePacer;
  private readonly needs: ScreenNeeds;
  private readonly ink: InkLayout = new InkLayout();
  private readonly painter: Painter = new Painter();
  private readonly decoder: KeyDecoder = new KeyDecoder();
  private readonly regions: Regions;
  private readonly stops: (() => void)[] = [];
  private frame: readonly string[] = [];
  private layout: Layout | null = null;
  private chrome = '';
  private figuresMs = Number.NEGATIVE_INFINITY;
  private figures = { header: '', filter: '' };
  private keyPressed = false;
  private escTimer: NodeJS.Timeout | null = null;
  /** Whether something came in after the totals were last asked for. */
  private hasNews = false;
  private totalsTimer: NodeJS.Timeout | null = null;
  /** When the core was last asked how its clients stand. */
  private clientsMs = Number.NEGATIVE_INFINITY;
  private seen = { arrived: 0, passed: 0, sinceMs: 0 };
  private closed = false;
  private proxy: ProxyHandle;
  private styling: Styling;
  private unsubscribe: () => void = () => {};

  constructor(needs: ScreenNeeds) {
    this.needs = needs;
    const { support, filter } = needs;
    const { theme, depth, unicode } = support;
    const isLight = support.isLight === true;
    const styling = { theme, symbols: needs.symbols, depth, unicode, isLight };
    this.pacer = new FramePacer(needs.fps, {
      draw: () => this.draw(),
      isBusy: () => needs.terminal.isBusy,
    });
    this.proxy = needs.proxy;
    this.styling = styling;
    this.model = this.modelOf(needs.proxy, filter);
    this.regions = regionsOf(
      () => this.model,
      () => this.layout?.cells ?? [],
    );
  }

  private modelOf(proxy: ProxyHandle, filter: Filter): Model {
    const { needs } = this;
    const effects: Effects = {
      copy: (bytes, what) => void this.copy(bytes, what),
      reconfigure: (config) => this.proxy.reconfigure(config),
      closeClient: (connection) => this.proxy.closeClient(connection),
      mouse: (on) => needs.terminal.mouse(on),
      keep: needs.keep,
      quit: needs.quit,
      repaint: () => this.repaint(),
      changed: () => this.pacer.soon(),
    };
    return new Model(
      needs.subject,
      new Feed(proxy),
      this.styling,
      filter,
      effects,
      needs.recordings,
      needs.playback,
    );
  }

  /** Another moment of a recording: what was counted so far is of another. */
  private jumped(source: ProxyHandle): void {
    const { model } = this;
    this.unsubscribe();
    this.proxy = source;
    this.styling = model.styling;
    this.model = this.modelOf(source, model.filterBar.filter);
    this.model.takeOver(model);
    model.toasts.clear();
    model.feed.onNews = () => {};
    this.seen = { arrived: 0, passed: 0, sinceMs: 0 };
    this.listen();
    this.repaint();
  }

  private listen(): void {
    this.model.feed.onNews = () => this.news();
    this.unsubscribe = this.proxy.subscribe(this.model.feed);
  }

  start(): void {
    const { terminal, port, support, playback } = this.needs;
    terminal.enter(support.isLight === null && support.depth !== 'none');
    terminal.onDrained = () => this.pacer.drained();
    if (this.needs.mouse) {
      this.model.mouse = true;
      terminal.mouse(true);
    }
    this.resize();
    this.stops.push(port.onInput((bytes) => this.hear(bytes)));
    this.stops.push(port.onResize(() => this.resize()));
    this.listen();
    this.stops.push(() => this.unsubscribe());
    if (playback !== null) {
      this.stops.push(playback.onJump((source) => this.jumped(source)));
      this.stops.push(playback.onChange(() => this.pacer.soon()));
    }
    this.pacer.now();
  }

  /** Stops everything; the terminal is someone else's to give back. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.pacer.stop();
    this.model.toasts.clear();
    this.model.feed.onNews = () => {};
    if (this.escTimer !== null) clearTimeout(this.escTimer);
    if (this.totalsTimer !== null) clearTimeout(this.totalsTimer);
    for (const stop of this.stops) stop();
    this.ink.close();
  }

  // ——— from the user ———

  private hear(bytes: Buffer): void {
    try {
      if (this.escTimer !== null) clearTimeout(this.escTimer);
      this.escTimer = null;
      this.act(this.decoder.push(bytes));
      if (!this.decoder.isWaiting) return;
      this.escTimer = setTimeout(() => {
        this.escTimer = null;
        this.act(this.decoder.flush());
      }, ESC_TIMEOUT_MS);
    } catch (error) {
      this.needs.failed(error);
    }
  }

  private act(inputs: ReturnType<KeyDecoder['push']>): void {
    for (const input of inputs) {
      if (this.closed) return;
      if (input.kind === 'answer') this.hearBackground(input.osc);
      else if (input.kind === 'mouse') this.point(input);
      else act(this.model, input);
    }
    if (inputs.length === 0) return;
    this.keyPressed = true;
    this.pacer.now();
  }

  private hearBackground(osc: string): void {
    const isLight = isLightAnswer(osc);
    if (isLight !== null && this.needs.support.isLight === null) this.model.restyle({ isLight });
  }

  private point(input: Extract<Input, { kind: 'mouse' }>): void {
    if (this.model.mouse && this.layout !== null) point(this.model, input, this.layout);
  }

  private async copy(bytes: string | Buffer, what: string): Promise<void> {
    const { env, platform, terminal } = this.needs;
    const shown = what.length > 60 ? `${what.slice(0, 57)}...` : what;
    const by = await copy(bytes, copyWays(env, platform), (out) => terminal.write(out), env);
    this.model.toasts.answer(`copied ${shown} (${by})`);
    this.pacer.now();
  }

  private resize(): void {
    const { columns, rows } = this.needs.terminal;
    this.model.size = { columns, rows };
    this.keyPressed = true;
    this.repaint();
  }

  private repaint(): void {
    this.needs.terminal.write(this.painter.reset());
    this.chrome = '';
    this.pacer.now();
  }

  // ——— from the core ———

  private news(): void {
    this.pacer.soon();
    this.hasNews = true;
    if (this.totalsTimer === null && !this.model.feed.frozen) this.askTotals();
  }

  /** Once a second, until the figures have come to rest. */
  private askTotals(): void {
    const { proxy } = this;
    const { feed } = this.model;
    this.hasNews = false;
    this.totalsTimer = setTimeout(() => this.totalsDue(), TOTALS_MS);
    this.totalsTimer.unref();
    proxy.totals().then(
      (totals) => {
        if (this.closed || feed.frozen || feed !== this.model.feed) return;
        feed.meter.add(totals);
        this.pacer.soon();
      },
      () => {}, // the core has ended, and whoever waits for that knows
    );
  }

  /** How clients stand is asked for where it is shown, once a second at most; frames come for as long as anything does. */
  private askClients(): void {
    const { feed } = this.model;
    const nowMs = performance.now();
    if (feed.frozen || nowMs - this.clientsMs < TOTALS_MS) return;
    this.clientsMs = nowMs;
    this.proxy.clients().then(
      (states) => {
        if (this.closed || feed !== this.model.feed) return;
        feed.sessions.states = new Map(states.map((each) => [each.connection, each]));
        this.pacer.soon();
      },
      () => {}, // the core has ended, and whoever waits for that knows
    );
  }

  private totalsDue(): void {
    this.totalsTimer = null;
    const { meter, frozen } = this.model.feed;
    if ((this.hasNews || !meter.isStill) && !frozen) this.askTotals();
  }

  // ——— frames ———

  private draw(): void {
    try {
      this.drawFrame();
    } catch (error) {
      this.needs.failed(error);
    }
  }

  private drawFrame(): void {
    const { model } = this;
    const { terminal } = this.needs;
    const { columns, rows } = model.size;
    const layout = layoutOf(columns, rows, {
      isTyping: model.filterBar.line !== null,
      bannerRows: bannerLines(model, columns).length,
      hasMirror: hasMirror(model),
      keyLine: model.keyLine,
      focus: model.pane,
      recent: model.recent,
      arrangement: model.arrangement,
      zoom: model.zoom,
    });
    this.layout = layout;
    const stream = layout.cells.find((cell) => cell.pane === 'stream');
    if (layout.cells.some((cell) => cell.pane === 'conns')) this.askClients();
    // The line of heads is no row. Where there is no stream, its focus stays as it is.
    const streamRows = stream === undefined ? null : stream.height - 1;
    const allChecked = model.sifter.run(FILTER_BUDGET_MS);
    if (model.awaited !== null && model.feed.rows.has(model.awaited)) {
      model.viewport.goTo(model.awaited);
      model.awaited = null;
    }
    model.viewport.update(streamRows ?? layout.bodyRows - 1);
    this.countUnseen(streamRows ?? 0);
    const chrome = this.chromeOf(layout);
    const key = JSON.stringify(chrome) + menuKey(model);
    if (key !== this.chrome) {
      this.frame = this.ink.draw(
        <App model={model} chrome={chrome} regions={this.regions} />,
        columns,
      );
      this.chrome = key;
    }
    this.keyPressed = false;
    terminal.write(this.painter.paint(this.frame, this.ink.overlays(), columns, rows));
    if (!allChecked) this.pacer.soon();
    // It ends without anything that comes.
    if (isSummedUp(model)) this.pacer.later(TOTALS_MS);
  }

  private chromeOf(layout: Chrome['layout']): Chrome {
    const { model } = this;
    const { columns } = layout;
    const nowMs = performance.now();
    if (this.keyPressed || nowMs - this.figuresMs >= FIGURES_MS) {
      this.figuresMs = nowMs;
      this.figures = { header: headerLine(model, columns), filter: filterLine(model, columns) };
    } else this.pacer.later(FIGURES_MS - (nowMs - this.figuresMs));
    return {
      layout,
      ...this.figures,
      tabs: tabsLine(model, columns),
      filterHelp: layout.filterHelpRows === 0 ? [] : underFilter(model, columns),
      body: bodyOf(model),
      news: newsLine(model, columns),
      keys: keyLine(model, columns),
    };
  }

  /** How many rows a second pass through a stream of `height` rows without ever being on it. */
  private countUnseen(height: number): void {
    const { arrived } = this.model.feed.rows;
    const { seen, model } = this;
    seen.passed += Math.max(0, arrived - seen.arrived - height);
    seen.arrived = arrived;
    const nowMs = performance.now();
    const ms = nowMs - seen.sinceMs;
    if (ms >= TOTALS_MS) {
      model.notPainted = Math.round((seen.passed * 1000) / Math.min(ms, 5 * TOTALS_MS));
      seen.passed = 0;
      seen.sinceMs = nowMs;
    }
    // When traffic stops, so does what is said of it.
    if (model.notPainted > 0 || seen.passed > 0)
      this.pacer.later(Math.max(0, TOTALS_MS - (nowMs - seen.sinceMs)));
  }
}

function bodyOf(model: Model): Body {
  if (model.dialog?.kind === 'menu') return { kind: 'menu' };
  if (model.isFresh && model.pane === 'stream')
    return { kind: 'first', props: firstScreenProps(model) };
  return { kind: 'panes' };
}

/** Help with what is typed, else what is to be known. */
function underFilter(model: Model, width: number): readonly string[] {
  return model.filterBar.line === null ? bannerLines(model, width) : filterHelp(model, width);
}

/** What a list shows is no part of the chrome. */
function menuKey(model: Model): string {
  const { dialog } = model;
  if (dialog?.kind !== 'menu') return '';
  return `${dialog.id} ${dialog.at} ${dialog.note} ${dialog.query.text} ${dialog.query.cursor} ${model.inputs}`;
}

function regionsOf(model: () => Model, cells: () => readonly Cell[]): Regions {
  return {
    panes: (width, height) => cellsLines(model(), cells(), width, height),
    totals: (width, height) => totalsLines(model(), width, height),
  };
}
