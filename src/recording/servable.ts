/** Files → a script, or why there is none. */
import { RmtopError } from '../errors.js';
import type { Filter } from '../filter/filter.js';
import { openRecording, type RecordingHeader, type RecordingSummary } from './reader.js';
import { compileRedactRules, redactRulesOf } from './redact-rules.js';
import { type Script, ScriptReader } from './script.js';
import { Selection } from './select.js';

/** A script, and the state of the file that it was read from. */
export type Servable = {
  readonly script: Script;
  readonly summary: RecordingSummary;
  readonly header: RecordingHeader;
};

/**
 * Reads what `file` can answer; only the commands that fit `filter`. Throws as `openRecording`, and REC_NO_REPLIES for a recording that
 * was made without replies, or holds nothing to answer.
 */
export async function readServable(
  file: string,
  options: {
    readonly filter?: Filter | null;
    readonly strict?: boolean;
    /** Nothing to answer is fine: what is missing will be added. */
    readonly mayBeEmpty?: boolean;
  } = {},
): Promise<Servable> {
  const reader = await openRecording(file, { strict: options.strict === true });
  const selection = new Selection(reader, options.filter ?? null);
  const script = new ScriptReader();
  for await (const entries of reader.batches())
    for (const entry of entries)
      if (entry.event !== null && selection.wants(entry)) script.add(entry.event, entry.text);
  const found = script.script(compileRedactRules(redactRulesOf(reader.header)));
  const { capture } = reader.header;
  if (capture === 'args' || capture === 'keys')
    throw noReplies(file, `it was recorded with --capture ${capture}`);
  if (
    options.mayBeEmpty !== true &&
    found.spoken.every(({ reply, injected }) => reply === null && injected === null)
  )
    throw noReplies(
      file,
      found.spoken.length === 0 ? 'it holds no command that is answered from it' : null,
    );
  return { script: found, summary: reader.summary(), header: reader.header };
}

function noReplies(file: string, why: string | null): RmtopError {
  return new RmtopError('REC_NO_REPLIES', `${file} has no replies to serve`, {
    why,
    next: ['rmtop record -o FILE.rmtop -u HOST:PORT        keeps them'],
  });
}
