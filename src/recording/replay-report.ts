/** What a replay came to: counted as it runs, then told as text, JSON or JUnit. */
import type { LatencyLimit } from '../compare/latency.js';
import { createHistogram, type Histogram, quantileUs, recordUs } from '../events/histogram.js';
import { Latencies, type LatencyFinding, latencyLine } from './latencies.js';
import type { ScriptUse } from './recorded-scripts.js';
import type { DecisionChange, Redecided } from './redecide.js';
import type { ReplayOutcome, ReplayResult } from './replay.js';
import type { LeftOut } from './replay-items.js';
import { type SnapshotReport, snapshotLines } from './snapshot-state.js';
import { ToleranceUse } from './tolerance-use.js';

/** One reply that is not the recorded one. */
export type ReplyDifference = {
  readonly n: number;
  readonly command: string;
  readonly kind: 'diff' | 'missing' | 'extra';
  readonly path: string;
  readonly recorded: string;
  readonly now: string;
  /** Of a replay of several rounds; the first is not said. */
  readonly round?: number;
};

/** One command that the mesh treated otherwise. */
export type RouteDifference = {
  readonly n: number;
  readonly command: string;
  readonly change: DecisionChange;
  readonly recorded: string;
  readonly now: string;
  readonly round?: number;
};

/** What was to be done about EVALSHA: scripts that were put there first, and those whose source the recording does not have. */
export type ScriptReport = { readonly loaded: number; readonly missing: readonly ScriptUse[] };

/** Commands whose server was gone: the first of them and why, and how many. */
export type LostServers = { readonly n: number; readonly why: string; readonly commands: number };

/** How many differences are kept; all are counted. */
const MOST_KEPT = 1000;

/** Counts. */
export class ReplayReport {
  same = 0;
  tolerated = 0;
  different = 0;
  notCompared = 0;
  routed = 0;
  routedElsewhere = 0;
  /** The round that results are added of. */
  round = 1;
  scripts: ScriptReport = { loaded: 0, missing: [] };
  lost: LostServers | null = null;
  /** Null: there is nothing to put back, or nobody wants it. */
  snapshot: SnapshotReport | null = null;
  readonly differences: ReplyDifference[] = [];
  readonly routes: RouteDifference[] = [];
  readonly changes: Partial<Record<DecisionChange, number>> = {};
  private readonly limits: readonly LatencyLimit[];
  private readonly tolerances = new ToleranceUse();
  private readonly latencies = new Latencies();
  private readonly late: Histogram = createHistogram();
  private maxLateMs = 0;

  /** `limits` are those that latencies have to keep; without any they are only told. */
  constructor(limits: readonly LatencyLimit[] = []) {
    this.limits = limits;
  }

  /** Counts one result; `command` is its text for people. */
  add(result: ReplayResult, command: string): void {
    const { item, comparison, lateMs } = result;
    const { name } = item.command;
    if (lateMs > 0) {
      recordUs(this.late, Math.round(lateMs * 1000));
      this.maxLateMs = Math.max(this.maxLateMs, lateMs);
    }
    if (item.doneUs !== null && result.reply !== null)
      this.latencies.add(item.doneUs - item.atUs, result.latencyUs);
    if (comparison === null) {
      this.notCompared++;
      return;
    }
    this.tolerances.add(name, comparison);
    switch (comparison.kind) {
      case 'same':
        this.same++;
        return;
      case 'tolerated':
        this.tolerated++;
        return;
      default:
        this.different++;
        if (this.differences.length >= MOST_KEPT) return;
        this.differences.push({
          n: item.seq,
          ...inRound(this.round),
          command,
          kind: comparison.kind,
          ...(comparison.kind === 'diff'
            ? { path: comparison.path, recorded: comparison.a, now: comparison.b }
            : {
                path: '',
                recorded: comparison.kind === 'extra' ? '(none)' : '(a reply)',
                now: comparison.kind === 'extra' ? '(a reply)' : '(none)',
              }),
        });
    }
  }

