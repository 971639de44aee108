/**
 * Values that look like secrets, by the forms that those who issue them give them: what `rmtop check --secrets` looks for, beyond the
 * arguments that Redis itself takes for secrets, which are removed where a command is recorded.
 *
 * An own short table and no scanner of repositories such as secretlint: those read files by their names and bring some forty packages.
 */
import { bytesFromJson, isJsonObject, type Json, type JsonObject } from './values.js';

/** A kind of secret: its name for people, and what it looks like. Each form is long or marked enough that ordinary words do not fit. */
type Form = { readonly name: string; readonly form: RegExp };

const FORMS: readonly Form[] = [
  { name: 'a private key', form: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/ },
  { name: 'a JSON Web Token', form: /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/ },
  { name: 'an AWS access key', form: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/ },
  { name: 'a GitHub token', form: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{50,})/ },
  { name: 'a GitLab token', form: /\bglpat-[\w-]{20,}/ },
  { name: 'a Slack token', form: /\bxox[abeoprs]-[\w-]{10,}/ },
  { name: 'a Stripe key', form: /\b[rs]k_live_[A-Za-z0-9]{16,}/ },
  { name: 'a Google API key', form: /\bAIza[\w-]{35}/ },
  { name: 'an npm token', form: /\bnpm_[A-Za-z0-9]{36}\b/ },
  { name: 'an API key', form: /\bsk-(?:[a-z]+-)*[\w-]{32,}/ },
  { name: 'a password in a URL', form: /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']*:[^\s/@"']+@[^\s/"']/i },
  { name: 'a login of HTTP', form: /\b(?:Bearer|Basic) +[\w.+/~-]{16,}=*/ },
  {
    name: 'a named password',
    form: /["']?\b(?:\w*[_-])?(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?token|refresh[_-]?token|client[_-]?secret|private[_-]?key)["']?\s*[:=]\s*["']?(?!(?:null|none|true|false)\b)[^\s"',;&}\]<*]{4,}/i,
  },
];

/** Names of fields, settings and parameters whose value is a secret. */
const SECRET_NAME =
  /^(?:.*[_.:-])?(?:password|passwd|passphrase|secret|secret[_-]?key|api[_-]?key|private[_-]?key|(?:access|refresh|auth|id)[_-]?token)$/i;

/** What a text looks like; null for nothing that is known. */
export function looksSecret(text: string): string | null {
  return FORMS.find(({ form }) => form.test(text))?.name ?? null;
}

/** The parts of a line that look like secrets, as `SET argument 2: a private key`; never what they are. */
export function secretLooking(json: JsonObject): string[] {
  const { a, ao, r, k, ...others } = json;
  if (k !== 'cmd' && k !== 'pend') {
    const name = lookInto({ ...others, ...(r === undefined ? {} : { r }) });
    return name === null
      ? []
      : [`${k === 'rmtop' ? 'the header' : `a ${String(k)} line`}: ${name}`];
  }
  const args = Array.isArray(a) ? (a as readonly Json[]) : [];
  const name = String(args[0]).toUpperCase();
  const found: string[] = [];
  const add = (where: string, what: string | null): void => {
    if (what !== null) found.push(`${name} ${where}: ${what}`);
  };
  args.forEach((arg, i) => {
    add(`argument ${i}`, lookInto(arg) ?? named(args[i - 1], arg));
  });
  if (ao !== undefined) add('as it was received', lookInto(ao));
  // HGET has the name of what it asks for; other replies have their own names.
  if (r !== undefined) add('reply', lookInto(r) ?? (name === 'HGET' ? named(args[2], r) : null));
  return found;
}

function lookInto(value: Json): string | null {
  if (typeof value === 'string') return looksSecret(value);
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    return first(items, (item, i) => lookInto(item) ?? named(items[i - 1], item));
  }
  if (!isJsonObject(value)) return null;
  if (value.b64 !== undefined) return looksSecret(bytesFromJson(value)?.toString('latin1') ?? '');
  return first(
    Object.entries(value),
    ([name, each]) => lookInto(each as Json) ?? named(name, each),
  );
}

const SHORTEST = 4;

/** A value that its name says is a secret. */
function named(name: Json | undefined, value: Json | undefined): string | null {
  return typeof name === 'string' &&
    typeof value === 'string' &&
    value.length >= SHORTEST &&
    SECRET_NAME.test(name)
    ? `what is called ${name.toLowerCase().replace(/^.*[^a-z_-]/, '')}`
    : null;
}

function first<T>(items: readonly T[], look: (item: T, i: number) => string | null): string | null {
  for (const [i, item] of items.entries()) {
    const found = look(item, i);
    if (found !== null) return found;
  }
  return null;
}
