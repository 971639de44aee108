/** The report on a recording as lines for people. */
import { harmless } from 'rmtop';
import type { RecordingFinding, RecordingReport } from './recording.js';

/** What the recording is, then what is wrong with it, then what is only worth knowing. */
export function recordingLines(report: RecordingReport): string[] {
  const { recording, ok, findings } = report;
  const of = (level: RecordingFinding['level']): RecordingFinding[] =>
    findings.filter((each) => each.level === level);
  const lines = [
    `${ok ? 'ok' : 'not ok'}: ${recording}: ${count(of('error').length, 'error')}, ${count(of('warning').length, 'warning')}`,
    `  ${count(report.commands, 'command')} of ${count(report.clients, 'client')} in ${report.seconds.toFixed(1)} s from ${report.started}, by ${report.tool}`,
    `  ${endText(report.ended)}; ${count(report.decided, 'decision')} made again, the same as recorded`,
  ];
  for (const { level, code, message, advice } of [...of('error'), ...of('warning')]) {
    lines.push('', `${recording}: ${level}[${code}]: ${message}`);
    if (advice !== null) lines.push(`    next: ${advice}`);
  }
  const notes = of('info');
  if (notes.length > 0) lines.push('');
  for (const { message, advice } of notes)
    lines.push(`  ${message}${advice === null ? '' : ` (${advice})`}`);
  return lines.map(harmless);
}

function endText(ended: string | null): string {
  switch (ended) {
    case null:
      return 'without an end';
    case 'quit':
    case 'signal':
      return 'complete to its end';
    case 'flush':
      return 'complete: all that was in memory when it was asked for';
    case 'rotate':
      return 'complete: the next part goes on';
    default:
      return `ended by ${ended}`;
  }
}

function count(n: number, one: string): string {
  return `${n.toLocaleString('en-US')} ${one}${n === 1 ? '' : 's'}`;
}
