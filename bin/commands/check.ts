/**
 * `rmtop check FILE|DIR`: what mesh files come to, what is wrong with them, and whether the servers are what they say; of a recording
 * whether it is whole, what it holds, and whether its decisions can be made again.
 */
import { Command as Cli } from 'commander';
import {
  type Diagnostic,
  isRecordingFile,
  type LoadedMesh,
  type Position,
  RmtopError,
} from 'rmtop';
import { judge } from '../check/judge.js';
import { type AskedUpstream, askUpstream } from '../check/probe.js';
import { checkRecording } from '../check/recording.js';
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
};

/** Exit code where there are errors. */
const INVALID = 3;
const SEED = 1;

export function checkCommand(): Cli {
  const command = new Cli('check')
    .description(
      'say what mesh files come to and what is wrong with them; with --probe or --upstream ask the servers too. Of a recording: is it complete, does it hold secrets, can each decision be made again? Exit code 3 with errors',
    )
    .argument('[path...]', 'mesh files and folders, as for --mesh; recordings; - is stdin')
    .option('--probe', 'ask every server whether it is what the files take it for')
    .option(
      '--against <recording>',
      'decide its commands again under these mesh files and flags: what would go elsewhere, be refused, be mirrored; exit code 1 if anything would',
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
  const recordings = paths.filter(isRecordingFile);
  const meshPaths = [...paths.filter((path) => !recordings.includes(path)), ...(flags.mesh ?? [])];
  let ok = true;
  for (const recording of recordings) {
    const report = await checkRecording(recording);
    ok &&= report.ok;
    await print(out, flags, report, () => recordingLines(report));
  }
  if (recordings.length === 0 || meshPaths.length > 0 || flags.upstream !== undefined) {
    const report = reportOf(await check(meshPaths, flags));
    ok &&= report.ok;
    await print(out, flags, report, () => reportLines(report));
  }
  return ok ? 0 : INVALID;
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
