/** `y`: on the first screen the address to paste, later a menu of what to copy of the focused command. */
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { clientUrl, commandToJson, explain, splitAddress } from 'rmtop';
import { explainWords, redisCliLine, redisCliReply, shellWord, valueIn } from '../copy-forms.js';
import { openMenu } from '../menu.js';
import type { Model } from '../model.js';
import { quoted } from '../text/quoted.js';
import { ask } from './prompt.js';

/** The environment line that points an application here. */
export function urlLine(model: Model): string {
  return `REDIS_URL=${urlOf(model)}`;
}

/** Where an application finds the proxy. */
export function urlOf(model: Model): string {
  return clientUrl(model.subject.listen);
}

export function startCopy(model: Model): void {
  if (model.isFresh || model.viewport.focused === null)
    model.effects.copy(urlLine(model), urlLine(model));
  else openMenu(model, 'copy');
}

/** `Y`: the same menu, and then a file. */
export function startWrite(model: Model): void {
  if (model.viewport.focused === null) model.toasts.answer('there is no command to write here');
  else openMenu(model, 'write');
}

type Form = {
  /** The key after y, and the name that `:copy` takes. */
  readonly key: string;
  readonly id: string;
  readonly name: string;
  /** What the file is called that it is offered to be saved to, behind the number of the command. */
  readonly ending: string;
  readonly make: (model: Model) => string | Buffer | null;
};

function form(key: string, id: string, name: string, ending: string, make: Form['make']): Form {
  return { key, id, name, ending, make };
}

/** The menu, by its second key. */
export const COPY_FORMS: readonly Form[] = [
  form('y', 'cli', 'redis-cli', '.sh', (model) => cliLine(model, 'upstream')),
  form('p', 'cli-proxy', 'through proxy', '.sh', (model) => cliLine(model, 'proxy')),
  form('k', 'key', 'key', '.key', (model) => latin1(model.focusedFacts()?.keys[0])),
  form('v', 'value', 'value', '.bin', (model) => {
    const facts = model.focusedFacts();
    return facts === null ? null : valueIn(facts);
  }),
  form('r', 'reply', 'reply', '.txt', (model) => {
    const reply = model.focusedFacts()?.reply;
    return reply == null ? null : redisCliReply(reply);
  }),
  form('R', 'resp', 'RESP', '.resp', requestBytes),
  form('j', 'json', 'JSON', '.json', jsonRecord),
  form('d', 'decision', 'decision', '.txt', decisionText),
  form('f', 'filter', 'filter', '.txt', filterText),
  form('x', 'explain', 'explain', '.sh', explainLine),
  form('c', 'last', 'last line', '.txt', (model) => model.diary.list.at(-1)?.line ?? null),
  form('u', 'url', 'URL', '.env', urlLine),
];

/** The second key of the menu. */
export function pickCopy(model: Model, key: string, toFile: boolean): void {
  model.dialog = null;
  const found = COPY_FORMS.find((each) => each.key === key);
  if (found === undefined) return;
  const problem = toFile ? askFile(model, found) : copyForm(model, found.id);
  if (problem !== null) model.toasts.answer(problem);
}

/** Copies the command in focus in form `id`; gives what is wrong instead. */
export function copyForm(model: Model, id: string): string | null {
  const made = makeForm(model, id);
  if (typeof made === 'string') return made;
  model.effects.copy(made.content, made.form.name);
  return null;
}

/** Writes it to a new file; gives what is wrong instead. */
export function saveForm(model: Model, id: string, file: string): string | null {
  const made = makeForm(model, id);
  if (typeof made === 'string') return made;
  const { content } = made;
  return writeNew(model, file, typeof content === 'string' ? `${content}\n` : content);
}

function makeForm(
  model: Model,
  id: string,
): { readonly form: Form; readonly content: string | Buffer } | string {
  const found = COPY_FORMS.find((each) => each.id === id);
  if (found === undefined) return COPY_FORMS.map((each) => each.id).join(', ');
  const content = found.make(model);
  return content === null ? `there is no ${found.name} to copy here` : { form: found, content };
}

function askFile(model: Model, { id, ending, name }: Form): string | null {
  const made = makeForm(model, id);
  if (typeof made === 'string') return made;
  const start = `rmtop-${model.viewport.focus ?? 0}${ending}`;
  ask(model, `${name} to`, start, newFile, (file) => saveForm(model, id, file));
  return null;
}

