/** `rmtop check FILE` of a recording: is it whole, what secrets does it hold, can each decision be made again? */
import { type Audit, auditRecording, isOfRing, type RecordingReader, redactRulesOf } from 'rmtop';
import { openFile } from '../recording-files.js';

/** One thing that is wrong with a recording (error), or that limits what it is good for (warning, info). */
export type RecordingFinding = {
  readonly level: 'error' | 'warning' | 'info';
  readonly code: RecordingCode;
  readonly message: string;
  readonly advice: string | null;
};

/** Stable, for programs that read `--json`. */
export type RecordingCode =
  | 'REC-TORN'
  | 'REC-DAMAGED'
  | 'REC-ENDED'
  | 'REC-DROPPED'
  | 'REC-MISSING'
  | 'REC-SECRET'
  | 'REC-LOOKS-SECRET'
  | 'REC-LAW'
  | 'REC-UNDECIDABLE'
  | 'REC-LIMIT'
  | 'REC-CUT'
  | 'REC-CAPTURE'
  | 'REC-VALUES'
  | 'REC-PART'
  | 'REC-RING'
  | 'REC-SNAPSHOT';

/** The report; `v` counts its changes. Times are seconds. It holds no value of the recording. */
export type RecordingReport = {
  readonly v: 1;
  readonly recording: string;
  readonly ok: boolean;
  readonly tool: string;
  readonly started: string;
  readonly commands: number;
  readonly seconds: number;
  readonly clients: number;
  /** How it ended: `quit`, `rotate`, `limit`, `signal`, `flush` (what a ring held); null: badly. */
  readonly ended: string | null;
  readonly redaction: string;
  readonly capture: string;
  readonly redacted: number;
  readonly cut: number;
  readonly decided: number;
  /** How many values look like secrets; left out where nobody looked. */
  readonly secretLooking?: number;
  readonly findings: readonly RecordingFinding[];
};

/** Reads the recording and reports; `looks`: also what looks like a secret. Throws what reading throws. */
export async function checkRecording(file: string, looks = false): Promise<RecordingReport> {
  const reader = await openFile(file);
  const audit = await auditRecording(reader, looks);
  const { header } = reader;
  const findings = [
    ...incomplete(audit, reader),
    ...secrets(file, audit),
    ...secretLooking(audit),
    ...lawBreaks(audit),
    ...worthKnowing(audit, reader),
  ];
  const { summary } = audit;
  return {
    v: 1,
    recording: file,
    ok: findings.every(({ level }) => level !== 'error'),
    tool: String(header.tool ?? ''),
    started: String(header.t0 ?? ''),
    commands: summary.commands,
    seconds: summary.lastUs / 1e6,
    clients: audit.clients,
    ended: endOf(audit),
    redaction: redactionOf(reader),
    capture: captureOf(reader),
    redacted: audit.redacted,
    cut: audit.cut,
    decided: audit.decided,
    ...(audit.secretLooking === null ? {} : { secretLooking: audit.secretLooking.count }),
    findings,
  };
}

function endOf({ summary }: Audit): string | null {
  return summary.fin === null ? null : String(summary.fin.why ?? 'quit');
}

function redactionOf({ header }: RecordingReader): string {
  const { redact } = header;
  const mode =
    typeof redact === 'object' && redact !== null && 'mode' in redact
      ? String(redact.mode)
      : 'none';
  const rules = redactRulesOf(header).length;
  return rules === 0 ? mode : `${mode} and ${rules} rule${rules === 1 ? '' : 's'}`;
}

function captureOf({ header }: RecordingReader): string {
  return typeof header.capture === 'string' ? header.capture : 'replies';
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;
}

/** `3, 7, 12 …` */
function some(numbers: readonly (number | string)[], of: number): string {
  return `${numbers.slice(0, 5).join(', ')}${of > 5 ? ' …' : ''}`;
}

function error(code: RecordingCode, message: string, advice: string | null): RecordingFinding {
  return { level: 'error', code, message, advice };
}

function incomplete({ summary, missing }: Audit, { header }: RecordingReader): RecordingFinding[] {
  const { torn, damaged, damagedCount, dropped, fin, running, lastUs } = summary;
  const found: RecordingFinding[] = [];
  if (torn !== null)
    found.push(
      error('REC-TORN', `the end is torn: ${torn} cannot be read`, 'all before it can be used'),
    );
  if (damagedCount > 0)
    found.push(
      error(
        'REC-DAMAGED',
        `${count(damagedCount, 'line is', 'lines are')} damaged and passed over: ${some(damaged, damagedCount)}`,
        'a copy of the file from where it was recorded',
      ),
    );
  if (fin === null) {
    const were = running.map(({ seq, name }) => `#${seq} ${name}`);
    const open =
      were.length === 0
        ? ''
        : `, while ${count(were.length, 'command')} ran: ${some(were, were.length)}`;
    found.push(
      error(
        'REC-ENDED',
        `it ended badly, or is still being written: it stops at ${(lastUs / 1e6).toFixed(1)} s${open}`,
        null,
      ),
    );
  }
  if (dropped > 0)
    found.push(
      error(
        'REC-DROPPED',
        `${count(dropped, 'command was', 'commands were')} not recorded`,
        'record without --lossy, and on a disk with room',
      ),
    );
  if (missing > 0)
    found.push(
      error(
        'REC-MISSING',
        `${count(missing, 'number of a command is', 'numbers of commands are')} neither here nor told to be dropped: lines were taken out`,
        header.fixture === true ? null : 'rmtop cat FILE --fixture numbers what is left',
      ),
    );
  return found;
}

