/** `rmtop diff A B`: two recordings of the same thing, command by command. */
import { Command as Cli } from 'commander';
import {
  type ClientCommands,
  type Command,
  type CommandEvent,
  compareReplies,
  decodeReply,
  type Filter,
  ignoredBy,
  Latencies,
  latencyLine,
  type Pair,
  pairClients,
  pairCommands,
  parseTolerances,
  readTolerances,
  redactionTolerances,
  redactRulesOf,
  Selection,
  showReply,
  type ToleranceRule,
  type Tolerances,
  ToleranceUse,
} from 'rmtop';
import { filterOf, Output, openFile, say, sayCondition } from '../recording-files.js';
import { commandText } from '../replay/script.js';
import { withSettings } from '../settings/apply.js';
import type { Settings } from '../settings/read.js';

type Flags = {
  readonly filter?: string;
  readonly tolerate?: readonly string[];
  readonly settings?: Settings;
  readonly json?: boolean;
};

export function diffCommand(): Cli {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    value,
  ];
  return withSettings(new Cli('diff'), [])
    .description('compare two recordings; exit code 0 when nothing differs, 1 when something does')
    .argument('<a>', 'a recording')
    .argument('<b>', 'another one')
    .option('-f, --filter <expression>', 'only the commands that fit')
    .option(
      '--tolerate <setting>',
      'ttl=5s, order=off, latency=p99<2x … or none; repeatable; rules are in rmtop.yaml',
      collect,
    )
    .option('--json', 'one JSON object a difference')
    .action(async (a: string, b: string, flags: Flags) => {
      process.exitCode = await diff(a, b, flags);
    });
}

type Difference = {
  readonly lines: readonly string[];
  readonly json: object;
};

async function diff(a: string, b: string, flags: Flags): Promise<number> {
  const filter = filterOf(flags.filter);
  const given = readTolerances(flags.settings?.tolerances ?? []);
  const asked = parseTolerances(flags.tolerate ?? [], given);
  const [left, right] = [await clientsOf(a, filter), await clientsOf(b, filter)];
  // Whatever is asked for: parts that were taken out of either recording cannot be compared.
  const comparing = new Comparing(readTolerances([...left.removed, ...right.removed], asked));
  const out = new Output();
  let differences = 0;
  let compared = 0;
  let last = '';
  const print = async (hunk: string, { lines, json }: Difference): Promise<void> => {
    if (flags.json === true) {
      await out.write(`${JSON.stringify(json)}\n`);
      return;
    }
    const head = last === '' ? `--- ${a}\n+++ ${b}\n` : '';
    await out.write(`${head}${hunk === last ? '' : `${hunk}\n`}${lines.join('\n')}\n`);
    last = hunk;
  };
  for (const [one, other] of pairClients(left.clients, right.clients)) {
    const pairs = pairCommands(one?.commands ?? [], other?.commands ?? []);
    const name = one?.name ?? other?.name ?? 'client';
    comparing.client();
    for (const pair of pairs) {
      compared++;
      const found = comparing.pair(pair);
      if (found === null) continue;
      differences++;
      await print(`@@ ${name} ${place(pair)} @@`, found);
    }
  }
  const slow = comparing.tooSlow();
  for (const each of slow) await print('@@ latency @@', each);
  if (flags.json === true) {
    const total = { k: 'diff', pairs: compared, different: differences, ...comparing.json() };
    await out.write(`${JSON.stringify(total)}\n`);
  } else for (const note of comparing.notes()) say(`rmtop: ${note}`);
  return differences > 0 || slow.length > 0 ? 1 : 0;
}

/** What a recording holds, and by which tolerances what was taken out of it is passed over. */
type Side = { readonly clients: ClientCommands[]; readonly removed: readonly ToleranceRule[] };

async function clientsOf(file: string, filter: Filter | null): Promise<Side> {
  const reader = await openFile(file);
  const selection = new Selection(reader, filter);
  const clients = new Map<number, { name: string | null; commands: CommandEvent[] }>();
  const clientOf = (connection: number): { name: string | null; commands: CommandEvent[] } => {
    let client = clients.get(connection);
    if (client === undefined) {
      client = { name: null, commands: [] };
      clients.set(connection, client);
    }
    return client;
  };
  for await (const entries of reader.batches()) {
    for (const entry of entries) {
      const { event } = entry;
      const isWanted = selection.wants(entry);
      if (event?.type === 'session') clientOf(event.connection).name = event.name;
      if (event?.type === 'command' && isWanted) clientOf(event.connection).commands.push(event);
    }
  }
  sayCondition(file, reader.summary());
  const removed = redactionTolerances(redactRulesOf(reader.header));
  const asking = [...clients.values()]
    .filter((client) => client.commands.length > 0)
    .map(({ name, commands }) => ({ name, commands: commands.sort((x, y) => x.seq - y.seq) }));
  return { clients: asking, removed };
}

