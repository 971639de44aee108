/** `rmtop replay FILE --decide-only`: every recorded command decided again under another mesh; nothing is sent. */
import {
  type CompiledConfig,
  changesText,
  compareDecisions,
  compileConfig,
  type DecisionChange,
  decide,
  drawsThen,
  type MeshConfig,
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
  readonly by: Partial<Record<DecisionChange, number>>;
  readonly shown: Change[];
};

/** Decides everything again; gives the exit code: 1 when anything would change. `change` makes the new mesh of the recorded one. */
export async function decideOnly(
  file: string,
  range: Range,
  change: (recorded: MeshConfig) => MeshConfig,
  isJson: boolean,
): Promise<0 | 1> {
  const started = performance.now();
  const reader = await openFile(file);
  const selection = new Selection(reader, range.filter);
  const again = new Redecider(reader, change);
  const totals: Totals = { commands: 0, changed: 0, by: {}, shown: [] };
  const out = new Output();
  for await (const entries of reader.batches()) {
    for (const entry of entries) {
      const { event } = entry;
      if (!selection.wants(entry) || !(event instanceof RecordedCommand) || !isIn(range, event))
        continue;
      totals.commands++;
      const found = again.decide(event);
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
    isJson
      ? `${JSON.stringify({ k: 'decided', commands: totals.commands, changed: totals.changed, by: totals.by })}\n`
      : `${textOf(totals, seconds).join('\n')}\n`,
  );
  return totals.changed > 0 ? 1 : 0;
}

function textOf({ commands, changed, by, shown }: Totals, seconds: number): string[] {
  const n = (count: number): string => count.toLocaleString('en-US');
  return [
    `decided ${n(commands)} commands again in ${seconds.toFixed(1)} s: ${n(commands - changed)} the same, ${n(changed)} ${changed > 0 ? 'DIFFERENT' : 'different'}`,
    ...(changed > 0 ? [`  ${changesText(by)}`] : []),
    ...shown.map(
      (each) => `#${each.n} ${each.command}   ${each.change}: ${each.from}  >  ${each.to}`,
    ),
    ...(changed > shown.length
      ? [`… ${n(changed - shown.length)} more: --json prints them all`]
      : []),
  ];
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

  decide(event: RecordedCommand): Redecided | null {
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
    const again = decide(event.command, known, changed, drawsThen(event.draws, more));
    return compareDecisions(event.decision, again);
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
