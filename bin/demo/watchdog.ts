/**
 * Ends processes and removes a folder when we are gone, even by `kill -9`.
 *
 * A small shell reads process numbers from a pipe that we hold. When we end, however that happens, the pipe closes and the shell
 * does its work. Each process writes its number itself before it becomes what it is to be: if we did, it would be overlooked when we
 * are killed between its start and our writing. A number is struck off when its process has ended: the system may give it away again.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

const SCRIPT = `trap "" INT TERM HUP
pids=" "
while read -r what pid; do
  case $what in
    +) pids="$pids$pid " ;;
    -) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
kill -9 $pids 2>/dev/null
rm -rf "$0"`;

/** Descriptor 3 is the watchdog's pipe; it must not stay open, for the watchdog waits for its end. */
const BECOME = 'echo "+ $$" >&3; exec "$0" "$@" 3>&-';

/** Watches over one folder and the processes it has started. */
export class Watchdog {
  private readonly shell: ChildProcess;
  private readonly ended: Promise<void>;

  constructor(folder: string) {
    // Detached: a ctrl-c in the terminal is for us, not for the shell.
    this.shell = spawn('sh', ['-c', SCRIPT, folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.ended = new Promise((resolve) => {
      this.shell.once('error', () => resolve()); // no shell: then a kill -9 leaves the servers behind
      this.shell.once('exit', () => resolve());
    });
    this.shell.stdin?.on('error', () => {});
    this.shell.unref();
  }

  /** Starts a program that ends when we are gone. Its output is piped. */
  spawn(program: string, args: readonly string[]): ChildProcess {
    const options: SpawnOptions = {
      stdio: ['ignore', 'pipe', 'pipe', this.shell.stdin],
      detached: true, // a ctrl-c in the terminal is for us; servers go last
    };
    const child = spawn('sh', ['-c', BECOME, program, ...args], options);
    child.once('exit', () => {
      if (this.shell.stdin?.writable) this.shell.stdin.write(`- ${child.pid}\n`);
    });
    return child;
  }

  /** Has it do its work now. */
  async release(): Promise<void> {
    this.shell.ref();
    this.shell.stdin?.end();
    await this.ended;
  }
}
