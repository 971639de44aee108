/**
 * 'rmtop/test': what tests are written with. It knows no test runner: everything is a promise or throws, and is closed by hand.
 *
 *   startProxy     the mesh in front of a Redis, remembering what was decided about each command
 *   record         the same, into a file
 *   serve          the file in the place of the Redis
 *   serveOrRecord  recorded the first time, served from then on
 *   replay         the file sent again, and what comes back compared
 */
export type { ToleranceRule } from './compare/rules.js';
export type { RedactRule } from './recording/redact-rules.js';
export { type OnceOptions, type RecordedOrServed, serveOrRecord } from './testing/once.js';
export {
  type StartProxyOptions,
  startProxy,
  type TestProxy,
  type Which,
} from './testing/proxy.js';
export {
  type RecordingSession,
  type RecordOptions,
  readCommands,
  record,
} from './testing/record.js';
export { type ReplayFileOptions, type ReplayResults, replay } from './testing/replay.js';
export type { Decided, Placed, Seen } from './testing/seen.js';
export { type FakeNode, type FakeRedis, type ServeFileOptions, serve } from './testing/serve.js';
export type { MeshSource } from './testing/source.js';
