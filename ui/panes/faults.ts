/** Pane 5: the rules, what they have hit, and what the clients notice. Hits are the core's exact counts. */
import { amountText, type FaultRule } from 'rmtop';
import { sparkLines } from '../charts/sparks.js';
import type { Model } from '../model.js';
import type { LinesPane, Room } from '../panes.js';
import { impactOf } from '../store/impact.js';
import type { Sample } from '../store/rates.js';
import type { Row } from '../store/rows.js';
import { count, latency, percent } from '../text/figures.js';
import { fit, fitRight } from '../text/fit.js';
import { printableBytes, printableText } from '../text/printable.js';
import { replyKind } from '../text/replies.js';

function head(model: Model, { width }: Room): readonly string[] {
  const { look, desk } = model;
  const t = model.keyOf('faults');
  const on = `${fitRight(`${desk.on} ON`, 5)} of ${desk.rules.length}`;
  const text =
    model.playback !== null
      ? ` as recorded: the rules of this moment   ${on}`
      : ` ${t} 1..9 toggle   ${t} n new   ${t} 0 all off   ${on}`;
  return [
    fit(text, width),
    look.theme.paint(
      'dim',
      row(
        ' ',
        ['KEY', 'ON', 'KIND', 'PCT', 'HITS', 'LEFT', 'AMOUNT', 'SCOPE (filter expression)'],
        width,
      ),
    ),
  ];
}

function row(
  mark: string,
  [
    key = '',
    on = '',
    kind = '',
    pct = '',
    hits = '',
    left = '',
    amount = '',
    scope = '',
  ]: readonly string[],
  width: number,
): string {
  const amountWidth = width >= 100 ? 26 : width >= 70 ? 16 : 0;
  const fixed = `${mark}${fit(key, 3)} ${fit(on, 3)} ${fit(kind, 6)} ${fitRight(pct, 6)} ${fitRight(hits, 7)} ${fitRight(left, 5)} `;
  const rest = amountWidth === 0 ? '' : `${fit(amount, amountWidth)} `;
  return fit(`${fixed}${rest}${scope}`, width);
}

function lines(model: Model, { width }: Room): readonly string[] {
  const { look, desk } = model;
  const { rules } = desk;
  const cursor = model.cursorOf('faults', rules.length);
  const totals = model.feed.meter.latest?.faults ?? {};
  const list = rules.map((rule, i) => {
    const hits = totals[rule.id]?.hits ?? 0;
    const text = row(
      i === cursor && model.pane === 'faults' ? '>' : ' ',
      [
        rule.id,
        rule.on ? '[x]' : '[ ]',
        rule.action.kind,
        `${rule.percent}%`,
        count(hits),
        leftText(model, rule, hits),
        printableText(amountText(rule.action), look),
        printableText(rule.scope === '' ? 'every command' : rule.scope, look),
      ],
      width,
    );
    if (i === cursor && model.pane === 'faults') return look.theme.reverse(text);
    return rule.on ? look.theme.paint('fault', text) : text;
  });
  const focused = rules[cursor];
  const mesh = meshLines(model, width);
  return [
    ...list,
    ...mesh,
    look.theme.paint('dim', look.rule.repeat(width)),
    ...(focused === undefined ? [] : aboutRule(model, focused, width)),
    ...impactLines(model, width),
  ];
}

/** What is left of its time, or of its hits. */
function leftText(model: Model, rule: FaultRule, hits: number): string {
  const { limits } = model.desk;
  const leftMs = limits.leftMs(rule.id) ?? limits.of(rule.id);
  if (leftMs !== null) return `${Math.ceil(leftMs / 1000)}s`;
  return rule.max === null ? 'inf' : `${Math.max(0, rule.max - hits)}x`;
}

/** Faults that the mesh's own configuration names: shown, not switched by keys. */
function meshLines(model: Model, width: number): readonly string[] {
  const { config } = model.feed.context.latest;
  const totals = model.feed.meter.latest?.faults ?? {};
  return (config?.config.faults ?? []).map((fault) =>
    model.look.theme.paint(
      'dim',
      row(
        ' ',
        [
          fault.id,
          fault.on ? '[x]' : '[ ]',
          fault.action.kind,
          `${fault.percent}%`,
          count(totals[fault.id]?.hits ?? 0),
          'mesh',
          amountText(fault.action),
          fault.commands.length === 0 ? 'every other command' : fault.commands.join(' '),
        ],
        width,
      ),
    ),
  );
}

