/** `rmtop explain COMMAND…`: what the mesh would do with a command, or with each of a file, without sending it. */
import { readFileSync } from 'node:fs';
import { Command as Cli } from 'commander';
import {
  aliasOf,
  Command,
  type CompiledConfig,
  compileConfig,
  type Decision,
  decide,
  explain,
  messageOf,
  partsOf,
  printable,
  REQUEST,
  RequestParser,
  RmtopError,
  refusalText,
  scopedRng,
  seededRng,
  type Topology,
} from 'rmtop';
import { discover } from '../discover.js';
import { sayOnStderr } from '../headless.js';
import { type ProxyFlags, withProxyFlags } from '../options.js';
import { type PlannedProxy, planOf } from '../plan.js';
import { withSettings } from '../settings/apply.js';

type ExplainFlags = ProxyFlags & {
  readonly json?: boolean;
  readonly from?: string;
};

export function explainCommand(): Cli {
  const command = new Cli('explain')
    .description(
      'print where a command would go, and why; nothing is sent but the question for the topology',
    )
    .argument('[command...]', 'the command and its arguments, or a key alone')
    .option('--from <file>', 'explain each command of a file, a line each; - is stdin')
    .option('--json', 'print the Decision as JSON')
    .passThroughOptions(false);
  withSettings(withProxyFlags(command), ['proxy']);
  return command.action(async (words: string[], flags: ExplainFlags) => {
    if (words.length === 0 && flags.from === undefined) {
      throw new RmtopError('USAGE', 'explain what?', {
        next: ['rmtop explain GET cart:{42}:items', 'rmtop explain --from commands.txt'],
      });
    }
    const commands = flags.from === undefined ? [commandOf(words)] : commandsIn(flags.from);
    const planned = planOf({ ...flags, watch: false });
    for (const note of planned.notes) sayOnStderr(note);
    const lines: string[] = [];
    for (const proxy of planned.proxies) {
      if (planned.proxies.length > 1) lines.push(`${proxy.name}:`);
      lines.push(...(await linesFor(proxy, commands, flags)));
    }
    process.stdout.on('error', () => {}); // whoever read it has gone
    process.stdout.write(`${lines.join('\n')}\n`);
  });
}

async function linesFor(
  proxy: PlannedProxy,
  commands: readonly Command[],
  flags: ExplainFlags,
): Promise<string[]> {
  const { topology, problems } = await discover(proxy.config, proxy.dialling);
  if (topology === null) {
    const [first] = problems;
    throw new RmtopError('UPSTREAM_UNREACHABLE', `cannot ask ${proxy.label} for its topology`, {
      why: first?.text ?? null,
      next: first?.next == null ? [] : [first.next],
    });
  }
  for (const { text, next } of problems)
    sayOnStderr(`rmtop: warning: ${text}${next === null ? '' : `\n  next: ${next}`}`);
  const config = compileConfig(proxy.config);
  const rng = scopedRng(seededRng(Number(flags.seed ?? Date.now())), topology, config);
  return commands.flatMap((command) => {
    const decision = decide(command, topology, config, rng);
    if (flags.json === true) return [JSON.stringify(decision)];
    return flags.from === undefined
      ? inFull(command, decision, topology, config)
      : [inALine(command, decision, topology, config)];
  });
}

/** One word that is no command is taken for a key. */
function commandOf(words: readonly string[]): Command {
  const alone = words.length === 1 && Command.of(words).spec === undefined;
  return Command.of(alone ? ['GET', ...words] : words);
}

/** The commands of a file: redis-cli lines, RESP, or both; empty lines and those that begin with # are passed over. */
function commandsIn(file: string): Command[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new RmtopError('FILE_UNREADABLE', `--from ${file} cannot be read`, {
      why: messageOf(error),
    });
  }
  if (bytes[0] === ASTERISK) return respCommands(bytes, file);
  return bytes
    .toString('utf8')
    .split('\n')
    .map((line, i) => ({ line: line.trim(), number: i + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .flatMap(({ line, number }) => respCommands(Buffer.from(`${line}\r\n`), `${file}:${number}`));
}

const ASTERISK = 0x2a;

function respCommands(bytes: Buffer, where: string): Command[] {
  const parser = new RequestParser();
  parser.push(bytes);
  const commands: Command[] = [];
  while (parser.next() === REQUEST) {
    const argv = Array.from({ length: parser.argc }, (_, i) =>
      Buffer.from(parser.frame.subarray(parser.argStart[i], parser.argEnd[i])),
    );
    commands.push(Command.of(argv));
  }
  if (parser.error === '' && commands.length > 0) return commands;
  throw new RmtopError('FILE_UNREADABLE', `${where} is no command`, {
    why: parser.error === '' ? 'a line is one command as redis-cli takes it' : parser.error,
    next: ['GET cart:{42}:items', 'SET key "a value with spaces"'],
  });
}

function inFull(
  command: Command,
  decision: Decision,
  topology: Topology,
  config: CompiledConfig,
): string[] {
  return [
    wordsOf(command),
    ...explain(command, decision, topology, config.config).map(
      (line) => `  ${line.stage.padEnd(8)}${line.text}`,
    ),
  ];
}

/** `GET cart:1 > s2.p (prefix "cart:", slot 2341)`, or what is answered or refused. */
function inALine(
  command: Command,
  decision: Decision,
  topology: Topology,
  config: CompiledConfig,
): string {
  const { action, fault } = decision;
  const hit = fault === null ? '' : `  fault ${fault.id}`;
  const words = wordsOf(command);
  if (action.kind === 'answer') return `${words} > answered by the proxy${hit}`;
  if (action.kind === 'refuse')
    return `${words} > -${printable(refusalText(action.error, command, config.envoy, action.of))}${hit}`;
  const parts = partsOf(decision).map((part) => {
    const to =
      part.to === null ? 'no upstream host' : aliasOf(topology, part.to.upstream, part.to.address);
    const slot = part.to === null || part.to.slot === -1 ? '' : ` slot ${part.to.slot}`;
    const copies = part.mirrors.map(({ upstream }) => ` +${upstream}`).join('');
    return `${to}${slot}${copies}`;
  });
  const route = partsOf(decision)[0]?.route;
  const by =
    route === null || route === undefined
      ? ''
      : ` by ${route.prefix === null ? 'the catch-all' : `"${printable(route.prefix)}"`}`;
  return `${words} > ${[...new Set(parts)].join(' | ')}${by}${hit}`;
}

function wordsOf(command: Command): string {
  return command.argv.map((arg) => printable(arg.toString('latin1'))).join(' ');
}
