/** The public surface of rmtop: what the screen, the command line and tests are built on. Named re-exports only. */
export { parseAdmin } from './admin/address.js';
export { type Admin, type AdminOptions, type AdminProxy, startAdmin } from './admin/server.js';
export { Command, NEW_SESSION, type SessionView } from './commands/command.js';
export { describeCommand } from './commands/describe.js';
export { COMMANDS, type CommandSpec, commandByName, lookUp } from './commands/table.js';
export {
  type CompareContext,
  type Comparison,
  compareReplies,
  compareValues,
  ignoredBy,
} from './compare/compare.js';
export { type LatencyLimit, parseLatencyLimit } from './compare/latency.js';
export {
  parseToleranceRule,
  type ToleranceRule,
  type ToleranceRuleProblem,
  type UserRule,
} from './compare/rules.js';
export { quoteAround, quoteBytes, showReply } from './compare/show.js';
export {
  DEFAULT_TOLERANCES,
  NO_TOLERANCES,
  parseTolerances,
  readTolerances,
  type ToleranceName,
  type ToleranceSource,
  type Tolerances,
  tolerancesOf,
} from './compare/tolerances.js';
export type { Difference } from './compare/tree.js';
export {
  type DialAccess,
  dialAccess,
  NO_ACCESS,
  type UpstreamAccess,
  type UpstreamLogin,
  type UpstreamTls,
} from './config/access.js';
export {
  DIAGNOSTIC_LEVELS,
  type Diagnostic,
  type DiagnosticCode,
  diagnosticLines,
  harmless,
  type Level,
  type NotInForce,
  type Position,
  placeText,
  sorted as sortedDiagnostics,
} from './config/diagnostic.js';
export type { LoadedListener } from './config/envoy.js';
export {
  type Exported,
  type ExportOptions,
  exportFaults,
  type NotExported,
  serviceHost,
} from './config/export.js';
export {
  amountText,
  type NewRule,
  parseRule,
  type RuleProblem,
  ruleText,
} from './config/fault-text.js';
export {
  type Applied,
  applyOverrides,
  type FlagTexts,
  type Overrides,
  parseDownstreamAuth,
  parseFlags,
} from './config/flags.js';
export { loadMesh } from './config/load.js';
export type { LoadedMesh, MeshOptions, Skipped } from './config/mesh.js';
export { parseSeed, type Seed } from './config/seed.js';
export { type ErrorCode, messageOf, RmtopError, systemCode } from './errors.js';
export { blocksOf, type Consumer } from './events/bus.js';
export { type KeptArgument, readCondensed, readCut } from './events/condense.js';
export type {
  Attempt,
  Cause,
  CommandEvent,
  Kept,
  OtherEvent,
  Outcome,
  ServerState,
  TrafficEvent,
  UpstreamState,
} from './events/event.js';
export { Glance } from './events/glance.js';
export {
  bucketOf,
  createHistogram,
  difference,
  type Histogram,
  quantileUs,
  recordUs,
  upperEdge,
} from './events/histogram.js';
export { Block, StreamContext, topologyOf } from './events/reader.js';
export { errorSaidBy } from './events/said.js';
export type { CommandTally, Tally, Totals } from './events/stats.js';
export { readEvents, readOnly } from './events/subscribe.js';
export { whyOf } from './events/why.js';
export type { FilterProblem } from './filter/ast.js';
export { type Completion, complete } from './filter/complete.js';
export {
  type ClientInfo,
  Facts,
  type Mark,
  type MirrorEvent,
  type NodeFact,
  type PendingEvent,
  type ReplayDiff,
  type World,
} from './filter/facts.js';
export { FIELDS, type Field } from './filter/fields.js';
export { type Filter, parseFilter } from './filter/filter.js';
export { FLAGS, type Flag } from './filter/flags.js';
export { scopedRng } from './filter/scopes.js';
export { nearest } from './filter/suggest.js';
export { clientUrl, isLoopback, joinAddress, splitAddress } from './mesh/address.js';
export { type AddressMap, mapAddress, NO_MAP, parseAddressMap } from './mesh/address-map.js';
export { type Credentials, refusalText } from './mesh/answers.js';
export { type CompiledConfig, type CompiledRoute, compileConfig } from './mesh/compile.js';
export {
  DEFAULT_BALANCER,
  DEFAULT_REFRESH,
  DEFAULT_SETTINGS,
  type EnvoyLevel,
  type FaultAction,
  type FaultRule,
  type HostSet,
  type MeshConfig,
  type MeshFault,
  type MirrorPolicy,
  NEWEST_ENVOY,
  OLDEST_ENVOY,
  plainRoute,
  READ_POLICIES,
  type ReadPolicy,
  type Route,
  type Settings,
  singleUpstreamConfig,
  type Upstream,
  upstreamOf,
} from './mesh/config.js';
export { decide } from './mesh/decide.js';
export {
  type Action,
  type Decision,
  type FaultPlan,
  type Hop,
  isOpened,
  isStopped,
  type Part,
  partsOf,
  type Reason,
  type RefusalCode,
} from './mesh/decision.js';
export { explain, refusalBecause } from './mesh/explain.js';
export { type ExplainLine, isStrayWrite } from './mesh/explain-part.js';
export { FIRST_FORWARD_PORT, type Forward, portForward } from './mesh/forward.js';
export { slotIn, slotOf } from './mesh/place.js';
export { printable } from './mesh/printable.js';
export { type Rng, replayRng, seededRng } from './mesh/rng.js';
export {
  aliasOf,
  coveredSlots,
  type Placement,
  rangesOf,
  type Server,
  type Shard,
  SLOTS,
  type SlotRange,
  serversOf,
  singleServer,
  slotPlacement,
  type Topology,
} from './mesh/topology.js';
export { type Found, type Trap, type TrapCode, trapsOf } from './mesh/traps.js';
export { ControlConnection, type ControlReply } from './proxy/control.js';
export {
  type Access,
  type Dialling,
  describeCause,
  type Login,
  type TlsSettings,
} from './proxy/dial.js';
export { readSlots } from './proxy/discovery.js';
export type { ClientState } from './proxy/downstream.js';
export { createProxy, type ProxyHandle, type ProxyOptions } from './proxy/proxy.js';
export { createThreadedProxy } from './proxy/thread.js';
export { appendRecording } from './recording/append.js';
export { type Audit, auditRecording, type FoundSecret } from './recording/audit.js';
export { RecordedCommand } from './recording/command.js';
export { CommandStore } from './recording/command-store.js';
export { newHeader, packageVersion, plainWriter, RECORD_KEEP } from './recording/defaults.js';
export { redisCliLine } from './recording/exporters/redis-cli.js';
export { EXPORTERS, type Exporter, type Printer } from './recording/exporters.js';
export { FaultRules } from './recording/fault-rules.js';
export { FaultScript } from './recording/fault-script.js';
export { FixtureMaker, type FixtureOptions } from './recording/fixture.js';
export { commandToJson } from './recording/format.js';
export { readCommandFile } from './recording/imports/commands.js';
export { type ImportedHar, importHar } from './recording/imports/har.js';
export {
  IMPORT_FORMATS,
  type Imported,
  type ImportFormat,
  type ImportNotes,
  importCommands,
} from './recording/imports.js';
export { Latencies, type LatencyFinding, latencyLine } from './recording/latencies.js';
export { NumberList } from './recording/line-store.js';
export { Loading, type LoadingDial, type LoadingRequest } from './recording/loading.js';
export { type ArgumentRule, parseArgumentRule } from './recording/loose.js';
export {
  type Exhausted,
  type MatchMode,
  type MatchOptions,
  showSpoken,
} from './recording/matching.js';
export type { HeaderInfo } from './recording/others.js';
export {
  type ClientCommands,
  type Pair,
  pairClients,
  pairCommands,
} from './recording/pairs.js';
export { openPlayback, type Playback, type PlaybackState } from './recording/playback.js';
export type { PlaybackSource } from './recording/playback-source.js';
export type { PlaybackTarget } from './recording/playlist.js';
export { putBack, withKey } from './recording/put-back.js';
export {
  type Entry,
  isOfRing,
  isRecordingFile,
  openRecording,
  type ReadOptions,
  type RecordingHeader,
  type RecordingReader,
  type RecordingSummary,
  readRecording,
  type ScanVisitor,
} from './recording/reader.js';
export {
  type Aligned,
  alignUpstreams,
  unknownUpstreams,
  withUnknown,
} from './recording/realign.js';
export { RecordedScripts, type ScriptUse, sha1Of } from './recording/recorded-scripts.js';
export {
  headerOf,
  REDACT_AUTH,
  type RedactOptions,
  Redactor,
  redactedEntry,
  redactionOf,
  removesMore,
} from './recording/redact.js';
export {
  compileRedactRules,
  parseRedactRule,
  type RedactRule,
  type RedactRuleProblem,
  redactionTolerances,
  redactRulesOf,
} from './recording/redact-rules.js';
export {
  compareDecisions,
  compareServers,
  type DecisionChange,
  drawsThen,
  movedKeys,
  type Redecided,
} from './recording/redecide.js';
export { besideOf, putInPlace, replaceBy } from './recording/replace.js';
export {
  type DialLink,
  Replay,
  type ReplayItem,
  type ReplayLink,
  type ReplayOptions,
  type ReplayOrder,
  type ReplayOutcome,
  type ReplayResult,
} from './recording/replay.js';
export { blocks, type ItemOptions, type LeftOut, replayItem } from './recording/replay-items.js';
export {
  PROCESS_CLOCK,
  type ReplayClock,
  type ReplayProgress,
} from './recording/replay-pace.js';
export { listedItems, type ReplayItems } from './recording/replay-plan.js';
export {
  changesText,
  ReplayReport,
  type ReplyDifference,
  type RouteDifference,
} from './recording/replay-report.js';
export { ScannedCommand } from './recording/scanned.js';
export type { Script } from './recording/script.js';
export { Selection } from './recording/select.js';
export { readServable, type Servable } from './recording/servable.js';
export { checkOutput, openStream, type SinkOptions } from './recording/sink.js';
export {
  type DueBySeq,
  dueBySeq,
  type SnapshotEvent,
  type SnapshotReport,
  SnapshotState,
} from './recording/snapshot-state.js';
export type { Spoken } from './recording/spoken.js';
export { StartState } from './recording/start-state.js';
export { ToleranceUse } from './recording/tolerance-use.js';
export type { Json, JsonObject } from './recording/values.js';
export { roundSuffix, withoutSuffix } from './recording/vary.js';
export { type BrokenLaw, checkLaw } from './recording/verify.js';
export {
  RecordWriter,
  type RingFile,
  type RingOptions,
  type WriterOptions,
  type WrittenTotals,
} from './recording/writer.js';
export {
  arrayReply,
  bulkReply,
  errorReply,
  integerReply,
  mapReply,
  pushReply,
  simpleReply,
} from './resp/build.js';
export { encodeReply, encodeRequest, type RespVersion } from './resp/encode.js';
export { REPLY, ReplyReader } from './resp/reply.js';
export {
  FAILED as REQUEST_FAILED,
  MORE as MORE_REQUESTS,
  REQUEST,
  RequestParser,
} from './resp/request.js';
export { decodeReply, isError, type Reply, textOf } from './resp/value.js';
export { type Behind, startBehind } from './serve/behind.js';
export type { OnMiss } from './serve/client.js';
export {
  type ClusterNode,
  type ClusterShard,
  clusterInfo,
  clusterNodes,
  clusterShards,
  clusterSlots,
} from './serve/cluster-replies.js';
export { dialSocket, type LinkTarget } from './serve/links.js';
export type { ServedNode } from './serve/nodes.js';
export {
  type ServeHandle,
  type ServeOptions,
  type ServeStats,
  serveScript,
} from './serve/server.js';
