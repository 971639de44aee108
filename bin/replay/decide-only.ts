/** `rmtop replay FILE --decide-only` and `rmtop check MESH --against FILE`: every recorded command decided again under another mesh; nothing is sent. */
import {
  type CommandEvent,
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
  Selection,
  scopedRng,
  seededRng,
  type Topology,
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
  const selection = new Selection(reader, range.filter);
  const again = new Redecider(reader, change);
  const keys = countsKeys ? { all: new Set<string>(), moved: new Set<string>() } : null;
  const totals: Totals = { commands: 0, changed: 0, undecidable: 0, by: {}, shown: [], keys };
  const out = new Output();
  for await (const entries of reader.batches()) {
    for (const entry of entries) {
      const { event } = entry;
      if (!selection.wants(entry) || !(event instanceof RecordedCommand) || !isIn(range, event))
        continue;
      totals.commands++;
      const decision = again.decide(event);
      if (decision === null) {
        totals.undecidable++;
        continue;
      }
      const found = compareDecisions(event.decision, decision);
      if (keys !== null) countKeys(keys, event, found === null ? null : decision);
      if (found === null) continue;
      totals.changed++;
      totals.by[found.change] = (totals.by[found.change] ?? 0) + 1;
      const line = { n: event.seq, command: commandText(event), ...found };
      if (isJson) await out.write(`${JSON.stringify(line)}\n`);
      else if (totals.shown.length < SHOWN) totals.shown.push(line);
    }
  }
  sayCondition(file, reader.summary());
  const seconds = (performance.now() - started) / 1000;
  await out.write(
    isJson ? `${JSON.stringify(jsonOf(totals))}\n` : `${textOf(totals, seconds).join('\n')}\n`,
  );
  return totals.changed > 0 ? 1 : totals.undecidable > 0 ? 2 : 0;
}

/** `again` is null where it is the same as was recorded. */
function countKeys({ all, moved }: KeyTotals, event: CommandEvent, again: Decision | null): void {
  const { command, decision } = event;
  const textAt = (at: number): string => command.arg(at).toString('latin1');
  for (const at of command.keys) all.add(textAt(at));
  if (again === null) return;
  for (const at of movedKeys(command.keys, decision, again)) moved.add(textAt(at));
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

/** Decides recorded commands under the changed mesh. */
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

  /** Null where the recording has nothing to decide with. */
  decide(event: RecordedCommand): Decision | null {
    const [topologyVersion, configVersion] = event.decidedBy;
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
    return decide(event.command, known, changed, drawsThen(event.draws, more));
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
