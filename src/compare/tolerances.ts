/**
 * Which differences between two replies mean nothing, by command (recording page, section 6).
 *
 * The tables start from what the server itself says in COMMAND DOCS: `nondeterministic_output` and `nondeterministic_output_order` of
 * Redis 7.0.15, against which a test holds them. Commands that are in none are compared exactly.
 */
import type { Command } from '../commands/command.js';
import { RmtopError } from '../errors.js';
import { type LatencyLimit, parseLatencyLimit } from './latency.js';
import { parseToleranceRule, type ToleranceRule, type UserRule } from './rules.js';

/** The name of a built-in tolerance, as it is reported and switched off. A user's own has the name of its rule. */
export type ToleranceName =
  | 'order'
  | 'ttl'
  | 'time'
  | 'random'
  | 'cursor'
  | 'server'
  | 'float'
  | 'error-text';

/** How far two replies may differ and still count as the same. */
export type Tolerances = {
  /** Replies whose order the server leaves open are compared as multisets. */
  readonly order: boolean;
  /** How far times to live may be apart, ms; 0 is off. */
  readonly ttlMs: number;
  readonly time: boolean;
  readonly random: boolean;
  readonly cursor: boolean;
  readonly server: boolean;
  /** Relative difference of two doubles; 0 is off. */
  readonly float: number;
  /** Errors are the same when their code word is. */
  readonly errorText: boolean;
  /** What quantiles of latencies have to keep; none: latencies are not compared. */
  readonly latency: readonly LatencyLimit[];
  /** A user's own. */
  readonly rules: readonly UserRule[];
};

export const DEFAULT_TOLERANCES: Tolerances = {
  order: true,
  ttlMs: 2000,
  time: true,
  random: true,
  cursor: true,
  server: true,
  float: 1e-12,
  errorText: true,
  latency: [],
  rules: [],
};

/** Every byte counts. */
export const NO_TOLERANCES: Tolerances = {
  order: false,
  ttlMs: 0,
  time: false,
  random: false,
  cursor: false,
  server: false,
  float: 0,
  errorText: false,
  latency: [],
  rules: [],
};

function names(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s*,\s*/));
}

/** Tagged `nondeterministic_output_order`, and three that walk a hash table as well. */
const ORDER_FREE = names(
  `COMMAND, COMMAND DOCS, COMMAND INFO, COMMAND LIST, FUNCTION LIST, HGETALL, HKEYS, HVALS, KEYS, MODULE LIST, SDIFF, SINTER,
   SMEMBERS, SUNION, CONFIG GET, PUBSUB CHANNELS, PUBSUB SHARDCHANNELS`,
);

/** Unit of the reply in ms. */
const TTL_UNIT_MS: Readonly<Record<string, number>> = {
  TTL: 1000,
  PTTL: 1,
  EXPIRETIME: 1000,
  PEXPIRETIME: 1,
  'OBJECT IDLETIME': 1000,
  HTTL: 1000,
  HPTTL: 1,
  HEXPIRETIME: 1000,
  HPEXPIRETIME: 1,
};

const TIMES = names(
  'TIME, LASTSAVE, XADD, XINFO CONSUMERS, XINFO STREAM, XPENDING, XCLAIM, XAUTOCLAIM',
);

const RANDOM = names('RANDOMKEY, SRANDMEMBER, SPOP, HRANDFIELD, ZRANDMEMBER, ACL GENPASS');

const CURSORS = names('SCAN, HSCAN, SSCAN, ZSCAN');

/** PUBLISH is no figure of a server by its tags, but it counts the subscribers of one node of a cluster only. */
const SERVER = names(
  `INFO, INFO.SHARD, CLIENT ID, CLIENT INFO, CLIENT LIST, CLIENT GETREDIR, DUMP, FUNCTION STATS, FUNCTION DUMP, HELLO, MIGRATE,
   OBJECT ENCODING, OBJECT FREQ, OBJECT REFCOUNT, ROLE, XTRIM, ACL LOG, LOLWUT, PUBLISH`,
);
const SERVER_CONTAINERS = names('CLUSTER, COMMAND, MEMORY, LATENCY, SLOWLOG');

const FLOATS = names(
  `INCRBYFLOAT, HINCRBYFLOAT, ZADD, ZINCRBY, ZSCORE, ZMSCORE, ZRANGE, ZREVRANGE, ZRANGEBYSCORE, ZREVRANGEBYSCORE, ZDIFF, ZINTER,
   ZUNION, ZPOPMIN, ZPOPMAX, ZMPOP, BZPOPMIN, BZPOPMAX, BZMPOP, ZRANDMEMBER, ZSCAN, ZRANK, ZREVRANK, GEODIST, GEOPOS, GEORADIUS,
   GEORADIUS_RO, GEORADIUSBYMEMBER, GEORADIUSBYMEMBER_RO, GEOSEARCH`,
);

/** What RESP2 writes as a flat array and RESP3 as a map, or as pairs. */
const PAIRED = names(
  `HGETALL, HSCAN, ZSCAN, CONFIG GET, HRANDFIELD, ZRANGE, ZREVRANGE, ZRANGEBYSCORE, ZREVRANGEBYSCORE, ZDIFF, ZINTER, ZUNION, ZPOPMIN, ZPOPMAX,
   ZRANDMEMBER, XREAD, XREADGROUP, XINFO STREAM, XINFO CONSUMERS, XINFO GROUPS, HELLO, COMMAND DOCS, MEMORY STATS, PUBSUB NUMSUB,
   LCS, FUNCTION LIST, ACL GETUSER`,
);

