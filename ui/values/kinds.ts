/** What a value may be: the names that the Decoded tab shows and `:decode` takes. */
import { isUtf8 } from 'node:buffer';

/** `gzip` stands for zlib's framing, too. */
export type Codec = 'json' | 'msgpack' | 'gzip' | 'protobuf' | 'text' | 'hex';

export const CODECS: readonly Codec[] = ['json', 'msgpack', 'gzip', 'protobuf', 'text', 'hex'];

/** As people write them. */
export const CODEC_NAMES: Readonly<Record<Codec, string>> = {
  json: 'JSON',
  msgpack: 'MessagePack',
  gzip: 'gzip',
  protobuf: 'protobuf wire format',
  text: 'text',
  hex: 'binary',
};

/** A value laid out: `name` is what it was taken for, `lines` its text, printable already. */
export type Shown = { readonly name: string; readonly lines: readonly string[] };

/**
 * What one drawing may cost: hostile values are small and grow large. `inflate`: bytes that may still come out of compressed values;
 * `lines`: lines that may still be made.
 */
export type Budget = { inflate: number; lines: number };

/** Enough for whoever reads, and made in a few milliseconds. */
export function newBudget(): Budget {
  return { inflate: 4 * 1024 * 1024, lines: 2000 };
}

/** UTF-8 without control characters other than those of layout. */
export function looksLikeText(bytes: Buffer): boolean {
  for (const byte of bytes)
    if ((byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13) || byte === 0x7f) return false;
  return isUtf8(bytes);
}
