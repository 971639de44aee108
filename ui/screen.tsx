/** The screen: inputs in, frames out. It owns the model, and knows neither sockets nor signals. */
import {
  type Filter,
  openPlayback,
  type Playback,
  PROCESS_CLOCK,
  type ProxyHandle,
  parseFilter,
  RmtopError,
} from 'rmtop';
import { urlOf } from './actions/copy.js';
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
import type { Effects, Model, Subject } from './model.js';
import { point } from './mouse.js';
import { type Recordings, rowsOnly } from './recordings.js';
import type { Replaying, Replays } from './replays.js';
import { isSummedUp } from './stream/summary.js';
import { copy, copyWays } from './terminal/clipboard.js';
import { ESC_TIMEOUT_MS, type Input, KeyDecoder } from './terminal/keys.js';
import { Painter } from './terminal/painter.js';
import { isProgram, Shell, type ShellEnd } from './terminal/shell.js';
import { isLightAnswer, type Support } from './terminal/support.js';
import type { Port, Terminal } from './terminal/terminal.js';
import { labelOf, playToEnd } from './transport.js';
import { View, type ViewNeeds } from './view.js';
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
  /** The recording that is sent again, through `proxy`; null: none is. */
  readonly replay: Replaying | null;
  /** The way to send recordings again from the screen; null: there is none. */
  readonly replays: Replays | null;
  /** The user wants to end. */
  readonly quit: () => void;
  /** The screen cannot go on. */
  readonly failed: (error: unknown) => void;
};

export class Screen {
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
  private seen = { arrived: 0, passed: 0, sinceMs: 0 };
  private closed = false;
  private readonly homeView: View;
  /** A recording that was opened from the screen, shown instead; null: none. */
  private guest: View | null = null;
  /** Whether another program has the terminal, or is about to. */
  private isLent = false;
  private shell: Shell | null = null;
  private shellTurn: Promise<void> = Promise.resolve();

  constructor(needs: ScreenNeeds) {
    this.needs = needs;
    const { proxy, subject, playback, replay, support, filter } = needs;
    const { theme, depth, unicode } = support;
    const isLight = support.isLight === true;
    const styling = { theme, symbols: needs.symbols, depth, unicode, isLight };
    this.pacer = new FramePacer(needs.fps, {
      draw: () => this.draw(),
      isBusy: () => needs.terminal.isBusy,
    });
    const home = { proxy, subject, playback, replay, behind: null };
    this.homeView = this.viewOf(home, styling, filter);
    this.regions = regionsOf(
      () => this.model,
      () => this.layout?.cells ?? [],
    );
  }

  get model(): Model {
    return this.view.model;
  }

  /** What the screen was started on: the live proxy, unless it was started on a recording. */
  get home(): Model {
    return this.homeView.model;
  }

  private get view(): View {
    return this.guest ?? this.homeView;
  }

  /** What does not depend on where events come from. */
  private get effects(): ViewNeeds['effects'] {
    const { needs } = this;
    return {
      copy: (bytes, what) => void this.copy(bytes, what),
      mouse: (on) => needs.terminal.mouse(on),
      keep: needs.keep,
      quit: needs.quit,
      repaint: () => this.repaint(),
      open: (files) => this.open(files),
      replay: (file, upstream) => this.replay(file, upstream),
      replays: needs.replays,
      leave: () => this.leaveGuest(),
      shell: () => this.openShell(),
    };
  }

  private viewOf(
    about: Pick<ViewNeeds, 'proxy' | 'subject' | 'playback' | 'replay' | 'behind'>,
    styling: Styling,
    filter: Filter,
  ): View {
    const { recordings } = this.needs;
    const view: View = new View(
      {
        ...about,
        recordings:
          about.playback === null ? (about.replay?.recordings ?? recordings) : rowsOnly(recordings),
        effects: this.effects,
        changed: () => {
          if (view === this.view) this.pacer.soon();
          else this.pacer.later(TOTALS_MS); // a figure in the header is all that is shown of it
        },
        replaced: () => {
          if (view === this.view) this.renew();
        },
      },
      styling,
      filter,
    );
    return view;
  }

  /** What is shown is of another source, or of another moment. */
  private renew(): void {
    this.seen = { arrived: this.model.feed.rows.arrived, passed: 0, sinceMs: performance.now() };
    this.repaint();
  }

  // ——— a recording in between ———

  /** Shows a recording; what was shown goes on behind it. */
  private async open(files: readonly string[]): Promise<void> {
    const playback = await openPlayback(files, PROCESS_CLOCK);
    if (this.closed) {
      await playback.close();
      return;
    }
    this.receive(playback.source, { label: labelOf(files), files }, { playback, replay: null });
    await playToEnd(playback);
  }