/** What may differ for one command under given settings. */
export type Rules = {
  readonly settings: Tolerances;
  readonly order: boolean;
  /** ms a unit of an integer is worth, where replies are times to live; else 0. */
  readonly ttlUnitMs: number;
  readonly time: boolean;
  readonly random: boolean;
  readonly cursor: boolean;
  readonly server: boolean;
  readonly float: boolean;
  readonly paired: boolean;
};

/** The rules for the replies of a command. */
export function rulesFor(command: Command, settings: Tolerances): Rules {
  const { name } = command;
  const [container = ''] = name.split(' ', 1);
  return {
    settings,
    order: settings.order && ORDER_FREE.has(name),
    ttlUnitMs: settings.ttlMs > 0 ? (TTL_UNIT_MS[name] ?? 0) : 0,
    time: settings.time && TIMES.has(name) && hasOwnTime(command),
    random: settings.random && RANDOM.has(name),
    cursor: settings.cursor && CURSORS.has(name),
    server: settings.server && (SERVER.has(name) || SERVER_CONTAINERS.has(container)),
    float: FLOATS.has(name),
    paired: PAIRED.has(name),
  };
}

/** XADD makes an id only where it is asked for one. */
function hasOwnTime(command: Command): boolean {
  if (command.name !== 'XADD') return true;
  return command.argv.some(
    (arg, i) => i > 1 && /^(?:\d+-)?\*$/.test(arg.toString('latin1', 0, 32)),
  );
}

/** The names that are tolerated at all for a command: for tests and for explaining a report. */
export function tolerancesOf(command: Command, settings: Tolerances): ToleranceName[] {
  const rules = rulesFor(command, settings);
  const found: ToleranceName[] = [];
  if (rules.order) found.push('order');
  if (rules.ttlUnitMs > 0) found.push('ttl');
  if (rules.time) found.push('time');
  if (rules.random) found.push('random');
  if (rules.cursor) found.push('cursor');
  if (rules.server) found.push('server');
  if (rules.float && settings.float > 0) found.push('float');
  return found;
}

const SETTINGS =
  'order=off ttl=5s time=strict random=off cursor=off server=compare float=0 errors=strict latency=p99<2x rules=off none';

/** Tolerances as a settings file has them: settings as for `--tolerate`, and rules. Plain data: it goes to other threads. */
export type ToleranceSource = readonly (string | ToleranceRule)[];

/** What `source` says, over `from`. Throws USAGE where something in it is wrong. */
export function readTolerances(
  source: ToleranceSource,
  from: Tolerances = DEFAULT_TOLERANCES,
): Tolerances {
  let settings = from;
  const rules: UserRule[] = [];
  for (const each of source) {
    if (typeof each === 'string') {
      settings = parseTolerances([each], settings);
      continue;
    }
    const rule = parseToleranceRule(each);
    if (rule.kind === 'problem')
      throw new RmtopError('USAGE', `a tolerance's ${rule.key}: ${rule.message}`, {
        next: ['rmtop config --schema'],
      });
    rules.push(rule);
  }
  return rules.length === 0 ? settings : { ...settings, rules: [...settings.rules, ...rules] };
}

/** Reads settings such as `ttl=5s`, `errors=strict` or `none`, later ones over earlier ones. Throws USAGE. */
export function parseTolerances(
  texts: readonly string[],
  from: Tolerances = DEFAULT_TOLERANCES,
): Tolerances {
  return texts
    .flatMap((text) => text.split(','))
    .reduce((settings, text) => withSetting(settings, text.trim()), from);
}

function withSetting(settings: Tolerances, text: string): Tolerances {
  if (text === 'none') return NO_TOLERANCES;
  const [, name = '', value = ''] = /^([a-z-]+)=(.+)$/.exec(text) ?? [];
  const isOff = /^(?:off|strict|compare|0)$/.test(value);
  const isOn = value === 'on';
  switch (name) {
    case 'order':
    case 'time':
    case 'random':
    case 'cursor':
    case 'server':
      if (isOff || isOn) return { ...settings, [name]: isOn };
      break;
    case 'errors':
    case 'error-text':
      if (isOff || isOn) return { ...settings, errorText: isOn };
      break;
    case 'ttl': {
      const [, figure, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(value) ?? [];
      if (isOff) return { ...settings, ttlMs: 0 };
      if (figure !== undefined)
        return {
          ...settings,
          ttlMs: Number(figure) * ({ ms: 1, s: 1000, m: 60_000 }[unit ?? 's'] ?? 1),
        };
      break;
    }
    case 'float':
      if (isOff) return { ...settings, float: 0 };
      if (Number(value) > 0) return { ...settings, float: Number(value) };
      break;
    case 'rules':
      if (isOff) return { ...settings, rules: [] };
      break;
    case 'latency': {
      if (isOff) return { ...settings, latency: [] };
      const limit = parseLatencyLimit(value);
      if (limit !== null) return { ...settings, latency: [...settings.latency, limit] };
      break;
    }
    default:
  }
  throw new RmtopError('USAGE', `--tolerate '${text}' is not understood`, {
    why: `wanted, comma-separated: ${SETTINGS}`,
    next: ['rmtop replay --help'],
  });
}
