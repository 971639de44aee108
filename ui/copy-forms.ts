/** What the copy menu copies, in the forms that other programs take. See `ux.md` c.4. */
import { type Facts, type KeptArgument, redisCliLine as quotedLine, type Reply } from 'rmtop';
import { printable } from './text/printable.js';

/** A redis-cli line that sends the command to `host`:`port`; secrets stay out of it. */
export function redisCliLine(args: readonly KeptArgument[], host: string, port: number): string {
  const cli = `redis-cli -h ${shellWord(Buffer.from(host))} -p ${port}`;
  if (!args.some(hasNul)) return `${cli} ${shellWords(args)}`;
  // No word of a shell's can have a NUL in it; redis-cli reads its own syntax from stdin, where one is \x00.
  const line = quotedLine(args.map((arg) => arg.bytes));
  return `printf '%s\\n' ${shellWord(Buffer.from(line))} | ${cli}`;
}

function hasNul(arg: KeptArgument): boolean {
  return arg.kind !== 'redacted' && arg.bytes.includes(0);
}

/** The arguments as words of a shell; null where they cannot be. */
export function explainWords(args: readonly KeptArgument[]): string | null {
  return args.some((arg) => arg.kind !== 'whole' || hasNul(arg)) ? null : shellWords(args);
}

function shellWords(args: readonly KeptArgument[]): string {
  return args
    .map((arg) => (arg.kind === 'redacted' ? '"$REDISCLI_AUTH"' : shellWord(arg.bytes)))
    .join(' ');
}

/** A word for a POSIX shell; bytes that are not printable need bash's or zsh's `$'…'`. */
export function shellWord(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  if (/^[A-Za-z0-9_:.,@%+=/-]+$/.test(text)) return text;
  if (/^[\x20-\x7e]*$/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = text.replace(/[\\']|[^\x20-\x7e]/g, (char) =>
    char === '\\' || char === "'"
      ? `\\${char}`
      : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `$'${escaped}'`;
}

/** The reply as redis-cli prints it on a terminal. */
export function redisCliReply(reply: Reply, indent = ''): string {
  const list = (items: readonly Reply[]): string =>
    items.length === 0
      ? '(empty array)'
      : items
          .map((item, i) => {
            const number = `${i + 1}) `;
            return `${i === 0 ? '' : indent}${number}${redisCliReply(item, indent + ' '.repeat(number.length))}`;
          })
          .join('\n');
  const ascii = { unicode: false };
  switch (reply.type) {
    case '$':
      return `"${printable(reply.value, ascii, undefined, true)}"`;
    case '=':
      return printable(reply.value.subarray(4), ascii);
    case '+':
      return printable(reply.value, ascii);
    case '-':
    case '!':
      return `(error) ${printable(reply.value, ascii)}`;
    case ':':
      return `(integer) ${reply.value}`;
    case ',':
      return `(double) ${reply.value}`;
    case '(':
      return reply.value;
    case '#':
      return `(${reply.value})`;
    case 'null':
      return '(nil)';
    case '*':
    case '~':
    case '>':
      return list(reply.items);
    case '%':
      return list(reply.pairs.flat());
    case '|':
      return redisCliReply(reply.of, indent);
  }
}

/** The value a command is about: what a write writes, or what a read was answered; null where there is none in one piece. */
export function valueIn(facts: Facts): Buffer | null {
  const { event, reply } = facts;
  if (event === null) return null;
  const keyAt = event.command.keys[0];
  const next = keyAt === undefined ? undefined : event.args[keyAt + 1];
  if (event.command.spec?.writes && next?.kind === 'whole') return next.bytes;
  if (event.reply.condensed || reply === null) return null;
  return reply.type === '$' || reply.type === '+' ? reply.value : null;
}
