/** What is wrong, or worth knowing, in a user's files: collected with its place, never thrown. */

/** A place in a file; lines and columns count from 1. Line 0: `file` is a flag, which has no lines. */
export type Position = { readonly file: string; readonly line: number; readonly column: number };

/** `error`: the mesh refuses this or it does harm; `warning`: probably not what was meant; `info`: worth knowing. */
export type Level = 'error' | 'warning' | 'info';

/** Every code, with the level it has unless a finding says otherwise. Codes are stable: scripts grep for them. */
const CODES = {
  'READ-YAML': 'error',
  'READ-TEMPLATE': 'error',
  'READ-SHELL': 'info',
  'READ-DUPKEY': 'warning',
  'READ-DUPOBJECT': 'warning',
  'READ-TYPE': 'error',
  'READ-ENUM': 'error',
  'READ-DURATION': 'error',
  'READ-HINT': 'info',
  'READ-SPELLING': 'warning',
  'READ-UNKNOWN': 'error',
  'READ-NAMESPACE': 'info',
  'READ-BASE64': 'error',
  'READ-NOTHING': 'error',
  'AERAKI-PORTNAME': 'error',
  'AERAKI-PORTORDER': 'error',
  'AERAKI-NOHOST': 'warning',
  'AERAKI-NOADDRESS': 'error',
  'AERAKI-SHORTNAME': 'error',
  'AERAKI-DUPSERVICE': 'warning',
  'AERAKI-DUPDEST': 'warning',
  'AERAKI-PREFERREPLICA': 'warning',
  'AERAKI-DROPPED': 'warning',
  'AERAKI-USERNAME': 'warning',
  'AERAKI-SECRET-MISSING': 'error',
  'AERAKI-SECRET-FIELD': 'error',
  'AERAKI-LOCKOUT': 'error',
  'AERAKI-CRASH': 'error',
  'AERAKI-CATCHALL': 'warning',
  'AERAKI-MAGLEV': 'warning',
  'AERAKI-NOHEALTH': 'info',
  'AERAKI-SEED': 'error',
  'FAULT-SUBPERCENT': 'warning',
  'FAULT-SUM': 'warning',
  'FAULT-NODELAY': 'warning',
  'ENVOY-REQUIRED': 'error',
  'ENVOY-REFUSED': 'error',
  'ENVOY-DUPPREFIX': 'error',
  'ENVOY-DUPCLUSTER': 'warning',
  'ENVOY-EMPTYPREFIX': 'warning',
  'ENVOY-CATCHALLPREFIX': 'error',
  'ENVOY-NOUPSTREAM': 'error',
  'ENVOY-UNKNOWNCLUSTER': 'error',
  'ENVOY-KEYBLINDLB': 'warning',
  'ENVOY-CLUSTERLB': 'error',
  'ENVOY-OPTIMEOUT': 'error',
  'ENVOY-V2': 'info',
  'ENVOY-WHITESPACE': 'warning',
  'ENVOY-LEVEL': 'warning',
  'ENVOY-NOTLOCAL': 'warning',
  'ENVOY-DATASOURCE': 'error',
  'ENVOY-REDACTED': 'error',
  'ENVOY-ADDRESS': 'error',
  'ENVOY-PLACEMENT': 'warning',
  'ENVOY-NOEFFECT': 'info',
  'ENVOY-FORMATTER': 'warning',
  'EF-PLACEHOLDER': 'info',
  'EF-NOMATCH': 'info',
  'EF-IGNORED': 'info',
  'EF-LISTENER': 'warning',
  'ISTIO-CLUSTER': 'info',
  'MAP-FOLDED': 'warning',
  'MAP-MISSING': 'error',
  'MAP-BAD': 'error',
  'UPSTREAM-MISMATCH': 'error',
  'UPSTREAM-LOGIN': 'error',
  'UPSTREAM-UNREACHABLE': 'error',
} as const;

export type DiagnosticCode = keyof typeof CODES;

/** The level of each code. */
export const DIAGNOSTIC_LEVELS: Readonly<Record<DiagnosticCode, Level>> = CODES;

/** One finding: what is wrong, what the mesh makes of it, what to write instead. None of the texts holds a secret. */
export type Diagnostic = Position & {
  readonly code: DiagnosticCode;
  readonly level: Level;
  readonly message: string;
  /** What the mesh does with it; empty where `message` says all. */
  readonly consequence: string;
  /** What to write instead; empty where there is nothing to do. */
  readonly advice: string;
};

/** A setting that is written but does not take effect in the mesh. */
export type NotInForce = Position & {
  /** As it is written: `settings.readPolicy: PREFER_REPLICA`. */
  readonly setting: string;
  /** What holds in its place. */
  readonly instead: string;
};

/** Where readers put what they find. */
export class Findings {
  readonly diagnostics: Diagnostic[] = [];
  readonly notInForce: NotInForce[] = [];
  private readonly seen = new Set<string>();

  /** Notes a finding, once: the same said twice of one place is kept once. */
  say(
    code: DiagnosticCode,
    at: Position,
    message: string,
    more: { readonly consequence?: string; readonly advice?: string; readonly level?: Level } = {},
  ): void {
    const id = `${code}|${at.file}|${at.line}|${at.column}|${message}`;
    if (this.seen.has(id)) return;
    this.seen.add(id);
    this.diagnostics.push({
      code,
      level: more.level ?? CODES[code],
      file: at.file,
      line: at.line,
      column: at.column,
      message,
      consequence: more.consequence ?? '',
      advice: more.advice ?? '',
    });
  }

  /** Notes a setting that is not in force. */
  withoutEffect(at: Position, setting: string, instead: string): void {
    const { file, line, column } = at;
    if (
      this.notInForce.some(
        (each) => each.setting === setting && each.file === file && each.line === line,
      )
    )
      return;
    this.notInForce.push({ file, line, column, setting, instead });
  }
}

const ORDER: Readonly<Record<Level, number>> = { error: 0, warning: 1, info: 2 };

/** The findings as they are shown: errors first, then by place. */
export function sorted(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) =>
      ORDER[a.level] - ORDER[b.level] ||
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      a.line - b.line ||
      a.column - b.column,
  );
}

/** A finding as lines of text: `file:line:column: level[CODE]: message`, then what follows from it and what to do. */
export function diagnosticLines(each: Diagnostic): string[] {
  const lines = [`${placeText(each)}: ${each.level}[${each.code}]: ${each.message}`];
  if (each.consequence !== '') lines.push(`    so:   ${each.consequence}`);
  if (each.advice !== '') lines.push(`    next: ${each.advice}`);
  return lines.map(harmless);
}

/** `file:line:column`. */
export function placeText({ file, line, column }: Position): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}

/** A file's text as it may go to a terminal: what acts on one, or turns the direction of writing, as `\xHH` or `\u{HHHH}`. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