  /** Counts where one command went; null: where it had gone. */
  route(n: number, command: string, found: Redecided | null, round = 1): void {
    this.routed++;
    if (found === null) return;
    this.routedElsewhere++;
    const { change, from: recorded, to: now } = found;
    this.changes[change] = (this.changes[change] ?? 0) + 1;
    if (this.routes.length < MOST_KEPT)
      this.routes.push({ n, ...inRound(round), command, change, recorded, now });
  }

  /** What came of the limits that latencies had to keep. */
  get latency(): readonly LatencyFinding[] {
    return this.latencies.check(this.limits);
  }

  /** Counts a command whose server was gone. */
  lose(n: number, why: string): void {
    const { lost } = this;
    this.lost = lost === null ? { n, why, commands: 1 } : { ...lost, commands: lost.commands + 1 };
  }

  /** 0 all the same, 1 something differs, or is too slow, 2 servers were lost. */
  get exitCode(): 0 | 1 | 2 {
    if (this.lost !== null) return 2;
    const isSlow = this.latency.some(({ kept }) => kept === false);
    return this.different > 0 || this.routedElsewhere > 0 || isSlow ? 1 : 0;
  }

  /** The report for people. `next` names the file for the line that opens it. */
  text(outcome: ReplayOutcome, total: number, left: LeftOut, how: string): string[] {
    const quantile = (of: Histogram, q: number): string =>
      ((quantileUs(of, q) ?? 0) / 1000).toFixed(2);
    const lines = [
      `replayed ${n(outcome.sent)} of ${n(total * this.round)} commands${this.round === 1 ? '' : ` in ${n(this.round)} rounds`} on ${n(outcome.connections)} connections in ${(outcome.durationMs / 1000).toFixed(1)} s (${how}${this.maxLateMs > 0 ? `, late p50 ${quantile(this.late, 0.5)} ms max ${this.maxLateMs.toFixed(1)} ms` : ''})`,
      `replies   ${n(this.same)} same   ${n(this.tolerated)} same within tolerance   ${n(this.different)} ${this.different > 0 ? 'DIFFERENT' : 'different'}   ${n(this.notCompared)} not compared`,
    ];
    if (this.routed > 0)
      lines.push(
        `routing   ${n(this.routed - this.routedElsewhere)} same   ${n(this.routedElsewhere)} different${this.routedElsewhere === 0 ? '' : `: ${changesText(this.changes)}`}`,
      );
    lines.push(
      `latency   ${this.latencies.text('p50', 0.5)}   ${this.latencies.text('p99', 0.99)}`,
      ...this.latency.map((finding) => `latency   ${latencyLine(finding)}`),
    );
    const missing = Object.entries(left).filter(([, count]) => count > 0);
    if (missing.length > 0)
      lines.push(`not sent  ${missing.map(([why, count]) => `${n(count)} ${why}`).join(', ')}`);
    lines.push(...scriptLines(this.scripts), ...snapshotLines(this.snapshot));
    const tolerated = this.tolerances.text();
    if (tolerated !== null) lines.push(`tolerances used: ${tolerated}`);
    for (const warning of this.tolerances.warnings()) lines.push(`warning: ${warning}`);
    if (outcome.unorderedFrom !== null)
      lines.push(
        `warning: a reply never came: from #${outcome.unorderedFrom} on the order is not guaranteed`,
      );
    if (this.lost !== null)
      lines.push(
        `warning: servers were lost from #${this.lost.n} on, ${n(this.lost.commands)} commands: ${this.lost.why}`,
      );
    for (const { connection, why } of outcome.closed.slice(0, 5))
      lines.push(`warning: connection ${connection} was closed by the other side: ${why}`);
    for (const each of this.differences.slice(0, 10))
      lines.push(
        `${nameOf(each)}   ${each.path === '' ? '' : `${each.path}: `}${each.recorded}  >  ${each.now}`,
      );
    for (const each of this.routes.slice(0, 10))
      lines.push(`${nameOf(each)}   ${each.change}: ${each.recorded}  >  ${each.now}`);
    return lines;
  }

