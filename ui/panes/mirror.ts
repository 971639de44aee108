/** Pane 4: what the mirrors answered. Totals are the core's; the differences are the latest that are remembered. */
import { type MirrorEvent, quantileUs } from 'rmtop';
import { keepPlace } from '../actions/jumps.js';
import { besideEachOther } from '../detail/two-replies.js';
import type { Model } from '../model.js';
import type { LinesPane, Room } from '../panes.js';
import { count, latency, milliseconds, percent, short } from '../text/figures.js';
import { fit, fitRight } from '../text/fit.js';
import { printableBytes, printableText } from '../text/printable.js';

const HEADS = ['PCT', 'SENT', 'SAME', 'DIFF', 'FAILED', 'DROP', 'LAG p50', 'LAG p99'] as const;
/** Of a pane that is narrow, and of one with room for whole numbers. */
const WIDTHS = [
  [5, 6, 6, 6, 6, 6, 7, 7],
  [7, 10, 10, 8, 8, 8, 8, 8],
] as const;
const ROOMY = 100;

/** Enter goes to the second one: the difference in focus, both replies in full. */
const TABS = ['Differences', 'Replies'] as const;

function head(model: Model, { width }: Room): readonly string[] {
  const { look, feed } = model;
  const mirrors = Object.entries(feed.meter.latest?.mirrors ?? {});
  if (mirrors.length === 0)
    return [
      ' No mirror has been sent anything.',
      look.theme.paint(
        'dim',
        fit(
          ' A route of the mesh may have a request_mirror_policy; copies and their replies are shown here.',
          width,
        ),
      ),
    ];
  const row = (name: string, cells: readonly string[]): string =>
    fit(
      ` ${fit(name, Math.max(8, width - 3 - figuresWidth(width)))} ${cells
        .map((cell, i) => fitRight(cell, widthsAt(width)[i] ?? 8))
        .join(' ')}`,
      width,
    );
  const number = (n: number): string => (width >= ROOMY || n < 100_000 ? count(n) : short(n));
  return [
    look.theme.paint('dim', row('TO', HEADS)),
    ...mirrors.map(([name, tally]) =>
      row(printableText(name, look), [
        shareOf(model, name),
        number(tally.sent),
        number(tally.same),
        number(tally.different),
        number(tally.failed),
        number(tally.dropped),
        latency(quantileUs(tally.lag, 0.5)),
        latency(quantileUs(tally.lag, 0.99)),
      ]),
    ),
    fit(
      ` ${mirrors.map(([name, tally]) => `${printableText(name, look)} ${percent(tally.different, tally.same + tally.different)} differ${lastText(model, name)}`).join('   ')}`,
      width,
    ),
    ` ${TABS.map((tab, i) =>
      i === model.tabOf('mirror') ? look.theme.reverse(` ${tab} `) : ` ${tab} `,
    ).join('')}`,
  ];
}

function widthsAt(width: number): readonly number[] {
  return width >= ROOMY ? WIDTHS[1] : WIDTHS[0];
}

function figuresWidth(width: number): number {
  return widthsAt(width).reduce((sum, own) => sum + own + 1, -1);
}

/** How many of a route's commands the mesh copies to mirror `name`; of routes that differ, the range. */
function shareOf(model: Model, name: string): string {
  const config = model.feed.context.latest.config?.config ?? model.subject.config;
  const shares = config.routes
    .flatMap((route) => route.mirrors)
    .filter(({ upstream }) => upstream === name)
    .map(({ fraction }) => (100 * fraction.numerator) / fraction.of);
  if (shares.length === 0) return '-';
  const [least, most] = [Math.min(...shares), Math.max(...shares)].map((each) =>
    String(Number(each.toPrecision(3))),
  );
  return least === most ? `${most}%` : `${least}-${most}`;
}

/** `, last #48104`: the latest difference of mirror `name` that is remembered. */
function lastText(model: Model, name: string): string {
  const last = model.feed.copies.differences.findLast(({ upstream }) => upstream === name);
  return last === undefined ? '' : `, last #${last.seq}`;
}

