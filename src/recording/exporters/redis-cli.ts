/** One line a command in redis-cli's own syntax: `redis-cli < file` sends them. No comments: redis-cli would send those as well. */
import { quoteBytes } from '../../compare/show.js';
import type { Exporter } from '../exporters.js';
import { commandOf, wholeArguments } from './command-of.js';

const BARE = /^[\w.:/{}@%+,=<>-]+$/;

/** Arguments as redis-cli reads them back: bare words where they are, else quoted, bytes as `\xNN`. */
export function redisCliLine(args: readonly Buffer[]): string {
  return args
    .map((arg) => {
      const text = arg.toString('latin1');
      return BARE.test(text) ? text : quoteBytes(arg);
    })
    .join(' ');
}

export const redisCli: Exporter = {
  name: 'redis-cli',
  help: 'a line a command, for redis-cli < FILE',
  head: '',
  entry(entry) {
    const event = commandOf(entry);
    if (event === null || event.args.length === 0) return null;
    return `${redisCliLine(wholeArguments(event))}\n`;
  },
};
