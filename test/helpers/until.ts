/** Waiting for something to become true: by asking again, with a limit that only a failure reaches. */
import { AssertionError } from 'node:assert';

/** Asks `done` until it is true; fails after `limitMs`, naming `what`. */
export async function until(
  done: () => boolean | Promise<boolean>,
  what = 'what the test waits for',
  limitMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await done())) {
    if (performance.now() > deadline)
      throw new AssertionError({ message: `${what} did not happen within ${limitMs} ms` });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