  /** Sends a recording again, and shows that; what was shown goes on behind it. */
  private async replay(file: string, upstream: string): Promise<void> {
    const replay = await this.needs.replays?.open(file, upstream);
    if (replay === undefined) return;
    if (this.closed) {
      await replay.end();
      return;
    }
    this.receive(replay.proxy, { label: upstream }, { playback: null, replay });
    replay.begin();
  }

  /** Shows events of `proxy` instead, until there is another guest or the user goes back. */
  private receive(
    proxy: ProxyHandle,
    about: Pick<Subject, 'label' | 'files'>,
    played: Pick<ViewNeeds, 'playback' | 'replay'>,
  ): void {
    this.homeView.playback?.pause();
    const { model } = this;
    const filter = parseFilter('');
    if (filter.kind === 'problem') throw new RmtopError('INTERNAL', filter.message);
    const subject = { ...this.needs.subject, config: proxy.config, ...about };
    const guest = this.viewOf(
      {
        proxy,
        subject: { ...subject, listen: proxy.address, warnings: [] },
        ...played,
        behind: () => this.home,
      },
      model.styling,
      filter,
    );
    guest.model.lookLike(model);
    this.endGuest();
    this.guest = guest;
    guest.start();
    this.renew();
  }

  /** Back to what the screen was started on. */
  private leaveGuest(): void {
    const { guest } = this;
    if (guest === null) return;
    this.home.lookLike(guest.model);
    const left = guest.model.replay?.state;
    this.endGuest();
    this.renew();
    if (left !== undefined && !left.isOver)
      this.home.toasts.answer(`the replay has ended, ${left.sent} of ${left.of} commands sent`);
  }

  private endGuest(): void {
    const { guest } = this;
    if (guest === null) return;
    this.guest = null;
    guest.close();
    const { replay } = guest.model;
    const closed = replay?.end() ?? guest.playback?.close();
    closed?.catch((error: unknown) => this.needs.failed(error));
  }

  // ——— a shell in between ———

  /** Leaves the terminal to the user's shell until that ends; gives why that cannot be. */
  private openShell(): string | null {
    const { env, terminal } = this.needs;
    const name = env.SHELL || '/bin/sh';
    if (!isProgram(name, env)) return `there is no program ${name}: set $SHELL to your shell`;
    const isLive = this.home.playback === null && this.home.replay === null;
    const url = isLive ? { REDIS_URL: urlOf(this.home) } : {};
    const text = isLive ? `rmtop goes on; here, REDIS_URL=${url.REDIS_URL} is set.\n` : '';
    this.isLent = true;
    const turn = async (): Promise<void> => {
      await terminal.lend(`${text}exit, or ctrl-d, brings the screen of rmtop back.\n`);
      if (this.closed) return;
      this.shell = new Shell(name, { ...env, ...url });
      this.backFrom(await this.shell.ended);
    };
    this.shellTurn = turn().catch((error: unknown) => this.needs.failed(error));
    return null;
  }

  private backFrom(end: ShellEnd): void {
    this.shell = null;
    if (this.closed) return;
    const { terminal } = this.needs;
    this.isLent = false;
    terminal.takeBack();
    if (this.model.mouse) terminal.mouse(true);
    if (end.kind === 'problem')
      this.model.toasts.say('error', `the shell did not start: ${end.message}`, null);
    else
      this.model.toasts.answer(
        end.code === 0
          ? 'back from the shell'
          : `back from the shell, which ended with ${end.code}`,
      );
    this.resize();
  }

  /** Ends a shell that has the terminal; settles when it has ended. */
  async endShell(): Promise<void> {
    this.shell?.end();
    await this.shellTurn;
  }

  start(): void {
    const { terminal, port, support } = this.needs;
    terminal.enter(support.isLight === null && support.depth !== 'none');
    terminal.onDrained = () => this.pacer.drained();
    if (this.needs.mouse) {
      this.model.mouse = true;
      terminal.mouse(true);
    }
    this.resize();
    this.stops.push(port.onInput((bytes) => this.hear(bytes)));
    this.stops.push(port.onResize(() => this.resize()));
    this.homeView.start();
    this.pacer.now();
  }

  /** Stops everything; the terminal is someone else's to give back. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.pacer.stop();
    this.endGuest();
    this.homeView.close();
    if (this.escTimer !== null) clearTimeout(this.escTimer);
    for (const stop of this.stops) stop();
    this.ink.close();
  }

  // ——— from the user ———

  private hear(bytes: Buffer): void {
    if (this.isLent) return;
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
      // What was typed ahead is for whoever has the terminal now.
      if (this.closed || this.isLent) return;
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

  // ——— frames ———

  private draw(): void {
    if (this.isLent) return;
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
    if (layout.cells.some((cell) => cell.pane === 'conns')) this.view.askClients();
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
