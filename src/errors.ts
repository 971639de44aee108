/**
 * Every error that stops rmtop, or is shown to its user, has a stable code and says what to do next.
 *
 * Mistakes on the data path are values (an outcome, a refusal), never exceptions: see `mesh/` and `proxy/`.
 */

/** Exit code of each error: 3 a wrong mesh file, 4 cannot listen or reach, 5 unreadable, 8 a bug, 64 usage (sysexits). */
const EXIT_CODES = {
  LISTEN_IN_USE: 4,
  LISTEN_FAILED: 4,
  UPSTREAM_UNREACHABLE: 4,
  UPSTREAM_LOOP: 64,
  NO_REDIS_SERVER: 4,
  USAGE: 64,
  BAD_ADDRESS: 64,
  BAD_MAP: 64,
  FILE_UNREADABLE: 64,
  /** A mesh file that cannot be used. */
  MESH: 3,
  FILTER: 64,
  /** A settings file that cannot be used. */
  SETTINGS: 64,
  WRITES_REFUSED: 6,
  REPLAY_FAILED: 2,
  NO_RECORDING: 5,
  REC_TOO_NEW: 5,
  REC_DAMAGED: 5,
  REC_INCOMPLETE: 5,
  /** A recording without replies cannot be served. */
  REC_NO_REPLIES: 5,
  /** What a served recording was to be asked, it was not. */
  UNMET: 1,
  OUTPUT_EXISTS: 64,
  OUTPUT_FAILED: 5,
  INTERNAL: 8,
} as const;

/** The stable name of an error, printed as `error[CODE]`. */
export type ErrorCode = keyof typeof EXIT_CODES;

/** What stops rmtop: `message` says what happened, `why` what is known of the cause, `next` what to type. */
export class RmtopError extends Error {
  readonly code: ErrorCode;
  readonly why: string | null;
  readonly next: readonly string[];

  constructor(
    code: ErrorCode,
    message: string,
    more: { readonly why?: string | null; readonly next?: readonly string[] } = {},
  ) {
    super(message);
    this.name = 'RmtopError';
    this.code = code;
    this.why = more.why ?? null;
    this.next = more.next ?? [];
  }

  /** The process's exit code for this error. */
  get exitCode(): number {
    return EXIT_CODES[this.code];
  }

  /** The lines a user sees: what happened, why, what to do next. No stack trace. */
  lines(): string[] {
    const lines = [`error[${this.code}]: ${this.message}`];
    if (this.why !== null) lines.push(`  why:  ${this.why}`);
    this.next.forEach((step, i) => {
      lines.push(`  ${i === 0 ? 'next:' : '     '} ${step}`);
    });
    return lines;
  }
}

/** The text of anything thrown, for a message; a Node error's code is kept (`ECONNREFUSED …`). */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a Node system error (`ECONNREFUSED`), or null. */
export function systemCode(thrown: unknown): string | null {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}
