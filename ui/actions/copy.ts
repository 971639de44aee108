/** `y`: on the first screen the address to paste, later a menu of what to copy of the focused command. */
import { explain, splitAddress } from 'rmtop';
import { redisCliLine, redisCliReply, valueIn } from '../copy-forms.js';
import type { Model } from '../model.js';
import { quoted } from '../text/quoted.js';

/** The environment line that points an application here. */
export function urlLine(model: Model): string {
  const { host, port } = model.subject.listen;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `REDIS_URL=redis://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

export function startCopy(model: Model): void {
  if (model.isFresh || model.viewport.focused === null)
    model.effects.copy(urlLine(model), urlLine(model));
  else model.dialog = { kind: 'copy' };
}

type Form = {
  readonly key: string;
  readonly name: string;
  readonly make: (model: Model) => string | Buffer | null;
};

/** The menu, by its second key. */
export const COPY_FORMS: readonly Form[] = [
  { key: 'y', name: 'redis-cli', make: (model) => cliLine(model, 'upstream') },
  { key: 'p', name: 'through proxy', make: (model) => cliLine(model, 'proxy') },
  { key: 'k', name: 'key', make: (model) => latin1(model.focusedFacts()?.keys[0]) },
  {
    key: 'v',
    name: 'value',
    make: (model) => {
      const facts = model.focusedFacts();
      return facts === null ? null : valueIn(facts);
    },
  },
  {
    key: 'r',
    name: 'reply',
    make: (model) => {
      const reply = model.focusedFacts()?.reply;
      return reply == null ? null : redisCliReply(reply);
    },
  },
  { key: 'R', name: 'RESP', make: (model) => model.focusedFacts()?.event?.request.bytes ?? null },
  { key: 'd', name: 'decision', make: decisionText },
  { key: 'f', name: 'filter', make: filterText },
  { key: 'x', name: 'explain', make: explainLine },
  { key: 'u', name: 'URL', make: urlLine },
];

/** The second key of the menu. */
export function pickCopy(model: Model, key: string): void {
  model.dialog = null;
  const form = COPY_FORMS.find((each) => each.key === key);
  if (form === undefined) return;
  const copied = form.make(model);
  if (copied === null) model.toasts.answer(`there is no ${form.name} to copy here`);
  else model.effects.copy(copied, form.name);
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
  if (event === null || event.args.some((arg) => arg.kind !== 'whole')) return null;
  const line = redisCliLine(event.args, '', 0).replace(/^redis-cli -h {2}-p 0 /, '');
  return `rmtop explain ${line} -u ${model.subject.label}`;
}
