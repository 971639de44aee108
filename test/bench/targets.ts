/** What the bench compares: each is started as its user would start it, in a process of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RedisCluster, RedisServer } from '../../bin/demo/servers.js';
import { until } from '../helpers/until.js';
import type { Loadable } from './load.js';
import { MESH_RULES, meshYaml } from './mesh.js';

export type Target = Loadable & {
  readonly name: string;
  readonly isRmtop: boolean;
  /** Resident memory of its process, MB. */
  rssMb(): number;
  /** CPU time of its process so far, seconds. */
  cpuS(): number;
  stop(): Promise<void>;
};

type Starter = { readonly name: string; start(): Promise<Target | null> };

const RMTOP = path.join(import.meta.dirname, '..', '..', 'bin', 'rmtop.js');
const PIPE = path.join(import.meta.dirname, 'pipe.js');
const EVENTS = path.join(import.meta.dirname, 'events.js');

/** All targets, in the order they are shown. A starter gives null where its program is not installed. */
export function targets(cluster: RedisCluster, single: RedisServer): readonly Starter[] {
  const first = cluster.nodes[0]?.port ?? 0;
  const upstream = ['-u', `127.0.0.1:${first}`];
  const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-bench-'));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  return [
    { name: 'direct', start: async () => fixed('direct', first, true) },
    {
      name: 'pipe',
      start: () =>
        program('pipe', (port) => [process.execPath, PIPE, String(port), String(single.port)]),
    },
    { name: 'nutcracker', start: () => nutcracker(single.port, folder) },
    { name: 'headless', start: () => headlessTarget(`127.0.0.1:${first}`) },
    {
      name: 'events',
      start: () =>
        // With the flag that `bin/rmtop.ts` sets.
        program('events', (port) => [
          ...[process.execPath, '--no-allocation-site-pretenuring'],
          ...[EVENTS, String(port), `127.0.0.1:${first}`],
        ]),
    },
    ...[false, true].map((hasMirrors) => {
      const name = hasMirrors ? 'mesh' : 'mesh without mirrors';
      return {
        name,
        start: (): Promise<Target> => {
          const file = path.join(folder, `${hasMirrors}.yaml`);
          writeFileSync(file, meshYaml(first, single.port, hasMirrors));
          return program(name, (port) => [
            ...[process.execPath, RMTOP, '--no-tui', '-q', '-l', `127.0.0.1:${port}`],
            ...['--mesh', file, ...MESH_RULES],
          ]);
        },
      };
    }),
    {
      name: 'screen',
      start: () =>
        program('screen', (port) => {
          const command = [process.execPath, RMTOP, '-l', `127.0.0.1:${port}`, ...upstream].join(
            ' ',
          );
          return ['script', '-qfec', `stty cols 120 rows 36; exec ${command}`, '/dev/null'];
        }),
    },
    {
      name: 'record',
      start: () =>
        program('record', (port) => [
          process.execPath,
          RMTOP,
          ...['record', '-q', '--force', '-o', path.join(folder, 'recorded.rmtop')],
          ...['-l', `127.0.0.1:${port}`, ...upstream],
        ]),
    },
    {
      name: 'json',
      start: () =>
        program(
          'json',
          (port) => {
            const command = [
              process.execPath,
              RMTOP,
              '--json',
              '-q',
              '-l',
              `127.0.0.1:${port}`,
              ...upstream,
            ].join(' ');
            return ['sh', '-c', `exec ${command} > ${path.join(folder, 'records.rmtop')}`];
          },
          clean,
        ),
    },
  ];
}

/** rmtop without a screen, before `upstream`. */
export function headlessTarget(upstream: string): Promise<Target> {
  return program('headless', (port) => [
    process.execPath,
    RMTOP,
    ...['--no-tui', '-q', '-l', `127.0.0.1:${port}`, '-u', upstream],
  ]);
}

function fixed(name: string, port: number, isCluster: boolean): Target {
  return {
    name,
    port,
    isCluster,
    isRmtop: false,
    rssMb: () => 0,
    cpuS: () => 0,
    stop: async () => {},
  };
}

async function program(
  name: string,
  argv: (port: number) => string[],
  afterwards: () => void = () => {},
): Promise<Target> {
  const port = await freePort();
  const [file = '', ...args] = argv(port);
  const env: NodeJS.ProcessEnv = { ...process.env, TERM: 'xterm-256color' };
  for (const variable of Object.keys(env))
    if (variable === 'CI' || variable.startsWith('CI_')) delete env[variable];
  const child = spawn(file, args, { stdio: ['pipe', 'ignore', 'ignore'], env, detached: true });
  await until(() => accepts(port), `${name} to listen`);
  return {
    name,
    port,
    isCluster: false,
    isRmtop: name !== 'pipe' && name !== 'nutcracker',
    rssMb: () => rssOf(child),
    cpuS: () => cpuOf(child),
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      await ended;
      afterwards();
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** The process, or the one it runs inside a terminal. */
function innermost(child: ChildProcess): string {
  const inner = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' });
  return inner.stdout.trim().split('\n')[0] || String(child.pid);
}

/** User and system time of all its threads; the kernel counts in hundredths of a second. */
function cpuOf(child: ChildProcess): number {
  const stat = readFileSync(`/proc/${innermost(child)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident MB. */
function rssOf(child: ChildProcess): number {
  const status = readFileSync(`/proc/${innermost(child)}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000);
}

async function nutcracker(behind: number, folder: string): Promise<Target | null> {
  if (spawnSync('nutcracker', ['--version'], { stdio: 'ignore' }).error !== undefined) return null;
  const file = path.join(folder, 'nutcracker.yml');
  const statsPort = String(await freePort());
  return program('nutcracker', (port) => {
    writeFileSync(
      file,
      `bench:\n  listen: 127.0.0.1:${port}\n  hash: fnv1a_64\n  distribution: ketama\n  redis: true\n  servers:\n   - 127.0.0.1:${behind}:1\n`,
    );
    return [
      'nutcracker',
      '-c',
      file,
      '-a',
      '127.0.0.1',
      '-s',
      statsPort,
      '-o',
      '/dev/null',
      '-p',
      path.join(folder, 'nutcracker.pid'),
    ];
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return bound !== null && typeof bound === 'object' ? bound.port : 0;
}
