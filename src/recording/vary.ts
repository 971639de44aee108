/** Keys of their own for each round of a replay, so that rounds do not meet (recording page, 5: `--vary key`). */
import { encodeReply } from '../resp/encode.js';
import { decodeReply, type Reply } from '../resp/value.js';

/** What is put behind the keys of a round, from 1; null for the first, whose keys stay as they were recorded. A hash tag stays one. */
export function roundSuffix(round: number): Buffer | null {
  return round === 1 ? null : Buffer.from(`~round${round}`);
}

/** A reply with the names of keys as they were recorded: strings that end with `suffix` without it. */
export function withoutSuffix(reply: Buffer, suffix: Buffer): Buffer {
  if (!reply.includes(suffix)) return reply;
  const value = decodeReply(reply);
  return value === null ? reply : encodeReply(stripped(value, suffix), 3);
}

function stripped(reply: Reply, suffix: Buffer): Reply {
  switch (reply.type) {
    case '$': {
      const at = reply.value.length - suffix.length;
      const isVaried = at >= 0 && reply.value.subarray(at).equals(suffix);
      return isVaried ? { type: '$', value: reply.value.subarray(0, at) } : reply;
    }
    case '*':
    case '~':
    case '>':
      return { type: reply.type, items: reply.items.map((item) => stripped(item, suffix)) };
    case '%':
      return {
        type: '%',
        pairs: reply.pairs.map(([key, value]) => [stripped(key, suffix), stripped(value, suffix)]),
      };
    default:
      return reply;
  }
}
