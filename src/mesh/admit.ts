/**
 * The checks before anything is routed, in Envoy's order (mesh page, 2.1): what is unknown, what needs a login, what the proxy answers
 * by itself, what has too few words.
 */
import type { Command } from '../commands/command.js';
import type { MeshClass } from '../commands/table.js';
import type { CompiledConfig } from './compile.js';
import type { LocalReply, RefusalCode } from './decision.js';

/** An answer or a refusal; null: go on and route it. */
export type Admission =
  | { readonly kind: 'answer'; readonly reply: LocalReply }
  | { readonly kind: 'refuse'; readonly error: RefusalCode }
  | null;

/** Commands that may come without arguments: Envoy's list, and the local ones that are answered before it is looked at. */
const MAY_BE_ALONE: ReadonlySet<string> = new Set(
  'PING TIME FLUSHALL FLUSHDB RANDOMKEY QUIT ROLE INFO MULTI EXEC DISCARD UNWATCH HELLO'.split(' '),
);

/** Up to 1.39 QUIT came after the auth gate. */
const QUIT_BEFORE_AUTH_SINCE = 40;

/** Since when these may be queued in a transaction (mesh page, 0). */
const MULTI_KEY_IN_TRANSACTION_SINCE = 34;
const CUSTOM_IN_TRANSACTION_SINCE = 39;

const BEFORE_HELLO: ReadonlySet<string> = new Set(['HELLO', 'AUTH', 'QUIT']);

/** The class of a command at this level, a custom command being a simple one; null: unknown to this Envoy. */
export function classOf(command: Command, config: CompiledConfig): MeshClass | null {
  const { spec } = command;
  const known = spec === undefined ? null : (config.classes[spec.id] ?? null);
  if (config.custom.size === 0 || (known !== null && known !== 'local')) return known;
  if (known === 'local' && !isClient(command)) return known;
  return config.custom.has(command.nameAsSent.toLowerCase()) ? 'simple' : known;
}

/** Step 1 of 2.1: a RESP3 listener hears nothing before HELLO 3 but HELLO itself, AUTH and QUIT. */
export function lacksHello(command: Command, config: CompiledConfig): boolean {
  return (
    config.settings.protocolVersion === 3 &&
    command.session.resp !== 3 &&
    !BEFORE_HELLO.has(command.spec?.name ?? '')
  );
}

/** Steps 3 to 14 of 2.1 but the transaction's own commands, which `decide` knows. */
export function admit(command: Command, kind: MeshClass | null, config: CompiledConfig): Admission {
  const { session, argc } = command;
  if (kind === null) return refuse('unknown-command');
  if (kind === 'local') return admitLocal(command, config);
  if (!session.authenticated) return refuse('noauth');
  if (kind === 'scan' && argc < 2) return refuse('err-wrong-arity');
  if (argc === 1 && !MAY_BE_ALONE.has(command.spec?.name ?? '')) return refuse('invalid-request');
  // What is queued goes to its server as it is: the checks of its class are those of the handler it would have had outside.
  if (session.multi)
    return mayBeQueued(command, kind, config) ? null : refuse('not-in-transaction');
  return admitByClass(command, kind, config);
}

function admitLocal(command: Command, config: CompiledConfig): Admission {
  const { session, argc } = command;
  const name = command.spec?.parent ?? command.spec?.name;
  switch (name) {
    case 'AUTH':
      return argc < 2 ? refuse('invalid-request') : answer('auth');
    case 'HELLO':
      return session.multi ? refuse('not-in-transaction') : answer('hello');
    case 'QUIT':
      if (!session.authenticated && config.envoy < QUIT_BEFORE_AUTH_SINCE) return refuse('noauth');
      return answer('quit');
    default:
      break;
  }
  if (!session.authenticated) return refuse('noauth');
  switch (name) {
    case 'CLIENT':
      return admitClient(command);
    case 'PING':
      return answer('pong');
    case 'ECHO':
      return argc === 2 ? answer('echo') : refuse('invalid-request');
    default:
      return answer('time');
  }
}

/** CLIENT SETNAME and SETINFO are accepted and forgotten (2.10). */
function admitClient(command: Command): Admission {
  if (command.argc < 2) return refuse('invalid-request');
  if (command.session.multi) return refuse('not-in-transaction');
  const { spec } = command;
  if (spec === undefined || spec.parent === null) return refuse('client-subcommand');
  return command.argc === spec.arity ? answer('ok') : refuse('client-arity');
}

/** Too few words for commands whose key is not element 1, and subcommands that Envoy does not know. */
function admitByClass(command: Command, kind: MeshClass, config: CompiledConfig): Admission {
  const { argc, spec } = command;
  switch (kind) {
    case 'eval':
      return argc < 4 ? refuse('wrong-arity') : null;
    case 'object':
      return argc < 3 ? refuse('wrong-arity') : null;
    case 'mset':
      return argc % 2 === 0 ? refuse('wrong-arity') : null;
    case 'info-shard':
      return argc > 3 ? refuse('wrong-arity') : null;
    case 'everywhere':
      if (spec?.name === 'HELLO') return admitOldHello(command);
      return spec?.merge === null && spec.container ? refuse('cluster-scope') : null;
    case 'any-shard':
      if (spec?.container || (spec !== undefined && config.envoy < spec.since))
        return refuse('cluster-subcommand');
      return null;
    default:
      return null;
  }
}

/** HELLO from 1.37 to 1.39: RESP2 only, no options. */
function admitOldHello(command: Command): Admission {
  if (command.argc > 1 && command.text(1) !== '2') return refuse('noproto');
  return command.argc > 2 ? refuse('hello-options') : null;
}

/** Step 14: what may stand between MULTI and EXEC. */
function mayBeQueued(command: Command, kind: MeshClass, config: CompiledConfig): boolean {
  switch (kind) {
    case 'simple': {
      const isCustom = command.spec === undefined || config.classes[command.spec.id] !== 'simple';
      return !isCustom || config.envoy >= CUSTOM_IN_TRANSACTION_SINCE;
    }
    case 'mget':
    case 'mset':
    case 'sum':
      return command.spec?.name !== 'EXISTS' && config.envoy >= MULTI_KEY_IN_TRANSACTION_SINCE;
    case 'transaction':
      return true;
    default:
      return false;
  }
}

function isClient(command: Command): boolean {
  return (command.spec?.parent ?? command.spec?.name) === 'CLIENT';
}

function answer(reply: LocalReply): Admission {
  return { kind: 'answer', reply };
}

function refuse(error: RefusalCode): Admission {
  return { kind: 'refuse', error };
}
