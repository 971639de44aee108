/** What can end the screen from outside: signals, errors that nobody caught, the terminal's end, the process's own. */

/** Why the screen ends. `failed`: the screen alone; the proxy goes on. */
export type End =
  | { readonly kind: 'quit' }
  | { readonly kind: 'signal'; readonly number: number }
  | { readonly kind: 'core'; readonly error: Error }
  | { readonly kind: 'failed'; readonly error: unknown };

/** The signals that end it, with their numbers; SIGTSTP is refused, for it would stop the traffic. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

type Watched = NodeJS.Process;

/**
 * Tells `ended` of each such event, and calls `leave` where there is no time for more. The second signal ends the process at once.
 * Gives the way to stop watching.
 */
export function watchProcess(
  watched: Watched,
  ended: (end: End) => void,
  leave: () => void,
): () => void {
  let signals = 0;
  const stops: (() => void)[] = [];
  const on = (name: string, heard: (thrown: unknown) => void): void => {
    watched.on(name, heard);
    stops.push(() => watched.off(name, heard));
  };
  for (const [name, number] of Object.entries(SIGNALS)) {
    on(name, () => {
      leave();
      if (++signals > 1) watched.exit(128 + number);
      ended({ kind: 'signal', number });
    });
  }
  on('SIGTSTP', () => {});
  on('uncaughtException', (error) => {
    leave();
    ended({ kind: 'failed', error });
  });
  on('unhandledRejection', (error) => {
    leave();
    ended({ kind: 'failed', error });
  });
  on('exit', leave);
  return () => {
    for (const stop of stops) stop();
  };
}
