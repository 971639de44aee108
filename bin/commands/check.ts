/** `rmtop check FILE|DIR`: what mesh files come to, what is wrong with them, and whether the servers are what they say. */
import { Command as Cli } from 'commander';
import { type Diagnostic, type LoadedMesh, type Position, RmtopError } from 'rmtop';
import { judge } from '../check/judge.js';
import { type AskedUpstream, askUpstream } from '../check/probe.js';
import { type Checked, reportOf } from '../check/report.js';
import { reportLines } from '../check/text.js';
import { type ProxyFlags, withProxyFlags } from '../options.js';
import { mainUpstream } from '../overrides.js';
import { type PlannedProxy, planMesh, planSingle, readMesh } from '../plan.js';

type CheckFlags = ProxyFlags & { readonly json?: boolean; readonly probe?: boolean };

/** Exit code where there are errors. */
const INVALID = 3;
const SEED = 1;

export function checkCommand(): Cli {
  const command = new Cli('check')
    .description(
      'say what mesh files come to and what is wrong with them; with --probe or --upstream ask the servers too. Exit code 3 with errors',
    )
    .argument('[path...]', 'files and folders, as for --mesh; - is stdin')
    .option('--probe', 'ask every server whether it is what the files take it for')
    .option('--json', 'print the report as JSON');
  withProxyFlags(command);
  return command.action(async (paths: string[], flags: CheckFlags) => {
    const checked = await check([...paths, ...(flags.mesh ?? [])], flags);
    const report = reportOf(checked);
    const text = flags.json === true ? JSON.stringify(report) : reportLines(report).join('\n');
    process.stdout.on('error', () => {}); // whoever read it has gone
    process.stdout.write(`${text}\n`);
    process.exitCode = report.ok ? 0 : INVALID;
  });
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
