/**
 * `rmtop check FILE|DIR`: what mesh files come to, what is wrong with them, and whether the servers are what they say; of a recording
 * whether it is whole, what it holds, and whether its decisions can be made again.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command as Cli } from 'commander';
import {
  type Diagnostic,
  harmless,
  isRecordingFile,
  type LoadedMesh,
  type Position,
  RmtopError,
} from 'rmtop';
import { judge } from '../check/judge.js';
import { type AskedUpstream, askUpstream } from '../check/probe.js';
import { checkRecording, type RecordingReport } from '../check/recording.js';
import { recordingLines } from '../check/recording-text.js';
import { type Checked, reportOf } from '../check/report.js';
import { reportLines } from '../check/text.js';
import { type ProxyFlags, withProxyFlags } from '../options.js';
import { mainUpstream } from '../overrides.js';
import { type PlannedProxy, planMesh, planSingle, readMesh } from '../plan.js';
import { Output } from '../recording-files.js';
import { decideOnly } from '../replay/decide-only.js';
import { REPLAY_DEFAULTS, rangeOf } from '../replay/flags.js';
import { changedMesh } from '../replay/mesh.js';

type CheckFlags = ProxyFlags & {
  readonly json?: boolean;
  readonly probe?: boolean;
  readonly against?: string;
  readonly secrets?: boolean;
};

/** Exit code where there are errors. */
const INVALID = 3;
/** Exit code where something looks like a secret, and nothing is wrong. */
const LOOKS_SECRET = 1;
const SEED = 1;

export function checkCommand(): Cli {
  const command = new Cli('check')
    .description(
      'say what mesh files come to and what is wrong with them; with --probe or --upstream ask the servers too. Of a recording: is it complete, does it hold secrets, can each decision be made again? Exit code 3 with errors',
    )
    .argument(
      '[path...]',
      'mesh files and folders, as for --mesh; recordings, and folders of them; - is stdin',
    )
    .option('--probe', 'ask every server whether it is what the files take it for')
    .option(
      '--against <recording>',
      'decide its commands again under these mesh files and flags: what would go elsewhere, be refused, be mirrored; exit code 1 if anything would',
    )
    .option(
      '--secrets',
      'look in recordings for values that look like secrets, too: keys, tokens, passwords of any kind; exit code 1 with any',
    )
    .option('--json', 'print the report as JSON');
  withProxyFlags(command);
  return command.action(async (paths: string[], flags: CheckFlags) => {
    process.exitCode =
      flags.against === undefined
        ? await checkAll(paths, flags)
        : await checkAgainst(paths, flags.against, flags);
  });
}

/** Each recording by itself, and the mesh files together; gives the exit code. */
async function checkAll(paths: readonly string[], flags: CheckFlags): Promise<number> {
  const out = new Output();
  const { recordings, others } = sorted(paths);
  const meshPaths = [...others, ...(flags.mesh ?? [])];
  if (flags.secrets === true && recordings.length === 0)
    throw new RmtopError('USAGE', '--secrets looks into recordings', {
      why: 'none is given',
      next: ['rmtop check --secrets FILE.rmtop'],
    });
  const reports: RecordingReport[] = [];
  for (const recording of recordings) {
    const report = await checkRecording(recording, flags.secrets);
    reports.push(report);
    await print(out, flags, report, () => recordingLines(report));
  }
  if (reports.length > 1 && flags.json !== true) await out.write(`\n${summaryLine(reports)}\n`);
  let ok = reports.every((report) => report.ok);
  if (recordings.length === 0 || meshPaths.length > 0 || flags.upstream !== undefined) {
    const report = reportOf(await check(meshPaths, flags));
    ok &&= report.ok;
    await print(out, flags, report, () => reportLines(report));
  }
  if (!ok) return INVALID;
  return reports.some(({ secretLooking = 0 }) => secretLooking > 0) ? LOOKS_SECRET : 0;
}

/** Recordings, those in folders by name, and what is none; a folder that holds only recordings is no mesh. */
function sorted(paths: readonly string[]): {
  readonly recordings: string[];
  readonly others: string[];
} {
  const recordings: string[] = [];
  const others: string[] = [];
  for (const path of paths) {
    const inside = recordingsIn(path);
    if (isRecordingFile(path)) recordings.push(path);
    else if (inside !== null) recordings.push(...inside.recordings);
    if (
      !isRecordingFile(path) &&
      (inside === null || inside.recordings.length === 0 || inside.hasMesh)
    )
      others.push(path);
  }
  return { recordings, others };
}

