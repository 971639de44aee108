/** Why nothing more is read from a client for now. */
export const HOLD = {
  /** The topology is not known yet. */
  starting: 1,
  /** It does not read its replies. */
  slow: 2,
  /** Too many of its commands are in flight. */
  full: 4,
  /** A command that must run alone waits, or runs. */
  alone: 8,
  /** A consumer of events that must lose nothing is behind. */
  congested: 16,
  /** Its connection is about to close. */
  closing: 32,
  /** The server of its large request does not read. */
  upstream: 64,
  /** A fault delays a command on its way to a server. */
  fault: 128,
  /** What a key holds is being saved, and its next command goes on another connection. */
  snapshot: 256,
} as const;
