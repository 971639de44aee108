/** `rmtop replay FILE --decide-only` and `rmtop check MESH --against FILE`: every recorded command decided again under another mesh; nothing is sent. */
import {
  type Command,
  type CompiledConfig,
  changesText,
  compareDecisions,
  compileConfig,
  type Decision,
  type DecisionChange,
  decide,
  drawsThen,
  type MeshConfig,
  movedKeys,
  RecordedCommand,
  type RecordingReader,
  type Redecided,
  replayRng,
  type ScannedCommand,
  Selection,
  scopedRng,
  seededRng,
  type Topology,
  type TrafficEvent,
  unknownUpstreams,
  withUnknown,
} from 'rmtop';
import { Output, openFile, say, sayCondition } from '../recording-files.js';
import { commandText, isIn, type Range } from './script.js';

const SHOWN = 20;

type Change = Redecided & { readonly n: number; readonly command: string };

/** How many commands would be treated otherwise, by what would change. */
type Totals = {
  commands: number;
  changed: number;
  /** No topology or configuration stands before them. */
  undecidable: number;
  readonly by: Partial<Record<DecisionChange, number>>;
  readonly shown: Change[];
  /** Null: keys are not counted. */
  readonly keys: KeyTotals | null;
};

/** Different keys, and those of them that would be somewhere else. */
type KeyTotals = { readonly all: Set<string>; readonly moved: Set<string> };

/**
 * Decides everything again; gives the exit code: 1 when anything would change, 2 when something could not be decided. `change` makes the
 * new mesh of the recorded one. With `countsKeys` it also says which share of the keys would move.
 */
export async function decideOnly(
  file: string,
  range: Range,
  change: (recorded: MeshConfig) => MeshConfig,
  isJson: boolean,
  countsKeys = false,
): Promise<0 | 1 | 2> {
  const started = performance.now();
  const reader = await openFile(file);
  const again = new Redecider(reader, change);
  const keys = countsKeys ? { all: new Set<string>(), moved: new Set<string>() } : null;
  const totals: Totals = { commands: 0, changed: 0, undecidable: 0, by: {}, shown: [], keys };
  const out = new Output();
  let lines: string[] = [];
  const decideAgain = (event: Decidable): Redecided | null => {
    totals.commands++;
    const decisions = again.decide(event);
    if (decisions === null) {
      totals.undecidable++;
      return null;
    }
    const [then, now] = decisions;
    const found = compareDecisions(then, now);
    if (keys !== null) countKeys(keys, event.command, then, found === null ? null : now);
    return found;
  };
  const changed = (found: Redecided, event: RecordedCommand): void => {
    const line = { n: event.seq, command: commandText(event), ...found };
    if (isJson) lines.push(`${JSON.stringify(line)}\n`);
    else totals.shown.push(line);
  };
  await eachCommand(reader, range, {
    command(event, whole) {
      const found = decideAgain(event);
      if (found === null) return;
      totals.changed++;
      totals.by[found.change] = (totals.by[found.change] ?? 0) + 1;
      if (isJson || totals.shown.length < SHOWN) changed(found, whole());
    },
    async pause() {
      if (lines.length > 0) await out.write(lines.join(''));
      lines = [];
    },
  });
  sayCondition(file, reader.summary());
  const seconds = (performance.now() - started) / 1000;
  await out.write(
    isJson ? `${JSON.stringify(jsonOf(totals))}\n` : `${textOf(totals, seconds).join('\n')}\n`,
  );
  return totals.changed > 0 ? 1 : totals.undecidable > 0 ? 2 : 0;
}

/** What is told of the commands that are asked for; `whole` reads all of one. */
type CommandVisitor = {
  command(event: Decidable, whole: () => RecordedCommand): void;
  pause(): Promise<void>;
};

/** Reads on to the end. A filter may ask for anything of a command: then each line is parsed, and else it is scanned. */
async function eachCommand(
  reader: RecordingReader,
  range: Range,
  visit: CommandVisitor,
): Promise<void> {
  const parsed = (event: TrafficEvent | null): void => {
    if (event instanceof RecordedCommand && isIn(range, event)) visit.command(event, () => event);
  };
  if (range.filter === null)
    return reader.scan({
      entry: ({ event }) => parsed(event),
      command(event) {
        if (isIn(range, event)) visit.command(event, () => event.event());
      },
      pause: () => visit.pause(),
    });
  const selection = new Selection(reader, range.filter);
  for await (const entries of reader.batches()) {
    for (const entry of entries) if (selection.wants(entry)) parsed(entry.event);
    await visit.pause();
  }
}

