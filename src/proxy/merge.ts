/** The replies of a command's parts → its reply (mesh page, 2.6 to 2.8; for `--open`, Redis's command tips). */
import type { Merge } from '../mesh/decision.js';
import { BANG, DOLLAR, MINUS, UNDERSCORE } from '../resp/bytes.js';
import {
  encodeArrayHead,
  encodeError,
  encodeInteger,
  encodeReply,
  type RespVersion,
} from '../resp/encode.js';
import { decodeReply, isError, type Reply, textOf } from '../resp/value.js';
import { mergeInfo } from './info.js';

/** One part's reply, RESP; `isOurs`: an error of the proxy's, for no server replied. */
export type PartReply = { readonly bytes: Buffer; readonly isOurs: boolean };

export type Merging = {
  readonly merge: Merge;
  readonly name: string;
  /** In the order of the parts. */
  readonly replies: readonly PartReply[];
  /** Indexes of the replies, in the order they came. */
  readonly arrival: readonly number[];
  /** INFO's argument. */
  readonly section: string | null;
  readonly resp: RespVersion;
};

const OK = Buffer.from('+OK\r\n');
const PROTOCOL_ERROR = encodeError('upstream protocol error');

/** The one reply that the client gets. */
export function mergeReplies(merging: Merging): Buffer {
  switch (merging.merge) {
    case 'mget':
      return mergeMget(merging.replies);
    case 'mset': {
      const errors = merging.replies.filter((reply) => !reply.bytes.equals(OK)).length;
      return errors === 0 ? OK : finishedWith(errors);
    }
    case 'del':
      return mergeCounts(merging.replies);
    case 'scan':
      return mergeScan(merging);
    default:
      return mergeShards(merging);
  }
}

function finishedWith(errors: number): Buffer {
  return encodeError(`finished with ${errors} error(s)`);
}

/** Whether a part of MGET gives a value or null; anything else is, or becomes, an error in its place. */
export function isGoodElement({ bytes: [type] }: PartReply): boolean {
  return type === DOLLAR || type === UNDERSCORE;
}

/** Bulk strings, nulls and errors stand as they came; anything else, in its place, is an error. */
function mergeMget(replies: readonly PartReply[]): Buffer {
  const elements = replies.map(({ bytes }) => {
    const type = bytes[0];
    return type === DOLLAR || type === MINUS || type === UNDERSCORE || type === BANG
      ? bytes
      : PROTOCOL_ERROR;
  });
  return Buffer.concat([encodeArrayHead(replies.length), ...elements]);
}

function mergeCounts(replies: readonly PartReply[]): Buffer {
  let sum = 0n;
  let errors = 0;
  for (const { bytes } of replies) {
    const reply = decodeReply(bytes);
    if (reply?.type === ':') sum += BigInt(reply.value);
    else errors++;
  }
  return errors === 0 ? encodeInteger(sum) : finishedWith(errors);
}

/** All top-level elements of all replies, in the order of arrival: a valid SCAN reply only with one shard. */
function mergeScan({ replies, arrival, resp }: Merging): Buffer {
  const decoded = arrival.map((index) => decode(replies[index]));
  const errors = decoded.filter((reply) => reply?.type !== '*').length;
  if (errors > 0) return finishedWith(errors);
  const items = decoded.flatMap((reply) => (reply?.type === '*' ? reply.items : []));
  return encodeReply({ type: '*', items }, resp);
}

function decode(reply: PartReply | undefined): Reply | null {
  return reply === undefined ? null : decodeReply(reply.bytes);
}

