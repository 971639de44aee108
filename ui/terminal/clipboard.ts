/** Copying to the clipboard of the machine the user sits at. */
import { spawn } from 'node:child_process';

type Env = Readonly<Record<string, string | undefined>>;

/** How it can be done here: a program that takes the text on its stdin, or the terminal itself (OSC 52). */
export type CopyWay =
  | { readonly kind: 'osc52' }
  | { readonly kind: 'program'; readonly name: string; readonly args: readonly string[] };

/** Over ssh, or in tmux or screen, only the terminal knows the right clipboard; else the desktop's own programs, best first. */
export function copyWays(env: Env, platform: string): readonly CopyWay[] {
  const osc52: CopyWay = { kind: 'osc52' };
  if (env.SSH_TTY || env.SSH_CONNECTION || env.TMUX || env.STY) return [osc52];
  const program = (name: string, ...args: string[]): CopyWay => ({ kind: 'program', name, args });
  const programs = [
    ...(platform === 'darwin' ? [program('pbcopy')] : []),
    ...(env.WAYLAND_DISPLAY ? [program('wl-copy')] : []),
    ...(env.DISPLAY ? [program('xclip', '-selection', 'clipboard')] : []),
    ...(env.WSL_DISTRO_NAME ? [program('clip.exe')] : []),
  ];
  return [...programs, osc52];
}

/** The bytes that ask the terminal to copy `text`; screen passes them on only when they are wrapped. */
export function osc52(text: string | Buffer, env: Env): string {
  const sequence = `\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`;
  return env.STY && !env.TMUX ? `\x1bP${sequence}\x1b\\` : sequence;
}

/** Copies by the first way that works; gives its name, for the toast. `write` sends bytes to the terminal. */
export async function copy(
  text: string | Buffer,
  ways: readonly CopyWay[],
  write: (bytes: string) => void,
  env: Env,
): Promise<string> {
  for (const way of ways) {
    if (way.kind === 'osc52') {
      write(osc52(text, env));
      return 'OSC 52';
    }
    if (await pipeTo(way.name, way.args, text)) return way.name;
  }
  return 'nothing';
}

function pipeTo(name: string, args: readonly string[], text: string | Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(name, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    child.once('error', () => resolve(false));
    child.stdin.on('error', () => {});
    // xclip stays behind to serve the selection, so its end is not waited for.
    child.stdin.end(text, () => resolve(true));
    child.unref();
  });
}
