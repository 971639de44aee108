/** The first line: what is connected to what, and how it goes. */
import { recordBadge } from '../actions/record.js';
import type { Model } from '../model.js';
import type { Replaying } from '../replays.js';
import { count, latency, percent, plural, short, size } from '../text/figures.js';
import { cut, fit, widthOf } from '../text/fit.js';
import { printableText } from '../text/printable.js';
import { replayBar, transportBar } from '../transport.js';

/** Figures are drawn from the core's totals, and stand still while the screen is frozen. */
export function headerLine(model: Model, width: number): string {
  const { theme } = model.look;
  const left = leftPart(model, width);
  const state = transportOf(model) ?? recordBadge(model);
  const right = `${rightPart(model, width)}  ${state}  `;
  const badge = ` T${model.desk.on} `;
  const room = width - widthOf(right) - badge.length;
  if (room < 10) return fit(left, width);
  const faults =
    model.desk.on === 0 ? theme.paint('dim', badge) : theme.reverse(theme.paint('fault', badge));
  return `${theme.bold(fit(left, room))}${theme.paint('dim', right)}${faults}`;
}

function leftPart(model: Model, width: number): string {
  const { listen, label } = model.subject;
  const host = listen.host === '127.0.0.1' ? '' : listen.host;
  if (model.playback !== null) return ` rmtop open ${printableText(label, model.look)}`;
  if (model.replay !== null)
    return ` ${width >= 120 ? 'rmtop ' : ''}replay ${replayText(model.replay, model)}`;
  const where = ` rmtop ${host}:${listen.port} > ${printableText(label, model.look)}`;
  return `${where}${width >= 120 ? '  ' : ' '}${clusterText(model, width >= 120)}`;
}

/** Of what is played, or sent again; null: neither is. What is recorded of a replay stands behind it. */
function transportOf(model: Model): string | null {
  const { playback, replay, recordings } = model;
  if (playback !== null) return transportBar(playback);
  if (replay === null) return null;
  return `${replayBar(replay)}${recordings.now === null ? '' : `  ${recordBadge(model)}`}`;
}

/** `a.rmtop > 127.0.0.1:7001` */
function replayText({ label, upstream }: Replaying, { look }: Model): string {
  return `${printableText(label, look)} > ${printableText(upstream, look)}`;
}

/** `(3 shards)`, `3 shards 6 nodes (1 down)`, `(one server)`. */
function clusterText(model: Model, isLong: boolean): string {
  const states = Object.values(model.feed.topologyEvent?.upstreams ?? {});
  const servers = states.flatMap((state) => state.servers);
  const down = servers.filter((server) => server.reachable === false || !server.healthy).length;
  const shards = states.reduce(
    (sum, state) => sum + new Set((state.ranges ?? []).map((range) => range.primary)).size,
    0,
  );
  const downText = down === 0 ? '' : ` (${down} down)`;
  if (states.every((state) => state.kind === 'unknown')) return isLong ? 'not found yet' : '(?)';
  if (shards === 0) return isLong ? `one server${downText}` : `(one server)${downText}`;
  return isLong
    ? `${plural(shards, 'shard')} ${plural(servers.length, 'node')}${downText}`
    : `(${plural(shards, 'shard')}${down === 0 ? '' : `, ${down} down`})`;
}

function rightPart(model: Model, width: number): string {
  const { rates } = model.feed.meter;
  const { opsPerSecond, p50Us, p99Us, maxUs, errors, calls } = rates;
  const ops = Math.round(opsPerSecond);
  // Where it is sent to is to be seen, and how it goes is behind it.
  if (model.replay !== null && width < 120) return `${short(ops)}/s`;
  if (calls === 0 && ops === 0) return '0/s  --';
  const p50 = `p50 ${latency(p50Us)}`;
  const p99 = `p99 ${latency(p99Us)}`;
  const share = `err ${percent(errors, calls)}`;
  if (width >= 180) {
    const bytes = `in ${size(rates.bytesInPerSecond)}B/s out ${size(rates.bytesOutPerSecond)}B/s`;
    return `${count(ops)}/s  ${bytes}  ${p50} ${p99} max ${latency(maxUs)}  ${share}`;
  }
  return width >= 120 ? `${short(ops)}/s ${p50} ${p99} ${share}` : `${short(ops)}/s ${p99}`;
}

/** Where there is no room for a screen: up to three lines of totals. */
export function totalsLines(model: Model, width: number, height: number): readonly string[] {
  const { rates, latest } = model.feed.meter;
  const lines = [
    `rmtop :${model.subject.listen.port} ${short(Math.round(rates.opsPerSecond))}/s p99 ${latency(rates.p99Us)} err ${percent(rates.errors, rates.calls)}`,
    `${count(latest?.all.calls ?? model.feed.rows.arrived)} commands, ${plural(model.feed.sessions.open, 'client')}, lost ${model.feed.lost}`,
    'too small for more: 60x12 or larger. q quits',
  ];
  if (model.dialog?.kind === 'quit') lines.unshift('Quit? y/N');
  if (model.dialog?.kind === 'clear') lines.unshift('Clear the list? y/N');
  if (model.dialog?.kind === 'close') lines.unshift(`Close c${model.dialog.connection}? y/N`);
  return lines.slice(0, height).map((line) => cut(line, width).trimEnd());
}
