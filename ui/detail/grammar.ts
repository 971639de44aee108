/** What each word of a command is to it: key, field, value, time to live. For the commands that people use; the keys of all others are known anyway. */

/**
 * Words after the command's name, in order; those in parentheses repeat until the options, or the end. `options` are taken by name.
 * From the commands' pages at redis.io/commands.
 */
const GRAMMAR: Readonly<Record<string, string>> = {
  SET: 'key value options',
  SETEX: 'key seconds value',
  PSETEX: 'key ms value',
  SETNX: 'key value',
  GETSET: 'key value',
  GETEX: 'key options',
  APPEND: 'key value',
  MSET: '(key value)',
  MSETNX: '(key value)',
  INCRBY: 'key number',
  DECRBY: 'key number',
  INCRBYFLOAT: 'key number',
  SETRANGE: 'key offset value',
  GETRANGE: 'key start stop',
  SETBIT: 'key offset bit',
  GETBIT: 'key offset',
  EXPIRE: 'key seconds options',
  PEXPIRE: 'key ms options',
  EXPIREAT: 'key unix-time options',
  PEXPIREAT: 'key unix-ms options',
  HSET: 'key (field value)',
  HMSET: 'key (field value)',
  HSETNX: 'key field value',
  HGET: 'key field',
  HMGET: 'key (field)',
  HDEL: 'key (field)',
  HEXISTS: 'key field',
  HINCRBY: 'key field number',
  HINCRBYFLOAT: 'key field number',
  LPUSH: 'key (element)',
  RPUSH: 'key (element)',
  LPUSHX: 'key (element)',
  RPUSHX: 'key (element)',
  LRANGE: 'key start stop',
  LTRIM: 'key start stop',
  LINDEX: 'key index',
  LSET: 'key index element',
  LREM: 'key count element',
  LPOP: 'key count',
  RPOP: 'key count',
  SADD: 'key (member)',
  SREM: 'key (member)',
  SISMEMBER: 'key member',
  SMISMEMBER: 'key (member)',
  ZADD: 'key options (score member)',
  ZINCRBY: 'key number member',
  ZREM: 'key (member)',
  ZSCORE: 'key member',
  ZRANK: 'key member',
  ZRANGE: 'key start stop options',
  ZREVRANGE: 'key start stop options',
  ZRANGEBYSCORE: 'key min max options',
  ZREVRANGEBYSCORE: 'key max min options',
  ZREMRANGEBYRANK: 'key start stop',
  ZREMRANGEBYSCORE: 'key min max',
  ZCOUNT: 'key min max',
  XADD: 'key options id (field value)',
  XRANGE: 'key start stop options',
  XREVRANGE: 'key stop start options',
  XDEL: 'key (id)',
  XACK: 'key group (id)',
  PFADD: 'key (element)',
  GEOADD: 'key options (longitude latitude member)',
  PUBLISH: 'channel message',
  SCAN: 'cursor options',
  HSCAN: 'key cursor options',
  SSCAN: 'key cursor options',
  ZSCAN: 'key cursor options',
  ECHO: 'message',
  RENAME: 'key key',
  EVAL: 'script numkeys (arg)',
  EVALSHA: 'sha1 numkeys (arg)',
};

/** Options, and what the words after them are. */
const OPTIONS: Readonly<Record<string, string>> = {
  EX: 'seconds',
  PX: 'ms',
  EXAT: 'unix-time',
  PXAT: 'unix-ms',
  COUNT: 'count',
  MATCH: 'pattern',
  TYPE: 'type',
  LIMIT: 'offset count',
  MAXLEN: 'count',
  MINID: 'id',
};

/** Without a value of their own. */
const FLAGS = new Set(
  'NX XX GT LT CH INCR GET KEEPTTL PERSIST WITHSCORES REV BYSCORE BYLEX NOMKSTREAM ~ ='.split(' '),
);

/** The role of each word, `argv[0]` the command's name; empty where none is known. `keys` are the keys' positions. */
export function rolesOf(
  name: string,
  argv: readonly Buffer[],
  keys: readonly number[],
): readonly string[] {
  const roles: string[] = argv.map(() => '');
  const first = name.split(' ').length;
  for (let i = 0; i < first && i < roles.length; i++) roles[i] = i === 0 ? 'command' : 'subcommand';
  give(GRAMMAR[name] ?? '', argv, first, roles);
  for (const at of keys) if (at < roles.length) roles[at] = 'key';
  return roles;
}

function give(grammar: string, argv: readonly Buffer[], from: number, roles: string[]): void {
  const [, fixed = '', repeated = ''] = /^([^(]*)(?:\((.*)\))?$/.exec(grammar) ?? [];
  let at = from;
  for (const word of fixed.split(' ').filter(Boolean)) {
    if (word === 'options') at = giveOptions(argv, at, roles);
    else if (at < roles.length) roles[at++] = word;
  }
  const cycle = repeated.split(' ').filter(Boolean);
  for (let i = 0; cycle.length > 0 && at < roles.length; i++, at++)
    roles[at] = cycle[i % cycle.length] ?? '';
}

/** Gives where they end. */
function giveOptions(argv: readonly Buffer[], from: number, roles: string[]): number {
  let at = from;
  while (at < argv.length) {
    const word = (argv[at]?.length ?? 99) > 16 ? '' : (argv[at]?.toString().toUpperCase() ?? '');
    const values = OPTIONS[word];
    if (values === undefined && !FLAGS.has(word)) return at;
    roles[at++] = 'option';
    for (const value of (values ?? '').split(' ').filter(Boolean)) {
      // XADD's MAXLEN may have a ~ or = before its number.
      if (FLAGS.has(argv[at]?.toString() ?? '')) roles[at++] = 'option';
      if (at < argv.length) roles[at++] = value;
    }
  }
  return at;
}

/** What a number means to people: a time to live, a moment; empty where it says it already. */
export function inWords(role: string, text: string): string {
  const n = Number(text);
  if (!/^\d{1,16}$/.test(text)) return '';
  switch (role) {
    case 'seconds':
      return lasting(n);
    case 'ms':
      return lasting(n / 1000);
    case 'unix-time':
      return moment(n * 1000);
    case 'unix-ms':
      return moment(n);
    default:
      return '';
  }
}

function lasting(seconds: number): string {
  if (seconds < 60) return seconds < 1 || !Number.isInteger(seconds) ? `${seconds} s` : '';
  const parts: string[] = [];
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const n = Math.floor(seconds / size);
    if (n > 0) parts.push(`${n} ${unit}`);
    seconds -= n * size;
  }
  return parts.slice(0, 2).join(' ');
}

function moment(ms: number): string {
  return Math.abs(ms) > 8.64e15 ? '' : new Date(ms).toISOString();
}