  /** The same as one JSON value. */
  json(outcome: ReplayOutcome, total: number, left: LeftOut): object {
    return {
      k: 'replay',
      v: 1,
      commands: total * this.round,
      ...(this.round === 1 ? {} : { rounds: this.round }),
      ...outcome,
      left,
      scripts: this.scripts,
      ...(this.snapshot === null ? {} : { snapshot: this.snapshot }),
      replies: {
        same: this.same,
        tolerated: this.tolerated,
        different: this.different,
        notCompared: this.notCompared,
      },
      routing: {
        same: this.routed - this.routedElsewhere,
        different: this.routedElsewhere,
        changes: this.changes,
      },
      tolerances: this.tolerances.json(),
      ...(this.lost === null ? {} : { lost: this.lost }),
      warnings: this.tolerances.warnings(),
      ...(this.limits.length === 0 ? {} : { latency: this.latency }),
      differences: this.differences,
      routes: this.routes,
    };
  }

  /** The same for CI: a test case for each command name, failed by its differences, and one for each limit on latencies. */
  junit(file: string): string {
    const cases = [...this.tolerances.commands].map(([name, count]) => {
      const failures = this.differences.filter((each) =>
        each.command.toUpperCase().startsWith(name),
      );
      const body = failures
        .map(
          (each) =>
            `<failure message="${xml(`${nameOf(each)}: ${each.path} ${each.recorded} > ${each.now}`)}"/>`,
        )
        .join('');
      return `  <testcase classname="${xml(file)}" name="${xml(`${name} (${count} replies)`)}">${body}</testcase>`;
    });
    const routing = this.routes
      .map(
        (each) =>
          `<failure message="${xml(`${nameOf(each)} ${each.change}: ${each.recorded} > ${each.now}`)}"/>`,
      )
      .join('');
    cases.push(`  <testcase classname="${xml(file)}" name="routing">${routing}</testcase>`);
    for (const finding of this.latency) {
      const failure =
        finding.kept === false ? `<failure message="${xml(latencyLine(finding))}"/>` : '';
      cases.push(
        `  <testcase classname="${xml(file)}" name="${xml(`latency ${finding.limit}`)}">${failure}</testcase>`,
      );
    }
    const failed = cases.filter((each) => each.includes('<failure')).length;
    return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="rmtop replay" tests="${cases.length}" failures="${failed}">\n${cases.join('\n')}\n</testsuite>\n`;
  }
}

function inRound(round: number): { readonly round?: number } {
  return round === 1 ? {} : { round };
}

/** `#12 GET k`, `#12 (round 2) GET k` */
function nameOf(each: ReplyDifference | RouteDifference): string {
  return `#${each.n} ${each.round === undefined ? '' : `(round ${each.round}) `}${each.command}`;
}

function scriptLines({ loaded, missing }: ScriptReport): string[] {
  if (loaded === 0 && missing.length === 0) return [];
  const used = missing
    .slice(0, 5)
    .map(({ sha1, n: first, uses }) => `${sha1} (#${first}, ${n(uses)} EVALSHA)`);
  const lacks =
    missing.length === 0
      ? ''
      : `   ${n(missing.length)} not in the recording: ${used.join(', ')}${missing.length > 5 ? ' …' : ''}`;
  return [`scripts   ${n(loaded)} loaded first${lacks}`];
}

/** `3 role, 1 refused` */
export function changesText(changes: Partial<Record<DecisionChange, number>>): string {
  return Object.entries(changes)
    .map(([what, count]) => `${n(count)} ${what}`)
    .join(', ');
}

/** 12,345 */
function n(count: number): string {
  return count.toLocaleString('en-US');
}

function xml(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, '?')
    .replace(/[<>&"]/g, (each) => `&#${each.charCodeAt(0)};`);
}
