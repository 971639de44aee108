/** The report of `rmtop check` as lines for people. */
import { type Diagnostic, diagnosticLines, harmless, placeText } from 'rmtop';
import { table } from '../table.js';
import { type ListenerReport, type Report, type RouteReport, seenText } from './report.js';

/** All of a report: what is wrong first, what is only worth knowing last. */
export function reportLines(report: Report): string[] {
  const { diagnostics, listeners, notInForce, notes } = report;
  const lines = [summary(report)];
  const isNote = ({ level }: Diagnostic): boolean => level === 'info';
  for (const each of diagnostics) if (!isNote(each)) lines.push('', ...diagnosticLines(each));
  if (notes.length > 0) lines.push('', ...notes);
  for (const listener of listeners) lines.push('', ...listenerLines(listener));
  if (notInForce.length > 0) {
    lines.push('', `${count(notInForce.length, 'setting does', 'settings do')} not take effect:`);
    for (const each of notInForce)
      lines.push(`  ${placeText(each)}: ${each.setting} > ${each.instead}`);
  }
  for (const each of diagnostics.filter(isNote)) lines.push('', ...diagnosticLines(each));
  const skipped = Object.entries(report.skipped).map(([kind, times]) => `${times} ${kind}`);
  if (skipped.length > 0)
    lines.push('', `passed over, for they are not the mesh's: ${skipped.join(', ')}`);
  return lines.map(harmless);
}

function summary({ files, listeners, diagnostics, ok }: Report): string {
  const of = (level: string): number => diagnostics.filter((each) => each.level === level).length;
  const parts = [
    ...(files.length === 0 ? [] : [count(files.length, 'file')]),
    count(listeners.length, 'Redis listener'),
    count(of('error'), 'error'),
    count(of('warning'), 'warning'),
  ];
  return `${ok ? 'ok' : 'not ok'}: ${parts.join(', ')}`;
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

function listenerLines(listener: ListenerReport): string[] {
  const { name, hosts, listen, envoy, statPrefix, faults, asked } = listener;
  const port = listen.port === 0 ? 'a free port' : `port ${listen.port}`;
  const also = hosts.filter((host) => host !== name);
  const lines = [
    `${name}: ${port} of ${listen.host}, Envoy ${envoy}, stat_prefix ${statPrefix}`,
    ...(also.length === 0 ? [] : [`  also ${also.join(', ')}`]),
    ...indented(
      table(
        ['prefix', 'upstream', 'kind', 'chosen by', 'mirrors'].map((title) => ({ title })),
        listener.routes.map(routeCells),
      ),
    ),
    `  ${settingsText(listener)}`,
    ...upstreamLines(listener),
  ];
  if (listener.routes.every((route) => route.prefix !== null))
    lines.push('  keys that no prefix fits get "no upstream host"');
  for (const fault of faults)
    lines.push(`  fault ${fault.id}${fault.isMesh ? '' : ' (rmtop)'}: ${fault.text}`);
  if (listener.refuses.length > 0) lines.push(`  ${refusedText(listener)}`);
  for (const upstream of asked ?? []) {
    lines.push(`  asked ${upstream.name}:`);
    for (const seen of [...upstream.servers, ...upstream.announced]) {
      const via = seen.dialled === seen.address ? '' : ` (by way of ${seen.dialled})`;
      lines.push(`    ${seen.address}${via}  ${seenText(seen)}`);
    }
  }
  return lines;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function routeCells(route: RouteReport): string[] {
  const { prefix, stripBytes, keyFormatter, readUpstream, mirrors } = route;
  const marks = [
    ...(stripBytes > 0 ? [prefix === null ? `cuts ${stripBytes} bytes` : 'removed'] : []),
    ...(keyFormatter === null ? [] : [`then ${keyFormatter}`]),
  ];
  return [
    `${prefix === null ? '(all else)' : JSON.stringify(prefix)}${marks.length === 0 ? '' : ` ${marks.join(', ')}`}`,
    `${route.upstream || '(none)'}${readUpstream === null ? '' : `, reads ${readUpstream}`}`,
    route.kind,
    route.policy,
    mirrors
      .map(
        (mirror) => `${mirror.percent}%${mirror.writesOnly ? ' of writes' : ''} ${mirror.upstream}`,
      )
      .join(', '),
  ];
}

function settingsText({ settings }: ListenerReport): string {
  const { downstreamAuth } = settings;
  return [
    `op_timeout ${settings.opTimeoutMs / 1000}s`,
    `read_policy ${settings.readPolicy}`,
    settings.enableRedirection ? 'MOVED and ASK are followed' : 'MOVED and ASK go to the client',
    ...(settings.hashtagging ? ['hash tags'] : []),
    ...(settings.caseInsensitive ? ['prefixes in any case'] : []),
    ...(settings.customCommands.length === 0
      ? []
      : [`custom commands ${settings.customCommands.join(' ')}`]),
    downstreamAuth === null
      ? 'clients need no login'
      : `clients log in${downstreamAuth.username === null ? '' : ` as ${downstreamAuth.username}`} (${count(downstreamAuth.passwords, 'password')})`,
  ].join(', ');
}

function upstreamLines({ upstreams }: ListenerReport): string[] {
  return upstreams.map(({ name, servers, tls, login, healthChecked }) => {
    const user = login === null || login.username === null ? '' : ` as ${login.username}`;
    const more = [
      ...(tls ? ['TLS'] : []),
      ...(login === null ? [] : [`the proxy logs in${user}`]),
      ...(healthChecked ? ['health checks'] : []),
    ];
    return `  ${name || '(none)'}: ${servers.join(', ') || 'no servers'}${more.length === 0 ? '' : ` (${more.join(', ')})`}`;
  });
}

/** What people miss first, where it is refused. */
const MISSED: readonly string[] = [
  'BLPOP',
  'BRPOP',
  'BLMOVE',
  'XREAD',
  'XREADGROUP',
  'SUBSCRIBE',
  'PSUBSCRIBE',
  'PUBLISH',
  'KEYS',
  'SCAN',
  'SELECT',
  'INFO',
  'CONFIG',
  'MONITOR',
  'WAIT',
  'FLUSHALL',
  'SCRIPT',
  'EVAL',
  'MULTI',
  'OBJECT',
  'CLUSTER',
];

function refusedText({ envoy, refuses }: ListenerReport): string {
  const missed = MISSED.filter((name) => refuses.includes(name));
  const named = missed.length > 0 ? `, among them ${missed.join(' ')}` : '';
  return `Envoy ${envoy} refuses ${refuses.length} of Redis's commands${named}; --open forwards them`;
}