function place(pair: Pair): string {
  return ['a' in pair ? `-#${pair.a.seq}` : '', 'b' in pair ? `+#${pair.b.seq}` : '']
    .filter(Boolean)
    .join(' ');
}

/** Compares pairs, and counts what there is to say of all of them. */
class Comparing {
  private readonly tolerances: Tolerances;
  private readonly used = new ToleranceUse();
  private readonly latencies = new Latencies();
  /** Of the client whose pairs come: what it has queued since its MULTI; null outside a transaction. */
  private queued: Command[] | null = null;

  constructor(tolerances: Tolerances) {
    this.tolerances = tolerances;
  }

  /** The pairs of another client come next. */
  client(): void {
    this.queued = null;
  }

  /** What is different about a pair; null for nothing that counts. */
  pair(pair: Pair): Difference | null {
    if (pair.kind !== 'both') {
      const event = pair.kind === 'missing' ? pair.a : pair.b;
      const sign = pair.kind === 'missing' ? '-' : '+';
      return {
        lines: [`${sign}${commandText(event)}   ${replyText(event)}`],
        json: { kind: pair.kind, n: event.seq, command: commandText(event) },
      };
    }
    const { a, b, changed } = pair;
    const queued = this.transaction(a.command);
    const lines = [`-${commandText(a)}   ${replyText(a)}`, `+${commandText(b)}   ${replyText(b)}`];
    if (changed)
      return {
        lines,
        json: { kind: 'command', a: a.seq, b: b.seq, from: commandText(a), to: commandText(b) },
      };
    if (a.outcome.kind === 'reply' && b.outcome.kind === 'reply')
      this.latencies.add(a.durationUs, b.durationUs);
    return this.replies(a, b, lines, queued);
  }

  /** The commands between MULTI and this EXEC; null for any other command. */
  private transaction(command: Command): readonly Command[] | null {
    const { queued } = this;
    if (command.name === 'MULTI') this.queued = [];
    else if (command.name === 'EXEC' || command.name === 'DISCARD') this.queued = null;
    else queued?.push(command);
    return command.name === 'EXEC' ? queued : null;
  }

  private replies(
    a: CommandEvent,
    b: CommandEvent,
    lines: readonly string[],
    queued: readonly Command[] | null,
  ): Difference | null {
    const { command } = a;
    if (a.reply.condensed || b.reply.condensed) {
      if (a.reply.bytes.equals(b.reply.bytes)) return null;
      const by = ignoredBy(command, this.tolerances);
      if (by !== null) this.used.add(command.name, { kind: 'tolerated', by: [by] });
      if (by !== null) return null;
      return { lines, json: { kind: 'cut', a: a.seq, b: b.seq, command: commandText(a) } };
    }
    const found = compareReplies(command, bytesOf(a), bytesOf(b), this.tolerances, {
      laterMs: (b.atUs - a.atUs) / 1000,
      ...(queued === null ? {} : { queued }),
    });
    this.used.add(command.name, found);
    if (found.kind === 'same' || found.kind === 'tolerated') return null;
    const where =
      found.kind === 'diff' && found.path !== ''
        ? [` at ${found.path}: ${found.a} > ${found.b}`]
        : [];
    return {
      lines: [...lines, ...where],
      json: {
        ...found,
        a: a.seq,
        b: b.seq,
        command: commandText(a),
        ...(found.kind === 'diff' ? { from: found.a, to: found.b } : {}),
      },
    };
  }

  /** The limits on latencies that are broken. */
  tooSlow(): readonly Difference[] {
    return this.latencies
      .check(this.tolerances.latency)
      .filter(({ kept }) => kept === false)
      .map((finding) => ({
        lines: [` ${latencyLine(finding)}`],
        json: { kind: 'latency', ...finding },
      }));
  }

  /** What is no difference, and should be known all the same. */
  notes(): string[] {
    const tolerated = this.used.text();
    const unchecked = this.latencies
      .check(this.tolerances.latency)
      .filter(({ kept }) => kept === null);
    return [
      ...(tolerated === null ? [] : [`tolerances used: ${tolerated}`]),
      ...this.used.warnings().map((warning) => `warning: ${warning}`),
      ...unchecked.map((finding) => `warning: latency ${latencyLine(finding)}`),
    ];
  }

  /** The same for programs. */
  json(): object {
    const { latency } = this.tolerances;
    return {
      tolerances: this.used.json(),
      warnings: this.used.warnings(),
      ...(latency.length === 0 ? {} : { latency: this.latencies.check(latency) }),
    };
  }
}

function bytesOf({ reply }: CommandEvent): Buffer | null {
  return reply.bytes.length === 0 ? null : reply.bytes;
}

function replyText({ reply }: CommandEvent): string {
  if (reply.condensed) return '(not kept whole)';
  return reply.bytes.length === 0 ? '(no reply)' : showReply(decodeReply(reply.bytes));
}