/** `b`: asks where to put the bytes of the reply. */
export function askSaveReply(model: Model): void {
  const bytes = replyBytes(model);
  if (bytes === null) {
    model.toasts.answer('there is no reply to save here');
    return;
  }
  const start = `rmtop-${model.viewport.focus ?? 0}.reply`;
  const about = `${bytes.length.toLocaleString('en-US')} bytes${bytes.whole ? '' : ', the head of it'}`;
  ask(
    model,
    'reply to',
    start,
    () => about,
    (file) => perform(model, file),
  );

  function perform(on: Model, file: string): string | null {
    const problem = saveReply(on, file);
    if (problem === null) on.did(`save-reply ${file}`);
    return problem;
  }
}

/** Writes the reply's bytes to a new file: those of the value where it is one string, else the reply as it was on the wire. */
export function saveReply(model: Model, file: string): string | null {
  const reply = replyBytes(model);
  return reply === null ? 'there is no reply to save here' : writeNew(model, file, reply.bytes);
}

function replyBytes(
  model: Model,
): { readonly bytes: Buffer; readonly length: number; readonly whole: boolean } | null {
  const facts = model.focusedFacts();
  const kept = facts?.event?.reply;
  const reply = facts?.reply ?? null;
  if (kept === undefined || kept.bytes.length === 0 || reply === null) return null;
  const isString = reply.type === '$' || reply.type === '+';
  if (kept.condensed && !isString) return null;
  const bytes = isString ? reply.value : kept.bytes;
  return { bytes, length: bytes.length, whole: !kept.condensed };
}

function newFile(): string {
  return 'a new file, for you alone';
}

/** Writes a file that only its owner can read; one that is there is left alone. */
export function writeNew(model: Model, file: string, content: string | Buffer): string | null {
  const name = file.startsWith('~/') ? path.join(homedir(), file.slice(2)) : file;
  if (name === '') return 'which file?';
  try {
    writeFileSync(name, content, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EEXIST'
      ? 'there is a file of that name already: choose another'
      : `cannot write ${file}: ${code}`;
  }
  model.toasts.answer(`${Buffer.byteLength(content).toLocaleString('en-US')} bytes in ${file}`);
  return null;
}

/** The request as it was on the wire; null where some of it was not kept. */
function requestBytes(model: Model): Buffer | null {
  const request = model.focusedFacts()?.event?.request;
  return request === undefined || request.condensed ? null : request.bytes;
}

/** The line that a recording has of it. */
function jsonRecord(model: Model): string | null {
  const event = model.focusedFacts()?.event ?? null;
  return event === null ? null : JSON.stringify(commandToJson(event, model.feed.context));
}

function latin1(bytes: string | undefined): Buffer | null {
  return bytes === undefined ? null : Buffer.from(bytes, 'latin1');
}

function cliLine(model: Model, to: 'upstream' | 'proxy'): string | null {
  const facts = model.focusedFacts();
  if (facts === null || facts.event === null || facts.event.args.some((arg) => arg.kind === 'cut'))
    return null;
  if (to === 'proxy') {
    const { host, port } = model.subject.listen;
    return redisCliLine(facts.event.args, host === '0.0.0.0' ? '127.0.0.1' : host, port);
  }
  const [node] = facts.nodes;
  if (node === undefined) return null;
  const servers = Object.values(model.feed.topologyEvent?.upstreams ?? {}).flatMap(
    (state) => state.servers,
  );
  const dialled =
    servers.find((server) => server.address === node.address)?.dialled ?? node.address;
  const address = splitAddress(dialled);
  return address === null ? null : redisCliLine(facts.event.args, address.host, address.port);
}

function decisionText(model: Model): string | null {
  const facts = model.focusedFacts();
  const { decision, topology, event } = facts ?? {
    decision: null,
    topology: undefined,
    event: null,
  };
  const config = decision === null ? undefined : model.feed.config(decision.configVersion);
  if (event === null || decision === null || topology === undefined || config === undefined)
    return null;
  return explain(event.command, decision, topology, config.config)
    .map((line) => `${line.stage.padEnd(7)}${line.text}`)
    .join('\n');
}

function filterText(model: Model): string | null {
  const facts = model.focusedFacts();
  if (facts === null) return null;
  const [key] = facts.keys;
  return `cmd=${quoted(facts.name)}${key === undefined ? '' : ` & key=${quoted(key)}`}`;
}

function explainLine(model: Model): string | null {
  const event = model.focusedFacts()?.event ?? null;
  const words = event === null ? null : explainWords(event.args);
  return words === null
    ? null
    : `rmtop explain ${words} -u ${shellWord(Buffer.from(model.subject.label))}`;
}
