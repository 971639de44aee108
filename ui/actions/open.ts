/** `L` and `:open`: another recording on the screen, and the way back. */
import { readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { messageOf, RmtopError } from 'rmtop';
import { openMenu } from '../menu.js';
import type { Model } from '../model.js';

const IS_RECORDING = /\.rmtop(\.gz|\.zst)?$/;
/** Names that are offered, at most. */
const MOST_NAMES = 200;

/** `L`: the recordings here are offered. */
export function askOpen(model: Model): void {
  openMenu(model, 'palette', 'open ');
}

/** `~/a` as the shell would have it. */
function expanded(file: string): string {
  return file.startsWith('~/') ? path.join(homedir(), file.slice(2)) : file;
}

/** Recordings that what is typed may become, the newest first; then folders, once something is typed. */
export function recordingsAt(typed: string): readonly string[] {
  const folder = typed.slice(0, typed.lastIndexOf('/') + 1);
  try {
    const here = readdirSync(expanded(folder) || '.', { withFileTypes: true });
    const files = here
      .filter((each) => !each.isDirectory() && IS_RECORDING.test(each.name))
      .map(({ name }) => ({ name, ms: timeOf(path.join(expanded(folder), name)) }))
      .sort((a, b) => b.ms - a.ms);
    const folders = here.filter(
      (each) => each.isDirectory() && !each.name.startsWith('.') && typed !== '',
    );
    return [
      ...files.map(({ name }) => folder + name),
      ...folders.map(({ name }) => `${folder + name}/`),
    ].slice(0, MOST_NAMES);
  } catch {
    return [];
  }
}

function timeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** One file, whatever its name, or several with blanks between them. */
function filesIn(text: string): readonly string[] {
  const whole = expanded(text);
  return isThere(whole) ? [whole] : text.split(/\s+/).map(expanded);
}

function isThere(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Opens the recording `text` names; gives what is wrong at first sight. What is wrong within is said later. */
export function openRecording(model: Model, text: string): string | null {
  const files = filesIn(text);
  for (const file of files) {
    const about = statSync(file, { throwIfNoEntry: false });
    if (about === undefined) return `there is no file ${file}`;
    if (about.isDirectory()) return `${file} is a folder`;
  }
  model.toasts.answer(`opening ${text} ...`);
  model.effects
    .open(files)
    .catch((error: unknown) => {
      const why =
        error instanceof RmtopError
          ? [error.message, error.why].filter(Boolean).join(': ')
          : messageOf(error);
      model.toasts.say('error', why, null);
    })
    .finally(model.effects.changed);
  return null;
}

/** Back to what is behind the recording; false: there is nothing. */
export function leaveRecording(model: Model): boolean {
  if (model.behind === null) return false;
  model.effects.leave();
  return true;
}
