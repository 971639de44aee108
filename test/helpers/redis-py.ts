/** redis-py, where it is installed: `python3-redis` on Debian, `pip install redis` elsewhere. */
import { spawn, spawnSync } from 'node:child_process';

/** A Python that has it; null where there is none. */
export function findRedisPy(): string | null {
  const candidates = ['python3', '/usr/bin/python3'];
  return (
    candidates.find((python) => spawnSync(python, ['-c', 'import redis']).status === 0) ?? null
  );
}

/** Runs a Python program with `args`; gives the JSON it printed. Rejects with its stderr when it fails. */
export function runPython(
  python: string,
  program: string,
  args: readonly string[],
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-c', program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(out));
      else reject(new TypeError(`the Python program ended with ${code}:\n${err}`));
    });
  });
}
