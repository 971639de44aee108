/** The whole screen over a stream without sockets: what it sends goes to a terminal emulator, keys come as bytes. */
import type { TestContext } from 'node:test';
import xterm from '@xterm/headless';
import { parseFilter } from 'rmtop';
import type { Replaying } from '../../ui/replays.js';
import { Screen } from '../../ui/screen.js';
import { type Port, Terminal } from '../../ui/terminal/terminal.js';
import type { Depth } from '../../ui/text/styles.js';
import { TestStream } from './stream.js';
import { until } from './until.js';

export type ScreenOptions = {
  readonly columns: number;
  readonly rows: number;
  readonly depth: Depth;
  readonly unicode: boolean;
};

export class WholeScreen {
  readonly stream: TestStream = new TestStream();
  readonly screen: Screen;
  /** What the screen could not go on after. */
  readonly failures: unknown[] = [];
  quits = 0;
  /** Takes in the figures of now. */
  readonly figures: () => Promise<void>;
  private readonly emulator: InstanceType<typeof xterm.Terminal>;
  private hear: (bytes: Buffer) => void = () => {};
  private pending = 0;
  private lastFrame = '';

  constructor(
    t: Pick<TestContext, 'after'>,
    { columns, rows, depth, unicode }: ScreenOptions,
    replay: ((stream: TestStream) => Replaying) | null = null,
  ) {
    this.emulator = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    const filter = parseFilter('');
    if (filter.kind === 'problem') throw new TypeError(filter.message);
    const port = this.port(columns, rows);
    // Figures come when the test says so, not when a second is over.
    const { totals } = this.stream;
    this.stream.totals = () => new Promise(() => {});
    this.figures = async () => this.screen.model.feed.meter.add(await totals());
    this.screen = new Screen({
      proxy: this.stream,
      subject: {
        listen: this.stream.address,
        config: this.stream.config,
        label: 'redis-cluster:6379',
        version: '0.0.0',
        warnings: [],
      },
      filter,
      fps: 20,
      terminal: new Terminal(port),
      port,
      support: { depth, unicode, theme: 'dark', isLight: false },
      symbols: 'auto',
      mouse: false,
      keep: () => ({ kind: 'problem', message: 'a test keeps nothing' }),
      env: { SSH_TTY: '/dev/null' },
      platform: 'linux',
      recordings: {
        now: null,
        name: () => 'test.rmtop',
        start: (file) => file,
        stop: () => Promise.resolve('nothing'),
        save: () => Promise.resolve('nothing'),
      },
      playback: null,
      replay: replay?.(this.stream) ?? null,
      replays: null,
      quit: () => {
        this.quits++;
      },
      failed: (error) => this.failures.push(error),
    });
    t.after(() => this.screen.close());
    this.screen.start();
  }

  private port(columns: number, rows: number): Port {
    return {
      columns,
      rows,
      write: (text, done) => {
        this.lastFrame = text;
        this.pending++;
        this.emulator.write(text, () => {
          this.pending--;
          done();
        });
      },
      writeNow: () => {},
      setRaw: () => {},
      reclaim: () => {},
      onInput: (heard) => {
        this.hear = heard;
        return () => {};
      },
      onResize: () => () => {},
      onGone: () => () => {},
    };
  }

  /** Presses keys and waits for the frame that answers them. */
  async press(keys: string): Promise<void> {
    const { pacer, model } = this.screen;
    const { inputs } = model;
    this.hear(Buffer.from(keys));
    // A lone Esc is known by what does not follow it.
    await until(() => model.inputs > inputs, `${JSON.stringify(keys)} to be heard`);
    const { frames } = pacer;
    pacer.now();
    await until(() => pacer.frames > frames || this.failures.length > 0, 'its frame');
    await until(() => this.pending === 0, 'the emulator');
    if (this.failures.length > 0) throw this.failures[0];
  }

  /** Paints everything again; gives the lines as they are, and the bytes that painted them. */
  async whole(): Promise<{ readonly lines: readonly string[]; readonly bytes: string }> {
    await this.press('\x0c');
    const buffer = this.emulator.buffer.active;
    const lines = Array.from({ length: this.emulator.rows }, (_, y) =>
      (buffer.getLine(y)?.translateToString(true) ?? '').trimEnd(),
    );
    return { lines, bytes: this.lastFrame };
  }

  /** Takes in what was said to the stream, with its figures. */
  async settle(): Promise<void> {
    this.stream.flush();
    const { model } = this.screen;
    await model.charts.load();
    model.sifter.run(Number.POSITIVE_INFINITY);
  }
}