/** `again` is null where it is the same as was recorded. */
function countKeys(
  { all, moved }: KeyTotals,
  command: Command,
  then: Decision,
  again: Decision | null,
): void {
  const textAt = (at: number): string => command.arg(at).toString('latin1');
  for (const at of command.keys) all.add(textAt(at));
  if (again === null) return;
  for (const at of movedKeys(command.keys, then, again)) moved.add(textAt(at));
}

function jsonOf({ commands, changed, undecidable, by, keys }: Totals): Record<string, unknown> {
  return {
    k: 'decided',
    commands,
    changed,
    ...(undecidable === 0 ? {} : { undecidable }),
    by,
    ...(keys === null ? {} : { keys: keys.all.size, moved: keys.moved.size }),
  };
}

function textOf(totals: Totals, seconds: number): string[] {
  const { commands, changed, undecidable, by, shown, keys } = totals;
  const n = (count: number): string => count.toLocaleString('en-US');
  return [
    `decided ${n(commands)} commands again in ${seconds.toFixed(1)} s: ${n(commands - changed - undecidable)} the same, ${n(changed)} ${changed > 0 ? 'DIFFERENT' : 'different'}`,
    ...(undecidable > 0
      ? [
          `  ${n(undecidable)} could not be decided: no configuration or no servers are recorded before them`,
        ]
      : []),
    ...(changed > 0 ? [`  ${changesText(by)}`] : []),
    ...(keys === null ? [] : [`  ${keysText(keys)}`]),
    ...shown.map(
      (each) => `#${each.n} ${each.command}   ${each.change}: ${each.from}  >  ${each.to}`,
    ),
    ...(changed > shown.length
      ? [`… ${n(changed - shown.length)} more: --json prints them all`]
      : []),
  ];
}

function keysText({ all, moved }: KeyTotals): string {
  const n = (count: number): string => count.toLocaleString('en-US');
  const share = all.size === 0 ? '0' : ((100 * moved.size) / all.size).toFixed(1);
  return `${n(moved.size)} of ${n(all.size)} keys would be on another server (${share}%)`;
}

/** What it takes to decide a recorded command. */
type Decidable = Pick<ScannedCommand, 'seq' | 'command' | 'draws' | 'decidedBy'>;

/** Decides recorded commands as they were, and under the changed mesh. */
class Redecider {
  private readonly reader: RecordingReader;
  private readonly change: (recorded: MeshConfig) => MeshConfig;
  private readonly configs = new Map<CompiledConfig, CompiledConfig>();
  private readonly topologies = new Map<Topology, Topology>();
  private readonly unknown = new Set<string>();
  private readonly chance = seededRng(1);

  constructor(reader: RecordingReader, change: (recorded: MeshConfig) => MeshConfig) {
    this.reader = reader;
    this.change = change;
  }

  /** As it was decided, and as it would be now; null where the recording has nothing to decide with. */
  decide({ command, draws, decidedBy }: Decidable): readonly [Decision, Decision] | null {
    const [topologyVersion, configVersion] = decidedBy;
    const topology = this.reader.context.topology(topologyVersion);
    const config = this.reader.context.config(configVersion);
    if (topology === undefined || config === undefined) return null;
    let changed = this.configs.get(config);
    if (changed === undefined) {
      changed = compileConfig(this.change(config.config));
      this.configs.set(config, changed);
    }
    const known = this.known(topology, changed);
    const more = changed.rules.length === 0 ? this.chance : scopedRng(this.chance, known, changed);
    return [
      decide(command, topology, config, replayRng(draws)),
      decide(command, known, changed, drawsThen(draws, more)),
    ];
  }

  /** The recorded servers, and those of upstreams that the recording never saw, which is said once. */
  private known(topology: Topology, { config }: CompiledConfig): Topology {
    const known = this.topologies.get(topology);
    if (known !== undefined) return known;
    for (const name of unknownUpstreams(config, topology)) {
      if (this.unknown.has(name)) continue;
      this.unknown.add(name);
      say(
        `rmtop: the recording does not know the servers of ${name}: they are taken as configured`,
      );
    }
    const all = withUnknown(topology, config);
    this.topologies.set(topology, all);
    return all;
  }
}
