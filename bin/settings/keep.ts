/** Writing a setting into a file; what else is in it, comments among it, stays as it is. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';
import { hasPassword, isSecretName } from './secrets.js';

/** What came of it. */
export type Kept =
  | { readonly kind: 'kept'; readonly file: string }
  | { readonly kind: 'problem'; readonly message: string };

const OWNER_ONLY = 0o600;
/** The first line of a new file, for whoever opens it in an editor. */
const HEAD = ' Settings of rmtop; `rmtop config --schema` prints their JSON Schema';

/** Sets what `keys` lead to in `file`, or takes it out (null); the file is made if there is none: readable for its owner only. */
export function keepSetting(
  file: string,
  keys: readonly string[],
  value: string | boolean | readonly string[] | null,
): Kept {
  if (keys.some(isSecretName) || hasPassword(String(value)))
    return { kind: 'problem', message: 'it looks like a secret, and settings files hold none' };
  try {
    // What is a link stays one: the file behind it is the one that is written.
    if (existsSync(file)) file = realpathSync(file);
    const isNew = !existsSync(file);
    const document = parseDocument(isNew ? '' : readFileSync(file, 'utf8'));
    if (isNew) document.commentBefore = HEAD;
    if (document.errors.length > 0) return { kind: 'problem', message: `${file} is not YAML` };
    if (value === null) {
      if (document.hasIn(keys)) document.deleteIn(keys);
    } else document.setIn(keys, document.createNode(value));
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    // In one step: a file that is half written would be an error at the next start.
    const next = `${file}.new`;
    writeFileSync(next, String(document), { mode: OWNER_ONLY });
    // A file that a team shares stays readable for it.
    chmodSync(next, isNew ? OWNER_ONLY : statSync(file).mode & 0o777);
    renameSync(next, file);
    return { kind: 'kept', file };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { kind: 'problem', message: `cannot write ${file}: ${code ?? String(error)}` };
  }
}
