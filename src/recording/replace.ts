/** A recording that takes another one's place only when it is whole. */
import { realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { messageOf, RmtopError } from '../errors.js';

/** Where a recording is written that is to take the place of `file`: beside it (a link: beside what it leads to), packed as it will be. */
export function besideOf(link: string): string {
  const file = placeOf(link);
  const [, stem = '', ending = ''] =
    /^(.*?)((?:\.rmtop)?(?:\.gz|\.zst)?)$/s.exec(path.basename(file)) ?? [];
  return path.join(path.dirname(file), `.${stem}.${process.pid}.new${ending}`);
}

/** Puts `made`, which holds so many commands, into the place of `file`; one without any goes, and `file` stays. Throws OUTPUT_FAILED. */
export function putInPlace(made: string, file: string, commands: number): boolean {
  if (commands > 0) replaceBy(made, file);
  else rmSync(made, { force: true });
  return commands > 0;
}

/** Puts `made` into the place of `file`. Throws OUTPUT_FAILED, also where a device or a folder would have to give way. */
export function replaceBy(made: string, file: string): void {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
      throw new TypeError('it is no file that could be replaced');
    renameSync(made, placeOf(file));
  } catch (error) {
    throw new RmtopError('OUTPUT_FAILED', `cannot write ${file}`, {
      why: messageOf(error),
      next: [`mv ${made} ${file}        what was recorded is there`],
    });
  }
}

/** The file that a link leads to; what is no link, or leads nowhere yet, is meant itself. */
function placeOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
