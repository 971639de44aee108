/** The real program as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { until } from './until.js';

const RMTOP = path.join(import.meta.dirname, '..', '..', 'bin', 'rmtop.js');

export type Program = {
  readonly child: ChildProcess;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Waits until its stderr says `text`, and gives what matched. */
  says(text: RegExp): Promise<RegExpMatchArray>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
};

/** Starts `rmtop` with `args`; killed with the test if it has not ended. */
export function startProgram(
  t: TestContext,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  stdin: 'ignore' | 'pipe' = 'ignore',
): Program {
  const child = spawn(process.execPath, [RMTOP, ...args], {
    stdio: [stdin, 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  });
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'nothing'));
  });
  t.after(() => child.kill('SIGKILL'));
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    async says(text) {
      await until(() => text.test(err) || child.exitCode !== null, `${text} on stderr`);
      const match = text.exec(err);
      if (match === null) throw new TypeError(`it ended without saying ${text}:\n${err}`);
      return match;
    },
    ended,
  };
}

/** Runs `rmtop` to its end. */
export async function runProgram(
  t: TestContext,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly code: number | string; readonly stdout: string; readonly stderr: string }> {
  const program = startProgram(t, args, env);
  const code = await program.ended;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}