/** Commands that went to all shards. Their common failures first: the first error in shard order is the reply. */
function mergeShards(merging: Merging): Buffer {
  const { merge, replies, resp } = merging;
  const decoded: Reply[] = [];
  for (const { bytes } of replies) {
    const reply = decodeReply(bytes);
    if (reply === null) return encodeError('null response received from shard');
    decoded.push(reply);
  }
  const error = decoded.findIndex(isError);
  if (merge === 'one-ok') {
    const good = decoded.find((reply) => !isError(reply));
    return encodeReply(good ?? (decoded[0] as Reply), resp);
  }
  if (error !== -1) return replies[error]?.bytes ?? PROTOCOL_ERROR;
  switch (merge) {
    case 'slowlog-len':
      return mergeSlowlogLen(decoded);
    case 'concat':
      return mergeConcat(decoded, resp);
    case 'role':
      return Buffer.concat([
        encodeArrayHead(replies.length),
        ...replies.map((reply) => reply.bytes),
      ]);
    case 'info':
      return mergeInfo(decoded.map(textOf), merging.section);
    case 'sum':
      return encodeInteger(integers(decoded).reduce((a, b) => a + b, 0n));
    case 'min':
      return encodeInteger(smallest(integers(decoded)));
    case 'min-pairs':
      return mergeMinPairs(decoded, resp);
    case 'hello':
      return mergeHello(decoded, resp);
    default:
      return merge === 'all-ok' || allSame(replies)
        ? (replies[0]?.bytes ?? OK)
        : encodeError('all responses not same');
  }
}

function allSame(replies: readonly PartReply[]): boolean {
  return replies.every((reply) => reply.bytes.equals(replies[0]?.bytes ?? reply.bytes));
}

function integers(replies: readonly Reply[]): bigint[] {
  return replies.map((reply) => (reply.type === ':' ? BigInt(reply.value) : 0n));
}

function smallest(values: readonly bigint[]): bigint {
  let min = values[0] ?? 0n;
  for (const value of values) if (value < min) min = value;
  return min;
}

function mergeSlowlogLen(replies: readonly Reply[]): Buffer {
  let sum = 0n;
  for (const reply of replies) {
    if (reply.type !== ':') return encodeError('non-integer response received from shard');
    if (reply.value.startsWith('-')) return encodeError('negative value received from upstream');
    sum += BigInt(reply.value);
  }
  return encodeInteger(sum);
}

/** Top-level elements, in shard order; maps and sets are flattened (1.40). */
function mergeConcat(replies: readonly Reply[], resp: RespVersion): Buffer {
  const items: Reply[] = [];
  for (const reply of replies) {
    if (reply.type === '*' || reply.type === '~') items.push(...reply.items);
    else if (reply.type === '%') items.push(...reply.pairs.flat());
    else return encodeError('non-array response received from shard');
  }
  return encodeReply({ type: '*', items }, resp);
}

/** WAITAOF: the smallest of each number. */
function mergeMinPairs(replies: readonly Reply[], resp: RespVersion): Buffer {
  const rows = replies.map((reply) => (reply.type === '*' ? integers(reply.items) : []));
  const width = Math.max(...rows.map((row) => row.length));
  const items = Array.from({ length: width }, (_, i): Reply => {
    const column = rows.map((row) => row[i] ?? 0n);
    return { type: ':', value: String(smallest(column)) };
  });
  return encodeReply({ type: '*', items }, resp);
}

/** HELLO from 1.37 to 1.39: the first shard's array with its id made null, if all agree on the version. */
function mergeHello(replies: readonly Reply[], resp: RespVersion): Buffer {
  const fields = replies.map((reply) => (reply.type === '*' ? reply.items : []));
  const valueAt = (items: readonly Reply[], name: string): number =>
    items.findIndex(
      (_item, i) => i % 2 === 1 && textOf(items[i - 1] as Reply)?.toString() === name,
    );
  const protos = fields.map((items) => {
    const proto = items[valueAt(items, 'proto')];
    return proto?.type === ':' ? proto.value : null;
  });
  const [first] = fields;
  if (first === undefined || protos.every((proto) => proto === null)) {
    return encodeError('ERR no valid HELLO response received from any shard');
  }
  if (protos.some((proto) => proto !== protos[0]))
    return encodeError('ERR inconsistent RESP proto across shards');
  const idAt = valueAt(first, 'id');
  const items = first.map(
    (item, i): Reply => (i === idAt ? { type: 'null', spelling: '$' } : item),
  );
  return encodeReply({ type: '*', items }, resp);
}
