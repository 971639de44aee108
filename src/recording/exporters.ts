/** The forms a recording can be printed in, in the order of the help. */
import { csv } from './exporters/csv.js';
import { flat } from './exporters/flat.js';
import { har } from './exporters/har.js';
import { json } from './exporters/json.js';
import { redisCli } from './exporters/redis-cli.js';
import { resp, respReplies } from './exporters/resp.js';
import { text } from './exporters/text.js';
import type { Entry } from './reader.js';

/** One form. `entry` gives what stands for an entry, null for nothing; it may throw what an entry cannot be. */
export type Exporter = {
  readonly name: string;
  readonly help: string;
  /** What comes before everything else. */
  readonly head: string;
  entry(entry: Entry): string | Buffer | null;
  /** Of a form whose entries make one document: what prints that, of one recording. */
  document?(): Printer;
};

/** Prints the entries of one recording in their order, and what comes behind them. */
export type Printer = { entry(entry: Entry): string; end(): string };

export const EXPORTERS: readonly Exporter[] = [
  text,
  json,
  redisCli,
  resp,
  respReplies,
  flat,
  csv,
  har,
];