const MESH_FILE = /\.(?:ya?ml|json)$/i;

/** What is in a folder; null for what is none. */
function recordingsIn(
  path: string,
): { readonly recordings: string[]; readonly hasMesh: boolean } | null {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return null;
  const names = readdirSync(path).sort();
  return {
    recordings: names.map((name) => join(path, name)).filter(isRecordingFile),
    hasMesh: names.some((name) => MESH_FILE.test(name)),
  };
}

function summaryLine(reports: readonly RecordingReport[]): string {
  const wrong = reports.filter(({ ok }) => !ok);
  const which = wrong.length === 0 ? '' : `: ${wrong.map(({ recording }) => recording).join(', ')}`;
  return harmless(
    `${reports.length} recordings: ${reports.length - wrong.length} ok, ${wrong.length} not ok${which}`,
  );
}

async function print(
  out: Output,
  { json }: CheckFlags,
  report: unknown,
  lines: () => string[],
): Promise<void> {
  await out.write(`${json === true ? JSON.stringify(report) : lines().join('\n')}\n`);
}

/** What the mesh would do otherwise with the commands of a recording; gives the exit code. */
function checkAgainst(
  paths: readonly string[],
  recording: string,
  flags: CheckFlags,
): Promise<number> {
  const mesh = [...paths, ...(flags.mesh ?? [])];
  const change = changedMesh(mesh.length === 0 ? flags : { ...flags, mesh }, '--against');
  return decideOnly(recording, rangeOf(REPLAY_DEFAULTS), change, flags.json === true, true);
}

async function check(paths: readonly string[], flags: CheckFlags): Promise<Checked> {
  const { env } = process;
  if (paths.length === 0 && flags.upstream === undefined && flags.probe !== true)
    throw new RmtopError('USAGE', 'check what?', {
      next: ['rmtop check mesh.yaml', 'rmtop check --upstream redis-cluster:6379'],
    });
  const mesh = paths.length === 0 ? null : readMesh(paths, flags, env);
  const { proxies, notes } =
    mesh === null
      ? planSingle(flags, env, SEED)
      : planMesh(mesh, { ...flags, mesh: paths }, env, SEED);
  const asked = new Map<string | null, readonly AskedUpstream[]>();
  const findings: Diagnostic[] = [];
  for (const proxy of proxies) {
    const names = toAsk(proxy, mesh, flags);
    if (names.length === 0) continue;
    const answers = await Promise.all(names.map((name) => askOne(name, proxy, mesh)));
    asked.set(
      proxy.name,
      answers.map((answer) => answer.asked),
    );
    findings.push(...answers.flatMap((answer) => answer.findings));
  }
  return { mesh, proxies, notes, asked, findings: distinct(findings) };
}

/** Nothing is dialled unasked: all servers with `--probe`, those of `--upstream` where it is given. */
function toAsk({ config }: PlannedProxy, mesh: LoadedMesh | null, flags: CheckFlags): string[] {
  const all = Object.keys(config.upstreams);
  if (flags.probe === true || mesh === null) return all;
  const told = flags.upstream === undefined ? null : mainUpstream(config);
  return told === null ? [] : [told];
}

async function askOne(
  name: string,
  { name: proxyName, config, dialling }: PlannedProxy,
  mesh: LoadedMesh | null,
): Promise<{ readonly asked: AskedUpstream; readonly findings: Diagnostic[] }> {
  const upstream = config.upstreams[name];
  if (upstream === undefined) throw new RmtopError('INTERNAL', `no upstream is called ${name}`);
  const asked = await askUpstream(name, upstream, dialling);
  const places = mesh?.listeners.find((listener) => listener.name === proxyName)?.places;
  const at: Position = places?.[name] ?? { file: '--upstream', line: 0, column: 0 };
  const { login, byAddress } = dialling.access[name] ?? { login: null };
  const logsIn = login !== null || Object.keys(byAddress ?? {}).length > 0;
  return { asked, findings: judge({ asked, upstream, settings: config.settings, logsIn, at }) };
}

/** Two listeners may lead to one upstream: what is wrong with it is said once. */
function distinct(findings: readonly Diagnostic[]): Diagnostic[] {
  return [...new Map(findings.map((each) => [JSON.stringify(each), each])).values()];
}