function aboutRule(model: Model, rule: FaultRule, width: number): readonly string[] {
  const tally = model.feed.meter.latest?.faults[rule.id];
  const preview = model.previewOf(rule.scope);
  const would = `${rule.id} fits ${count(preview.fits)} of the last ${count(preview.of)} commands (${percent(preview.fits, preview.of)})`;
  const did =
    tally === undefined || tally.hits + tally.inScope === 0
      ? 'has hit nothing yet'
      : // A recording says what was hit, not what might have been.
        tally.inScope === 0
        ? `has hit ${count(tally.hits)}`
        : `has hit ${count(tally.hits)} of ${count(tally.inScope)} in its scope (${percent(tally.hits, tally.inScope)})`;
  // Without a hit there is nothing to look for among thousands.
  const last = (tally?.hits ?? 0) === 0 ? null : model.lastHitOf(rule.id);
  return [
    fit(` ${would}`, width),
    fit(` ${did}`, width),
    ...(last === null ? [] : [fit(` last hit ${hitText(model, last)}`, width)]),
    ...hitLines(model, width),
  ];
}

/** `#48103 12:04:05.104 c7 SET session:9f3a  -ERR Fault Injected`. */
function hitText(model: Model, row: Row): string {
  const { look, feed } = model;
  const facts = model.factsOf(row);
  const time = feed.clock.text(facts.atUs).slice(0, 12);
  const what = `${printableText(facts.name, look)} ${printableBytes(facts.keys[0] ?? '', look, 40)}`;
  const reply = facts.reply === null ? '' : `  ${replyKind(facts.reply, look, 60)}`;
  return `#${row.seq} ${time} c${facts.connection} ${what}${reply}`;
}

const HIT_SECONDS = 60;
const HIT_RULES = 3;

/** Hits a second over the last minute, of those that have hit something. */
function hitLines(model: Model, width: number): readonly string[] {
  const { history, latest } = model.feed.meter;
  const nowUs = latest?.atUs ?? 0;
  const recent = history.filter((sample) => sample.atUs > nowUs - HIT_SECONDS * 1e6);
  const ids = [...new Set(recent.flatMap((sample) => [...sample.hits.keys()]))].sort();
  const sparks = ids.slice(0, HIT_RULES).map((id) => ({
    label: id,
    figureOf: (sample: Sample) => sample.hits.get(id) ?? 0,
  }));
  const lines = sparkLines(model, 'hits/s', sparks, 'fault', width);
  return lines.length === 0 ? [] : ['', ...lines];
}

/** What the clients notice: before the first rule went on, and now. */
function impactLines(model: Model, width: number): readonly string[] {
  const { before, now } = impactOf(model.feed.meter, model.faultsOnSinceUs);
  if (now === null) return [];
  const line = (what: string, a: string, b: string): string =>
    fit(` ${fit(what, 22)}${fitRight(a, 10)}${fitRight(b, 10)}`, width);
  return [
    '',
    model.look.theme.bold(
      line(
        'client impact',
        before === null ? '' : 'before',
        model.faultsOnSinceUs === null ? 'last 10 s' : 'while ON',
      ),
    ),
    line(
      'error replies',
      before === null ? '' : percent(before.errors, before.calls),
      percent(now.errors, now.calls),
    ),
    line('p99 latency', before === null ? '' : latency(before.p99Us), latency(now.p99Us)),
    line(
      'new connections/min',
      before === null ? '' : before.connectsPerMinute.toFixed(1),
      now.connectsPerMinute.toFixed(1),
    ),
    line(
      'commands/s',
      before === null ? '' : count(Math.round(before.rate)),
      count(Math.round(now.rate)),
    ),
  ];
}

export const faultsPane: LinesPane = {
  id: 'faults',
  title: 'Faults',
  head,
  lines,
  count: (model) => model.desk.rules.length,
  condition: (model) => {
    const { rules } = model.desk;
    const rule = rules[model.cursorOf('faults', rules.length)];
    return rule === undefined ? null : `fault.id=${rule.id}`;
  },
  hints: ['faults', 'next-row', 'edit', 'remove', 'undo', 'help'],
};
