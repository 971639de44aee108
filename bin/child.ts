/** A command that is run beside the proxy, with the terminal and the signals that are its own. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { RmtopError, systemCode } from 'rmtop';

/** As shells have it: not found, and found but not to be run; what a signal ended has 128 and its number. */
const NOT_FOUND = 127;
const NOT_RUNNABLE = 126;
const SIGNALLED = 128;

/** What a supervisor sends to rmtop alone. */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;
/** What a terminal's keys send to everybody in the foreground: the command has had it already. */
const BY_KEYS: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT']);

/**
 * Runs `command` with `env` until it ends; gives its exit code. While it runs, signals to rmtop are its: rmtop ends when it has. What cannot be
 * run is said on stderr, with 127 or 126.
 */
export async function runChild(
  [program = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env });
  const pass = (signal: NodeJS.Signals): void => {
    if (!BY_KEYS.has(signal) || process.stdin.isTTY !== true) child.kill(signal);
  };
  for (const signal of PASSED_ON) process.on(signal, pass);
  return new Promise<number>((resolve) => {
    child.once('error', (error) => resolve(cannotRun(program, error)));
    child.once('exit', (code, signal) =>
      resolve(code ?? SIGNALLED + (signal === null ? 0 : constants.signals[signal])),
    );
  }).finally(() => {
    for (const signal of PASSED_ON) process.off(signal, pass);
  });
}

function cannotRun(program: string, error: Error): number {
  const isMissing = systemCode(error) === 'ENOENT';
  const told = new RmtopError('USAGE', `cannot run ${program}`, {
    why: isMissing ? 'there is no such program' : error.message,
    next: ['rmtop run -u HOST:PORT -- npm test'],
  });
  process.stderr.write(`${told.lines().join('\n')}\n`);
  return isMissing ? NOT_FOUND : NOT_RUNNABLE;
}
