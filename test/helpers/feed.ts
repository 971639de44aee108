/** Feeds the parsers of `src/resp` as the proxy does, and writes down what they find. */
import assert from 'node:assert/strict';
import * as replies from '../../src/resp/reply.js';
import * as requests from '../../src/resp/request.js';

/** What a RequestParser made of a stream. */
export type FoundRequest =
  | { readonly kind: 'request'; readonly argv: readonly Buffer[]; readonly bytes: Buffer }
  | {
      readonly kind: 'pieces';
      readonly bytes: Buffer;
      readonly known: readonly Buffer[];
      readonly pieceArgs: readonly number[];
    }
  | { readonly kind: 'invalid' };

/** The end of a stream: everything taken in, or not RESP. */
export type End = 'more' | 'failed';

/** Nothing that a parser finds takes more steps than its bytes could hold; more means it goes round in a loop. */
function stepsFor(chunk: Buffer): number {
  return 16 + 2 * chunk.length;
}

/** All that `parser` finds in `chunks`; large requests are taken in pieces where `inPieces`. */
export function feedRequests(
  chunks: readonly Buffer[],
  inPieces = false,
  parser: requests.RequestParser = new requests.RequestParser(),
): {
  readonly found: FoundRequest[];
  readonly end: End;
  readonly error: string;
  readonly mostHeld: number;
} {
  const found: FoundRequest[] = [];
  const frames: { readonly frame: Buffer; readonly copy: Buffer }[] = [];
  let large: { known: Buffer[]; bytes: Buffer[]; pieceArgs: number[] } | null = null;
  let mostHeld = 0;
  let end: End = 'more';
  reading: for (const chunk of chunks) {
    parser.push(chunk);
    for (let left = stepsFor(chunk); ; left--) {
      assert.ok(left > 0, 'the parser goes round in a loop');
      const outcome = parser.next();
      if (outcome === requests.MORE) break;
      if (outcome === requests.FAILED) {
        end = 'failed';
        break reading;
      }
      switch (outcome) {
        case requests.REQUEST: {
          const bytes = parser.frame.subarray(parser.start, parser.end);
          frames.push({ frame: bytes, copy: Buffer.from(bytes) });
          found.push({
            kind: 'request',
            argv: argumentsOf(parser, parser.argc),
            bytes: Buffer.from(bytes),
          });
          break;
        }
        case requests.INVALID:
          found.push({ kind: 'invalid' });
          break;
        case requests.LARGE:
          if (!inPieces) break;
          large = { known: argumentsOf(parser, parser.args - 1), bytes: [], pieceArgs: [] };
          parser.inPieces();
          break;
        default: {
          assert.ok(large !== null, 'a piece of nothing');
          large.bytes.push(Buffer.from(parser.frame.subarray(parser.start, parser.end)));
          large.pieceArgs.push(parser.pieceArg);
          if (outcome === requests.PIECE) break;
          found.push({
            kind: 'pieces',
            bytes: Buffer.concat(large.bytes),
            known: large.known,
            pieceArgs: large.pieceArgs,
          });
          large = null;
        }
      }
    }
    mostHeld = Math.max(mostHeld, parser.heldBytes);
  }
  // A request is a range of bytes that stay as they are: whoever sends it later sends the same.
  for (const { frame, copy } of frames)
    assert.ok(frame.equals(copy), 'bytes of a request have changed after it was found');
  return { found, end, error: parser.error, mostHeld };
}

function argumentsOf(parser: requests.RequestParser, count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(parser.frame.subarray(parser.argStart[i], parser.argEnd[i])),
  );
}

/** One reply as a ReplyReader gave it. */
export type FoundReply = {
  readonly bytes: Buffer;
  readonly inPieces: boolean;
  readonly type: string;
  readonly resp3: boolean;
  readonly attribute: boolean;
};

/** All that `reader` finds in `chunks`, each read into one buffer that is used again, as `src/proxy/upstream.ts` does. */
export function feedReplies(
  chunks: readonly Buffer[],
  mayPiece = false,
  reader: replies.ReplyReader = new replies.ReplyReader(),
): {
  readonly found: FoundReply[];
  readonly end: End;
  readonly error: string;
  readonly mostHeld: number;
} {
  const found: FoundReply[] = [];
  const shared = Buffer.alloc(chunks.reduce((most, chunk) => Math.max(most, chunk.length), 0));
  let pieces: Buffer[] = [];
  let mostHeld = 0;
  for (const chunk of chunks) {
    chunk.copy(shared);
    reader.push(shared, chunk.length);
    for (let left = stepsFor(chunk); ; left--) {
      assert.ok(left > 0, 'the reader goes round in a loop');
      const outcome = reader.next(mayPiece);
      if (outcome === replies.MORE) break;
      if (outcome === replies.FAILED)
        return { found, end: 'failed', error: reader.error, mostHeld };
      pieces.push(Buffer.from(reader.buf.subarray(reader.start, reader.end)));
      if (outcome === replies.PIECE) continue;
      found.push({
        bytes: Buffer.concat(pieces),
        inPieces: outcome === replies.LAST_PIECE,
        type: String.fromCharCode(reader.type),
        resp3: reader.resp3,
        attribute: reader.attribute,
      });
      pieces = [];
    }
    mostHeld = Math.max(mostHeld, reader.heldBytes);
    shared.fill(0xaa); // what the reader still needs, it has copied
  }
  return { found, end: 'more', error: '', mostHeld };
}
