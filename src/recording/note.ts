/** A recorded command as the core knew it when it had finished: what blocks of events are written from. */
import { type AttemptNote, type CommandNote, FLAG } from '../events/block.js';
import type { RecordedCommand } from './command.js';

/** The note that `event` was once written from; its bytes are those that were kept. */
export function noteOf(event: RecordedCommand): CommandNote {
  const { request, reply, outcome, command, atUs, json } = event;
  const { session } = command;
  const [topologyVersion, configVersion] = event.decidedBy;
  const { authenticated, resp, multi, subscribed } = session;
  const flags =
    (authenticated ? FLAG.authenticated : 0) |
    (resp === 3 ? FLAG.resp3 : 0) |
    (multi ? FLAG.multi : 0) |
    (subscribed ? FLAG.subscribed : 0) |
    (outcome.kind === 'client-closed' ? FLAG.clientClosed : 0) |
    (outcome.kind === 'shutdown' ? FLAG.shutdown : 0) |
    (request.condensed ? FLAG.condensed : 0) |
    (reply.condensed ? FLAG.replyCondensed : 0);
  return {
    seq: event.seq,
    atUs,
    connection: event.connection,
    flags,
    topologyVersion,
    configVersion,
    draws: event.draws,
    attempts: json.at === undefined ? null : event.attempts.map((each) => attemptOf(each, atUs)),
    queueUs: event.queueUs,
    upstreamUs: event.upstreamUs,
    burst: event.burst,
    transactionKey: session.transactionKey,
    pinned: session.pinned,
    home: session.home,
    cause: outcome.kind === 'reply' ? outcome.cause : null,
    requestBuf: request.bytes,
    requestStart: 0,
    requestEnd: request.bytes.length,
    requestTotal: request.total,
    replyBuf: reply.bytes,
    replyStart: 0,
    replyEnd: reply.bytes.length,
    replyTotal: reply.total,
  };
}

/** Times from the command's arrival → times from the stream's beginning. */
function attemptOf(attempt: AttemptNote, atUs: number): AttemptNote {
  const { sentUs, doneUs } = attempt;
  return {
    ...attempt,
    sentUs: sentUs < 0 ? -1 : atUs + sentUs,
    doneUs: doneUs < 0 ? -1 : atUs + doneUs,
  };
}
