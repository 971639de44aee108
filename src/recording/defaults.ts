/** What a recording is like unless somebody says otherwise (recording page, 4.5). */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { HeaderInfo } from './others.js';
import { headerOf, REDACT_AUTH, type RedactOptions } from './redact.js';
import type { WriterOptions } from './writer.js';

/** The recording format's own limits, in bytes. */
export const RECORD_KEEP = { value: 1_048_576, record: 8_388_608 } as const;
/** Commands that take longer are announced while they run. */
export const PENDING_MS = 250;

/** The package's version. */
export function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** A header of a new recording: an id that hardly comes twice, this rmtop, and what `more` says. */
export function newHeader(more: Partial<HeaderInfo> = {}): HeaderInfo {
  const time = Math.floor(Date.now() / 1000)
    .toString(36)
    .toUpperCase();
  return {
    id: time + randomBytes(2).toString('hex').toUpperCase(),
    tool: `rmtop ${packageVersion()}`,
    cut: RECORD_KEEP,
    pendMs: PENDING_MS,
    redact: { mode: 'auth', key: 'none' },
    capture: 'replies',
    filter: '',
    ...more,
  };
}

/** A writer of everything into `file`, as long as it will be; only the commands that fit `filter`, without what `redact` says. */
export function plainWriter(
  file: string,
  filter = '',
  redact: RedactOptions = REDACT_AUTH,
): WriterOptions {
  return {
    sink: {
      kind: 'file',
      path: file,
      sync: 'never',
      maxBytes: null,
      rotateBytes: null,
      rotateMs: null,
      keepParts: null,
    },
    header: newHeader({ filter, redact: headerOf(redact) }),
    filter,
    redact,
    lossy: false,
  };
}
