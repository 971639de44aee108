/** The screen's model over a stream without sockets: keys go in as a terminal sends them, and what is shown comes out as text. */
import { type Playback, parseFilter } from 'rmtop';
import { SCREEN_KEEP } from '../../bin/screen.js';
import { ScreenRecorder } from '../../bin/screen-recorder.js';
import { bannerLines } from '../../ui/components/banner.js';
import { cellsLines } from '../../ui/components/cells.js';
import { filterLine } from '../../ui/components/filter-line.js';
import { newsLine } from '../../ui/components/foot.js';
import { headerLine } from '../../ui/components/header.js';
import { act } from '../../ui/input.js';
import { type Layout, layoutOf } from '../../ui/layout.js';
import { MENUS } from '../../ui/menus.js';
import { type Keepable, type Kept, type KeptIn, Model, type Warning } from '../../ui/model.js';
import type { Replaying } from '../../ui/replays.js';
import { Feed } from '../../ui/store/feed.js';
import { KeyDecoder } from '../../ui/terminal/keys.js';
import { plain } from '../../ui/text/styles.js';
import { hasMirror } from '../../ui/warnings.js';
import { TestStream } from './stream.js';

export class TestScreen {
  readonly stream: TestStream = new TestStream();
  readonly model: Model;
  /** What was copied, and under which name. */
  readonly copied: { readonly content: string; readonly what: string }[] = [];
  readonly kept: {
    readonly where: KeptIn;
    readonly path: readonly string[];
    readonly value: Keepable | null;
  }[] = [];
  readonly opened: (readonly string[])[] = [];
  /** What was to be sent again, and where to. */
  readonly replayed: (readonly [file: string, upstream: string])[] = [];
  left = 0;
  shells = 0;
  quits = 0;
  mouse: boolean | null = null;
  private readonly decoder = new KeyDecoder();

  constructor(
    columns = 80,
    rows = 24,
    warnings: readonly Warning[] = [],
    playback: Playback | null = null,
    replay: ((stream: TestStream) => Replaying) | null = null,
  ) {
    const feed = new Feed(playback?.source ?? this.stream);
    const filter = parseFilter('');
    if (filter.kind === 'problem') throw new TypeError(filter.message);
    const subject = {
      listen: this.stream.address,
      config: this.stream.config,
      label: 'redis-cluster:6379',
      version: '0.0.0',
      warnings,
      files: ['recordings/a.rmtop'],
    };
    const styling = {
      theme: 'mono',
      symbols: 'auto',
      depth: 'none',
      unicode: true,
      isLight: false,
    } as const;
    this.model = new Model(
      subject,
      feed,
      styling,
      filter,
      {
        copy: (content, what) => {
          this.copied.push({ content: Buffer.from(content).toString('latin1'), what });
        },
        reconfigure: () => Promise.resolve(),
        closeClient: (connection) => this.stream.closeClient(connection),
        quit: () => {
          this.quits++;
        },
        repaint: () => {},
        open: (files) => {
          this.opened.push(files);
          return Promise.resolve();
        },
        replay: (file, upstream) => {
          this.replayed.push([file, upstream]);
          return Promise.resolve();
        },
        replays: {
          upstream: '127.0.0.1:7001',
          check: (text) => (/^\S+:\d+$/.test(text) ? null : 'HOST:PORT'),
        },
        leave: () => {
          this.left++;
        },
        shell: () => {
          this.shells++;
          return null;
        },
        changed: () => {},
        mouse: (on) => {
          this.mouse = on;
        },
        keep: (where, path, value): Kept => {
          this.kept.push({ where, path, value });
          return { kind: 'kept', file: 'settings.yaml' };
        },
      },
      new ScreenRecorder(this.stream, 'redis-cluster:6379', SCREEN_KEEP),
      playback,
      replay?.(this.stream) ?? null,
    );
    this.model.size = { columns, rows };
    (playback?.source ?? this.stream).subscribe(feed);
  }

  /** Types keys, as the bytes that a terminal sends for them, a lone Esc among them. */
  type(keys: string): void {
    for (const input of [...this.decoder.push(Buffer.from(keys)), ...this.decoder.flush()])
      act(this.model, input);
    this.update();
  }

  /** What a frame does before it is drawn. */
  update(): Layout {
    this.stream.flush();
    const { model } = this;
    const layout = layoutOf(model.size.columns, model.size.rows, {
      isTyping: model.filterBar.line !== null,
      bannerRows: bannerLines(model, model.size.columns).length,
      hasMirror: hasMirror(model),
      keyLine: model.keyLine,
      focus: model.pane,
      recent: model.recent,
      arrangement: model.arrangement,
      zoom: model.zoom,
    });
    const cell = layout.cells.find(({ pane }) => pane === 'stream');
    model.sifter.run(Number.POSITIVE_INFINITY);
    model.viewport.update((cell?.height ?? layout.bodyRows) - 1);
    return layout;
  }

  /** The panes as they would be drawn. */
  panes(): string {
    const { cells, columns, bodyRows } = this.update();
    return cellsLines(this.model, cells, columns, bodyRows)
      .map((line) => plain(line).trimEnd())
      .join('\n');
  }

  /** The line of news, the filter's line, and the open list. */
  news(): string {
    return plain(newsLine(this.model, this.model.size.columns)).trim();
  }

  header(): string {
    return plain(headerLine(this.model, this.model.size.columns)).trim();
  }

  bar(): string {
    return plain(filterLine(this.model, this.model.size.columns)).trim();
  }

  menu(): string {
    const { dialog } = this.model;
    if (dialog?.kind !== 'menu') return '';
    return MENUS[dialog.id]
      .entries(this.model, dialog.query.text)
      .map(({ section, left, right }) => `${section} ${left}  ${right}`.trim())
      .join('\n');
  }

  /** The rows that are shown, by their numbers. */
  get rows(): readonly number[] {
    return this.model.viewport.rows.map(({ seq }) => seq);
  }
}
