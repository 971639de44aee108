/** Requests as they go over the wire, for `redis-cli --pipe`; and requests with their replies, as a transcript. */
import { encodeRequest } from '../../resp/encode.js';
import type { Exporter } from '../exporters.js';
import { commandOf, wholeArguments } from './command-of.js';

export const resp: Exporter = {
  name: 'resp',
  help: 'the requests as RESP, for redis-cli --pipe',
  head: '',
  entry(entry) {
    const event = commandOf(entry);
    return event === null || event.args.length === 0 ? null : encodeRequest(wholeArguments(event));
  },
};

export const respReplies: Exporter = {
  name: 'resp-replies',
  help: 'each request and its reply as RESP',
  head: '',
  entry(entry) {
    const event = commandOf(entry);
    if (event === null || event.args.length === 0) return null;
    const reply = event.reply.condensed ? Buffer.alloc(0) : event.reply.bytes;
    return Buffer.concat([encodeRequest(wholeArguments(event)), reply]);
  },
};
