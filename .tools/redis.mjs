// Finds a real Redis server for the tests and the demo; on Debian, as root, installs one. Used before anything is compiled.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const HOW_TO = `rmtop needs a real redis-server (or valkey-server) for this. Install one:
  Debian, Ubuntu   sudo apt-get install -y redis-server
  Fedora           sudo dnf install -y valkey
  macOS            brew install redis
or say where it is:  REDIS_SERVER=/path/to/redis-server`;

function answers(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

function find() {
  const candidates = process.env.REDIS_SERVER
    ? [process.env.REDIS_SERVER]
    : ['redis-server', 'valkey-server'];
  return candidates.find(answers);
}

/** The program's name or path; installs it or ends the process with the line to type. */
export function requireRedis() {
  const found = find();
  if (found !== undefined) return found;
  const isDebian = existsSync('/usr/bin/apt-get');
  if (isDebian && process.getuid?.() === 0 && !process.env.REDIS_SERVER) {
    console.error('rmtop: no redis-server here; installing it with apt-get');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...args) =>
      execFileSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    try {
      apt('update', '-q');
      apt('install', '-y', '-q', '--no-install-recommends', 'redis-server', 'redis-tools');
    } catch {
      console.error(HOW_TO);
      process.exit(1);
    }
    // The package starts a server of its own, which nobody asked for.
    spawnSync('service', ['redis-server', 'stop'], { stdio: 'ignore' });
    const installed = find();
    if (installed !== undefined) return installed;
  }
  console.error(HOW_TO);
  process.exit(1);
}