const seen = new WeakMap<Model, number>();

/** The differences, the latest first. New ones come in above the one in focus, which stays it; at the top, the newest is in focus. */
function items(model: Model): readonly MirrorEvent[] {
  const { counted } = model.feed.copies;
  const more = counted - (seen.get(model) ?? counted);
  seen.set(model, counted);
  const at = model.cursorOf('mirror', Number.POSITIVE_INFINITY);
  if (more > 0 && (at > 0 || model.tabOf('mirror') === 1)) model.setCursor('mirror', at + more);
  return [...model.feed.copies.differences].reverse();
}

/** The difference in focus: what it is about, and the two replies beside each other. */
function replies(model: Model, width: number): readonly string[] {
  const { look, feed } = model;
  const list = items(model);
  const event = list[model.cursorOf('mirror', list.length)];
  if (event === undefined) return [' No difference so far.'];
  const row = feed.rows.has(event.seq) ? feed.rows.row(feed.rows.indexOf(event.seq)) : null;
  const ours = row === null ? null : (model.factsOf(row).event?.reply.bytes ?? null);
  const theirs = event.reply === null ? null : Buffer.from(event.reply, 'latin1');
  return [
    look.theme.bold(fit(` ${differenceText(model, event)}`, width)),
    ...besideEachOther(ours, theirs, look, width),
    '',
    look.theme.paint(
      'dim',
      fit(
        ` ${model.keyOf('open')}: the command and its decision   ${model.keyOf('previous-tab')} the list`,
        width,
      ),
    ),
  ];
}

function lines(model: Model, room: Room): readonly string[] {
  if (model.tabOf('mirror') === 1) return replies(model, room.width);
  return differences(model, room);
}

function differences(model: Model, { width }: Room): readonly string[] {
  const { look } = model;
  const list = items(model);
  const cursor = model.pane === 'mirror' ? model.cursorOf('mirror', list.length) : -1;
  return list.map((event, i) => {
    const text = fit(`${i === cursor ? '>' : ' '}${differenceText(model, event)}`, width);
    if (i === cursor) return look.theme.reverse(text);
    return look.theme.paint('error', text);
  });
}

/** `#48104 x diff  INCR rate:1  value 18, not 17  lag 2.7 ms  theirs :17` */
function differenceText(model: Model, event: MirrorEvent): string {
  const { look, feed } = model;
  const row = feed.rows.has(event.seq) ? feed.rows.row(feed.rows.indexOf(event.seq)) : null;
  const facts = row === null ? null : model.factsOf(row);
  const command =
    facts === null
      ? ''
      : `${printableText(facts.name, look)} ${printableBytes(facts.keys[0] ?? '', look, 40)}  `;
  const lag = event.lagUs === null ? '' : `  lag ${milliseconds(event.lagUs, 7)} ms`;
  const theirs =
    event.reply === null ? '' : `  theirs ${printableBytes(event.reply.trimEnd(), look, 60)}`;
  const detail = printableText(event.detail ?? event.cause?.code ?? '', look);
  return `#${event.seq} ${event.state === 'diff' ? 'x' : '!'} ${event.state}  ${command}${detail}${lag}${theirs}`;
}

export const mirrorPane: LinesPane = {
  id: 'mirror',
  title: 'Mirror',
  head,
  lines,
  // Among the replies nothing is chosen: there, keys scroll.
  count: (model) => (model.tabOf('mirror') === 1 ? 0 : items(model).length),
  tabs: TABS,
  condition: () => 'mirror.state in {diff, failed}',
  open: (model) => {
    const list = items(model);
    const event = list[model.cursorOf('mirror', list.length)];
    if (event !== undefined && model.tabOf('mirror') === 0) model.tabs.mirror = 1;
    else if (event !== undefined && model.feed.rows.has(event.seq)) {
      keepPlace(model);
      model.viewport.goTo(event.seq);
      model.show('detail');
    } else if (event !== undefined) model.toasts.answer(`#${event.seq} is no longer in memory`);
  },
  hints: ['next-row', 'open', 'only-this', 'close', 'help'],
};
