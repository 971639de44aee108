/** Time as an argument: µs since the stream began, on a clock that never goes back. */

export type Clock = {
  /** µs since the clock was made. */
  nowUs(): number;
  /** The wall clock of the moment the clock was made, ISO 8601 with µs, UTC. */
  readonly startedAt: string;
};

/** A clock that starts now. */
export function startClock(): Clock {
  const start = performance.now();
  const epochMs = performance.timeOrigin + start;
  const startedAt = new Date(Math.floor(epochMs)).toISOString();
  const micros = String(Math.floor((epochMs % 1) * 1000)).padStart(3, '0');
  return {
    nowUs: () => Math.round((performance.now() - start) * 1000),
    startedAt: startedAt.replace('Z', `${micros}Z`),
  };
}