function secrets(file: string, audit: Audit): RecordingFinding[] {
  const { first } = audit.secrets;
  if (audit.secrets.count === 0) return [];
  const where = first.map(({ line, where: what }) => `line ${line} ${what}`);
  return [
    error(
      'REC-SECRET',
      `${count(audit.secrets.count, 'secret stands', 'secrets stand')} in it: ${some(where, audit.secrets.count)}`,
      `rmtop's recorder removes these: change the passwords, and delete ${file} and its copies`,
    ),
  ];
}

function secretLooking({ secretLooking: found }: Audit): RecordingFinding[] {
  if (found === null || found.count === 0) return [];
  const where = found.first.map(({ line, where: what }) => `line ${line} ${what}`);
  const looks = count(found.count, 'value looks like a secret', 'values look like secrets');
  return [
    {
      level: 'warning',
      code: 'REC-LOOKS-SECRET',
      message: `${looks}: ${some(where, found.count)}`,
      advice: 'rmtop cat FILE --redact values --json > CLEAN.rmtop takes all values out',
    },
  ];
}

function lawBreaks({ broken, undecidable }: Audit): RecordingFinding[] {
  const found: RecordingFinding[] = [];
  if (broken.count > 0) {
    const which = broken.first.map(({ n, field }) => `#${n} (${field})`);
    found.push(
      error(
        'REC-LAW',
        `${count(broken.count, 'command decides', 'commands decide')} otherwise than recorded: ${some(which, broken.count)}`,
        'it was edited, or recorded by an rmtop that knew another mesh: rmtop explain shows today’s way',
      ),
    );
  }
  if (undecidable > 0)
    found.push(
      error(
        'REC-UNDECIDABLE',
        `${count(undecidable, 'command')} cannot be decided again: no configuration or no servers stand before ${undecidable === 1 ? 'it' : 'them'}`,
        'is the beginning of the file missing?',
      ),
    );
  return found;
}

function worthKnowing(audit: Audit, reader: RecordingReader): RecordingFinding[] {
  const { header } = reader;
  const found: RecordingFinding[] = [];
  const add = (
    level: 'warning' | 'info',
    code: RecordingCode,
    message: string,
    advice: string | null = null,
  ): void => void found.push({ level, code, message, advice });
  if (endOf(audit) === 'limit')
    add('warning', 'REC-LIMIT', 'it stopped at its size limit, not with the session');
  if (audit.cut > 0)
    add(
      'warning',
      'REC-CUT',
      `${count(audit.cut, 'command has', 'commands have')} a value that was cut: it cannot be replayed or served whole`,
      'rmtop record --full keeps values of any size',
    );
  const capture = captureOf(reader);
  if (header.src !== undefined)
    add(
      'info',
      'REC-CAPTURE',
      `imported from ${String(header.src)}: it has no replies to compare or serve`,
    );
  else if (capture !== 'replies')
    add(
      'info',
      'REC-CAPTURE',
      capture === 'args'
        ? 'recorded without replies: it can be replayed, not compared or served'
        : 'recorded with keys only: its decisions can be checked, nothing can be replayed',
    );
  if (header.part !== 1 || endOf(audit) === 'rotate')
    add(
      'info',
      'REC-PART',
      `part ${String(header.part)} of a rotated recording: numbers are not checked for gaps`,
    );
  if (isOfRing(header))
    add(
      'info',
      'REC-RING',
      'what a ring held: it begins in the middle, so numbers are not checked for gaps',
    );
  if (audit.saved + audit.notSaved > 0)
    add(
      'info',
      'REC-SNAPSHOT',
      `a snapshot of ${count(audit.saved, 'key')}${audit.notSaved === 0 ? '' : `; of ${count(audit.notSaved, 'other', 'others')} it is not known what they held`}`,
      'a replay puts them back first',
    );
  if (!redactionOf(reader).startsWith('values') && capture !== 'keys')
    add(
      'info',
      'REC-VALUES',
      redactionOf(reader) === 'auth'
        ? 'passwords are removed, and all other values are in it'
        : `redacted ${redactionOf(reader)}: other values are in it`,
      'rmtop record --redact values leaves them out',
    );
  return found;
}
