/**
 * What the mesh makes of each Redis command, one row a command; nothing here decides anything.
 *
 * `mesh` and `since` restate the mesh page (2.1 to 2.11); arity and keys are those of Redis 7.0's own COMMAND, against which a test
 * holds this table; `open` says what `--open` does with a command that the mesh refuses (request and response policies of Redis's
 * command tips). A subcommand has a row of its own where it differs from its container.
 */
import { equalsIgnoreCase } from '../resp/bytes.js';
import {
  ALL,
  ALL_BUT_LAST,
  destinationAndNumkeys,
  FIRST,
  FROM_SECOND,
  firstAndGeoStore,
  firstAndStore,
  type KeyRule,
  migrateKeys,
  NONE,
  numkeys,
  PAIRS,
  SECOND,
  streams,
  TWO,
} from './keys.js';

/**
 * How the mesh treats a command it knows: sent whole to the owner of element 1 (`simple`), 2 (`object`) or 3 (`eval`); split per key
 * (`mget`, `mset`, `sum`); sent to all shards (`scan`, `everywhere`), one given (`info-shard`) or one random shard (`any-shard`);
 * `transaction`; answered by the proxy itself (`local`).
 */
export type MeshClass =
  | 'simple'
  | 'object'
  | 'eval'
  | 'mget'
  | 'mset'
  | 'sum'
  | 'scan'
  | 'everywhere'
  | 'info-shard'
  | 'any-shard'
  | 'transaction'
  | 'local';

/**
 * Where `--open` sends a command that the mesh refuses, when not to the owner of its first key: `own` on a connection of the client's
 * own; `shards` to all primaries, `nodes` to all nodes, `own-shards` both; the rest as they are called. Default: any one primary.
 */
export type OpenClass =
  | 'own'
  | 'shards'
  | 'nodes'
  | 'own-shards'
  | 'subscription'
  | 'monitor'
  | 'local'
  | 'never';

/** How the replies of all shards become one. The first five are Envoy's (2.7), the others those of Redis's command tips. */
export type MergeRule =
  | 'same'
  | 'concat'
  | 'slowlog-len'
  | 'role'
  | 'info'
  | 'all-ok'
  | 'one-ok'
  | 'sum'
  | 'min'
  | 'min-pairs';

type Row = {
  /** Elements with the name; negative: at least. */
  readonly arity: number;
  readonly keys: KeyRule;
  readonly mesh?: MeshClass;
  /** The first Envoy, by its minor version, that knows it. */
  readonly since?: number;
  /** Redis itself says it writes (Envoy's own list, which differs, is ENVOY_WRITES). */
  readonly writes?: boolean;
  readonly open?: OpenClass;
  readonly merge?: MergeRule;
  /** Its arguments or reply may hold a password: see `recording/redact`. */
  readonly secret?: boolean;
};

/** One command, or subcommand (`CONFIG GET`), of the table. */
export type CommandSpec = {
  /** Position in `COMMANDS`. */
  readonly id: number;
  readonly name: string;
  readonly arity: number;
  readonly keys: KeyRule;
  readonly mesh: MeshClass | null;
  readonly since: number;
  readonly writes: boolean;
  /** Whether Envoy takes it for a write; all else it takes for reads (2.4). */
  readonly envoyWrite: boolean;
  readonly open: OpenClass | null;
  readonly merge: MergeRule | null;
  readonly secret: boolean;
  /** Whether the second word is a subcommand that has a row, or a name, of its own. */
  readonly container: boolean;
  /** The container of a subcommand's row. */
  readonly parent: string | null;
};

/** Envoy's list of writes; everything else, known or not, counts as a read (2.4). */
export const ENVOY_WRITES: ReadonlySet<string> = new Set(
  `APPEND BITFIELD BITOP COPY DECR DECRBY DEL DISCARD EVAL EVALSHA EXEC EXPIRE EXPIREAT GEOADD GEORADIUS GEORADIUSBYMEMBER
  GEOSEARCHSTORE GETDEL HDEL HEXPIRE HEXPIREAT HINCRBY HINCRBYFLOAT HMSET HPERSIST HPEXPIRE HPEXPIREAT HSET HSETNX INCR INCRBY
  INCRBYFLOAT LINSERT LMOVE LPOP LPUSH LPUSHX LREM LSET LTRIM MSET MSETNX MULTI PERSIST PEXPIRE PEXPIREAT PFADD PFMERGE PSETEX
  RENAME RENAMENX RESTORE RPOP RPOPLPUSH RPUSH RPUSHX SADD SDIFFSTORE SET SETBIT SETEX SETNX SETRANGE SINTERSTORE SMOVE SORT SPOP
  SREM SUNIONSTORE TOUCH UNLINK ZADD ZDIFFSTORE ZINCRBY ZINTERSTORE ZPOPMAX ZPOPMIN ZRANGESTORE ZREM ZREMRANGEBYLEX
  ZREMRANGEBYRANK ZREMRANGEBYSCORE ZUNIONSTORE`.split(/\s+/),
);

/** Commands whose second word is a subcommand. */
const CONTAINERS: ReadonlySet<string> = new Set(
  'ACL CLIENT CLUSTER COMMAND CONFIG DEBUG FUNCTION LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT SLOWLOG XGROUP XINFO'.split(
    ' ',
  ),
);

const ROWS: Readonly<Record<string, Row>> = {
  // strings
  APPEND: { arity: 3, keys: FIRST, mesh: 'simple', writes: true },
  DECR: { arity: 2, keys: FIRST, mesh: 'simple', writes: true },
  DECRBY: { arity: 3, keys: FIRST, mesh: 'simple', writes: true },
  GETDEL: { arity: 2, keys: FIRST, mesh: 'simple', writes: true },
  INCR: { arity: 2, keys: FIRST, mesh: 'simple', writes: true },
  INCRBY: { arity: 3, keys: FIRST, mesh: 'simple', writes: true },
  INCRBYFLOAT: { arity: 3, keys: FIRST, mesh: 'simple', writes: true },
  PSETEX: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  SET: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  SETEX: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  SETNX: { arity: 3, keys: FIRST, mesh: 'simple', writes: true },
  SETRANGE: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  MSETNX: { arity: -3, keys: PAIRS, mesh: 'simple', since: 36, writes: true },
  GET: { arity: 2, keys: FIRST, mesh: 'simple' },
  GETEX: { arity: -2, keys: FIRST, mesh: 'simple', writes: true },
  GETSET: { arity: 3, keys: FIRST, mesh: 'simple', writes: true },
  GETRANGE: { arity: 4, keys: FIRST, mesh: 'simple' },
  STRLEN: { arity: 2, keys: FIRST, mesh: 'simple' },
  SUBSTR: { arity: 4, keys: FIRST, mesh: 'simple', since: 36 },
  // bitmaps
  BITFIELD: { arity: -2, keys: FIRST, mesh: 'simple', writes: true },
  SETBIT: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  BITOP: { arity: -4, keys: FROM_SECOND, mesh: 'simple', since: 36, writes: true },
  BITCOUNT: { arity: -2, keys: FIRST, mesh: 'simple' },
  BITFIELD_RO: { arity: -2, keys: FIRST, mesh: 'simple', since: 38 },
  BITPOS: { arity: -3, keys: FIRST, mesh: 'simple' },
  GETBIT: { arity: 3, keys: FIRST, mesh: 'simple' },
  // generic
  COPY: { arity: -3, keys: TWO, mesh: 'simple', since: 36, writes: true },
  EXPIRE: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  EXPIREAT: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  PERSIST: { arity: 2, keys: FIRST, mesh: 'simple', writes: true },
  PEXPIRE: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  PEXPIREAT: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  RENAME: { arity: 3, keys: TWO, mesh: 'simple', since: 36, writes: true },
  RENAMENX: { arity: 3, keys: TWO, mesh: 'simple', since: 36, writes: true },
  RESTORE: { arity: -4, keys: FIRST, mesh: 'simple', writes: true },
  SORT: { arity: -2, keys: firstAndStore, mesh: 'simple', since: 36, writes: true },
  DUMP: { arity: 2, keys: FIRST, mesh: 'simple' },
  PTTL: { arity: 2, keys: FIRST, mesh: 'simple' },
  TTL: { arity: 2, keys: FIRST, mesh: 'simple' },
  TYPE: { arity: 2, keys: FIRST, mesh: 'simple' },
  SORT_RO: { arity: -2, keys: FIRST, mesh: 'simple', since: 36 },
  // hashes
  HDEL: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  HEXPIRE: { arity: -6, keys: FIRST, mesh: 'simple', since: 39, writes: true },
  HEXPIREAT: { arity: -6, keys: FIRST, mesh: 'simple', since: 39, writes: true },
  HINCRBY: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  HINCRBYFLOAT: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  HMSET: { arity: -4, keys: FIRST, mesh: 'simple', writes: true },
  HPERSIST: { arity: -5, keys: FIRST, mesh: 'simple', since: 39, writes: true },
  HPEXPIRE: { arity: -6, keys: FIRST, mesh: 'simple', since: 39, writes: true },
  HPEXPIREAT: { arity: -6, keys: FIRST, mesh: 'simple', since: 39, writes: true },
  HSET: { arity: -4, keys: FIRST, mesh: 'simple', writes: true },
  HSETNX: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  HEXISTS: { arity: 3, keys: FIRST, mesh: 'simple' },
  HEXPIRETIME: { arity: -5, keys: FIRST, mesh: 'simple', since: 39 },
  HGET: { arity: 3, keys: FIRST, mesh: 'simple' },
  HGETALL: { arity: 2, keys: FIRST, mesh: 'simple' },
  HKEYS: { arity: 2, keys: FIRST, mesh: 'simple' },
  HLEN: { arity: 2, keys: FIRST, mesh: 'simple' },
  HMGET: { arity: -3, keys: FIRST, mesh: 'simple' },
  HPEXPIRETIME: { arity: -5, keys: FIRST, mesh: 'simple', since: 39 },
  HPTTL: { arity: -5, keys: FIRST, mesh: 'simple', since: 39 },
  HRANDFIELD: { arity: -2, keys: FIRST, mesh: 'simple', since: 36 },
  HSCAN: { arity: -3, keys: FIRST, mesh: 'simple' },
  HSTRLEN: { arity: 3, keys: FIRST, mesh: 'simple' },
  HTTL: { arity: -5, keys: FIRST, mesh: 'simple', since: 39 },
  HVALS: { arity: 2, keys: FIRST, mesh: 'simple' },
  // lists
  LINSERT: { arity: 5, keys: FIRST, mesh: 'simple', writes: true },
  LMOVE: { arity: 5, keys: TWO, mesh: 'simple', writes: true },
  LPOP: { arity: -2, keys: FIRST, mesh: 'simple', writes: true },
  LPUSH: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  LPUSHX: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  LREM: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  LSET: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  LTRIM: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  RPOP: { arity: -2, keys: FIRST, mesh: 'simple', writes: true },
  RPOPLPUSH: { arity: 3, keys: TWO, mesh: 'simple', since: 36, writes: true },
  RPUSH: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  RPUSHX: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  LINDEX: { arity: 3, keys: FIRST, mesh: 'simple' },
  LLEN: { arity: 2, keys: FIRST, mesh: 'simple' },
  LPOS: { arity: -3, keys: FIRST, mesh: 'simple', since: 36 },
  LRANGE: { arity: 4, keys: FIRST, mesh: 'simple' },
  // sets
  SADD: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  SDIFFSTORE: { arity: -3, keys: ALL, mesh: 'simple', since: 36, writes: true },
  SINTERSTORE: { arity: -3, keys: ALL, mesh: 'simple', since: 36, writes: true },
  SMOVE: { arity: 4, keys: TWO, mesh: 'simple', since: 36, writes: true },
  SPOP: { arity: -2, keys: FIRST, mesh: 'simple', writes: true },
  SREM: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  SUNIONSTORE: { arity: -3, keys: ALL, mesh: 'simple', since: 36, writes: true },
  SCARD: { arity: 2, keys: FIRST, mesh: 'simple' },
  SDIFF: { arity: -2, keys: ALL, mesh: 'simple', since: 36 },
  SINTER: { arity: -2, keys: ALL, mesh: 'simple', since: 36 },
  SISMEMBER: { arity: 3, keys: FIRST, mesh: 'simple' },
  SMEMBERS: { arity: 2, keys: FIRST, mesh: 'simple' },
  SMISMEMBER: { arity: -3, keys: FIRST, mesh: 'simple', since: 36 },
  SRANDMEMBER: { arity: -2, keys: FIRST, mesh: 'simple' },
  SSCAN: { arity: -3, keys: FIRST, mesh: 'simple' },
  SUNION: { arity: -2, keys: ALL, mesh: 'simple', since: 36 },
  // sorted sets
  ZADD: { arity: -4, keys: FIRST, mesh: 'simple', writes: true },
  ZDIFFSTORE: { arity: -4, keys: destinationAndNumkeys, mesh: 'simple', since: 36, writes: true },
  ZINCRBY: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  ZINTERSTORE: { arity: -4, keys: destinationAndNumkeys, mesh: 'simple', since: 36, writes: true },
  ZPOPMAX: { arity: -2, keys: FIRST, mesh: 'simple', writes: true },
  ZPOPMIN: { arity: -2, keys: FIRST, mesh: 'simple', writes: true },
  ZRANGESTORE: { arity: -5, keys: TWO, mesh: 'simple', since: 36, writes: true },
  ZREM: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  ZREMRANGEBYLEX: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  ZREMRANGEBYRANK: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  ZREMRANGEBYSCORE: { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  ZUNIONSTORE: { arity: -4, keys: destinationAndNumkeys, mesh: 'simple', since: 36, writes: true },
  ZCARD: { arity: 2, keys: FIRST, mesh: 'simple' },
  ZCOUNT: { arity: 4, keys: FIRST, mesh: 'simple' },
  ZDIFF: { arity: -3, keys: numkeys(1), mesh: 'simple', since: 36 },
  ZINTER: { arity: -3, keys: numkeys(1), mesh: 'simple', since: 36 },
  ZLEXCOUNT: { arity: 4, keys: FIRST, mesh: 'simple' },
  ZMSCORE: { arity: -3, keys: FIRST, mesh: 'simple', since: 36 },
  ZRANDMEMBER: { arity: -2, keys: FIRST, mesh: 'simple', since: 36 },
  ZRANGE: { arity: -4, keys: FIRST, mesh: 'simple' },
  ZRANGEBYLEX: { arity: -4, keys: FIRST, mesh: 'simple' },
  ZRANGEBYSCORE: { arity: -4, keys: FIRST, mesh: 'simple' },
  ZRANK: { arity: 3, keys: FIRST, mesh: 'simple' },
  ZREVRANGE: { arity: -4, keys: FIRST, mesh: 'simple' },
  ZREVRANGEBYLEX: { arity: -4, keys: FIRST, mesh: 'simple' },
  ZREVRANGEBYSCORE: { arity: -4, keys: FIRST, mesh: 'simple' },
  ZREVRANK: { arity: 3, keys: FIRST, mesh: 'simple' },
  ZSCAN: { arity: -3, keys: FIRST, mesh: 'simple' },
  ZSCORE: { arity: 3, keys: FIRST, mesh: 'simple' },
  ZUNION: { arity: -3, keys: numkeys(1), mesh: 'simple', since: 36 },
  // geo
  GEOADD: { arity: -5, keys: FIRST, mesh: 'simple', writes: true },
  GEOSEARCHSTORE: { arity: -8, keys: TWO, mesh: 'simple', since: 36, writes: true },
  GEORADIUS: { arity: -6, keys: firstAndGeoStore, mesh: 'simple', since: 36, writes: true },
  GEORADIUSBYMEMBER: { arity: -5, keys: firstAndGeoStore, mesh: 'simple', since: 36, writes: true },
  GEODIST: { arity: -4, keys: FIRST, mesh: 'simple' },
  GEOHASH: { arity: -2, keys: FIRST, mesh: 'simple' },
  GEOPOS: { arity: -2, keys: FIRST, mesh: 'simple' },
  GEORADIUS_RO: { arity: -6, keys: FIRST, mesh: 'simple' },
  GEORADIUSBYMEMBER_RO: { arity: -5, keys: FIRST, mesh: 'simple' },
  GEOSEARCH: { arity: -7, keys: FIRST, mesh: 'simple' },
  // hyperloglogs
  PFADD: { arity: -2, keys: FIRST, mesh: 'simple', writes: true },
  PFMERGE: { arity: -2, keys: ALL, mesh: 'simple', since: 36, writes: true },
  PFCOUNT: { arity: -2, keys: ALL, mesh: 'simple' },
  // streams
  XACK: { arity: -4, keys: FIRST, mesh: 'simple', writes: true },
  XADD: { arity: -5, keys: FIRST, mesh: 'simple', writes: true },
  XAUTOCLAIM: { arity: -6, keys: FIRST, mesh: 'simple', writes: true },
  XCLAIM: { arity: -6, keys: FIRST, mesh: 'simple', writes: true },
  XDEL: { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  XLEN: { arity: 2, keys: FIRST, mesh: 'simple' },
  XPENDING: { arity: -3, keys: FIRST, mesh: 'simple' },
  XRANGE: { arity: -4, keys: FIRST, mesh: 'simple' },
  XREVRANGE: { arity: -4, keys: FIRST, mesh: 'simple' },
  XTRIM: { arity: -4, keys: FIRST, mesh: 'simple', writes: true },
  // pub/sub
  PUBLISH: { arity: 3, keys: NONE, mesh: 'simple' },
  // Bloom filters
  'BF.ADD': { arity: 3, keys: FIRST, mesh: 'simple', writes: true },
  'BF.CARD': { arity: 2, keys: FIRST, mesh: 'simple' },
  'BF.EXISTS': { arity: 3, keys: FIRST, mesh: 'simple' },
  'BF.INFO': { arity: -2, keys: FIRST, mesh: 'simple' },
  'BF.INSERT': { arity: -4, keys: FIRST, mesh: 'simple', writes: true },
  'BF.LOADCHUNK': { arity: 4, keys: FIRST, mesh: 'simple', writes: true },
  'BF.MADD': { arity: -3, keys: FIRST, mesh: 'simple', writes: true },
  'BF.MEXISTS': { arity: -3, keys: FIRST, mesh: 'simple' },
  'BF.RESERVE': { arity: -4, keys: FIRST, mesh: 'simple', writes: true },
  'BF.SCANDUMP': { arity: 3, keys: FIRST, mesh: 'simple' },
  // split per key, scripts, all shards, transactions, answered by the proxy
  MGET: { arity: -2, keys: ALL, mesh: 'mget' },
  MSET: { arity: -3, keys: PAIRS, mesh: 'mset', writes: true },
  DEL: { arity: -2, keys: ALL, mesh: 'sum', writes: true },
  EXISTS: { arity: -2, keys: ALL, mesh: 'sum' },
  TOUCH: { arity: -2, keys: ALL, mesh: 'sum' },
  UNLINK: { arity: -2, keys: ALL, mesh: 'sum', writes: true },
  EVAL: { arity: -3, keys: numkeys(2), mesh: 'eval' },
  EVALSHA: { arity: -3, keys: numkeys(2), mesh: 'eval' },
  OBJECT: { arity: -2, keys: SECOND, mesh: 'object', since: 37 },
  SCAN: { arity: -2, keys: NONE, mesh: 'scan', since: 35 },
  SCRIPT: { arity: -2, keys: NONE, mesh: 'everywhere', since: 35, merge: 'same' },
  FLUSHALL: { arity: -1, keys: NONE, mesh: 'everywhere', since: 35, writes: true, merge: 'same' },
  FLUSHDB: { arity: -1, keys: NONE, mesh: 'everywhere', since: 35, writes: true, merge: 'same' },
  SLOWLOG: { arity: -2, keys: NONE, mesh: 'everywhere', since: 35 },
  'SLOWLOG GET': { arity: -2, keys: NONE, mesh: 'everywhere', merge: 'concat' },
  'SLOWLOG LEN': { arity: 2, keys: NONE, mesh: 'everywhere', merge: 'slowlog-len' },
  'SLOWLOG RESET': { arity: 2, keys: NONE, mesh: 'everywhere', merge: 'same' },
  CONFIG: { arity: -2, keys: NONE, mesh: 'everywhere', since: 35, secret: true },
  'CONFIG GET': { arity: -3, keys: NONE, mesh: 'everywhere', merge: 'concat', secret: true },
  'CONFIG RESETSTAT': { arity: 2, keys: NONE, mesh: 'everywhere', merge: 'same' },
  'CONFIG REWRITE': { arity: 2, keys: NONE, mesh: 'everywhere', merge: 'same' },
  'CONFIG SET': { arity: -4, keys: NONE, mesh: 'everywhere', merge: 'same', secret: true },
  INFO: { arity: -1, keys: NONE, mesh: 'everywhere', since: 35, merge: 'info' },
  KEYS: { arity: 2, keys: NONE, mesh: 'everywhere', since: 33, merge: 'concat' },
  SELECT: { arity: 2, keys: NONE, mesh: 'everywhere', since: 33, merge: 'same' },
  ROLE: { arity: 1, keys: NONE, mesh: 'everywhere', since: 35, merge: 'role' },
  'INFO.SHARD': { arity: -2, keys: NONE, mesh: 'info-shard', since: 35 },
  RANDOMKEY: { arity: 1, keys: NONE, mesh: 'any-shard', since: 35 },
  CLUSTER: { arity: -2, keys: NONE, mesh: 'any-shard', since: 35 },
  'CLUSTER INFO': { arity: 2, keys: NONE, mesh: 'any-shard' },
  'CLUSTER KEYSLOT': { arity: 3, keys: NONE, mesh: 'any-shard' },
  'CLUSTER NODES': { arity: 2, keys: NONE, mesh: 'any-shard' },
  'CLUSTER SHARDS': { arity: 2, keys: NONE, mesh: 'any-shard', since: 40 },
  'CLUSTER SLOTS': { arity: 2, keys: NONE, mesh: 'any-shard' },
  MULTI: { arity: 1, keys: NONE, mesh: 'transaction', since: 25 },
  EXEC: { arity: 1, keys: NONE, mesh: 'transaction', since: 25 },
  DISCARD: { arity: 1, keys: NONE, mesh: 'transaction', since: 25 },
  WATCH: { arity: -2, keys: ALL, mesh: 'transaction', since: 25 },
  UNWATCH: { arity: 1, keys: NONE, mesh: 'transaction', since: 33 },
  AUTH: { arity: -2, keys: NONE, mesh: 'local', secret: true },
  PING: { arity: -1, keys: NONE, mesh: 'local' },
  ECHO: { arity: 2, keys: NONE, mesh: 'local' },
  TIME: { arity: 1, keys: NONE, mesh: 'local' },
  QUIT: { arity: -1, keys: NONE, mesh: 'local' },
  HELLO: { arity: -1, keys: NONE, mesh: 'local', since: 37, secret: true },
  CLIENT: { arity: -2, keys: NONE, mesh: 'local', since: 40 },
  'CLIENT SETNAME': { arity: 3, keys: NONE, mesh: 'local' },
  'CLIENT SETINFO': { arity: 4, keys: NONE, mesh: 'local' },
  // unknown to every Envoy: refused, or forwarded with --open
  ACL: { arity: -2, keys: NONE, secret: true },
  ASKING: { arity: 1, keys: NONE, open: 'local' },
  BGREWRITEAOF: { arity: 1, keys: NONE },
  BGSAVE: { arity: -1, keys: NONE },
  BLMOVE: { arity: 6, keys: TWO, writes: true, open: 'own' },
  BLMPOP: { arity: -5, keys: numkeys(2), writes: true, open: 'own' },
  BLPOP: { arity: -3, keys: ALL_BUT_LAST, writes: true, open: 'own' },
  BRPOP: { arity: -3, keys: ALL_BUT_LAST, writes: true, open: 'own' },
  BRPOPLPUSH: { arity: 4, keys: TWO, writes: true, open: 'own' },
  BZMPOP: { arity: -5, keys: numkeys(2), writes: true, open: 'own' },
  BZPOPMAX: { arity: -3, keys: ALL_BUT_LAST, writes: true, open: 'own' },
  BZPOPMIN: { arity: -3, keys: ALL_BUT_LAST, writes: true, open: 'own' },
  COMMAND: { arity: -1, keys: NONE },
  DBSIZE: { arity: 1, keys: NONE, open: 'shards', merge: 'sum' },
  DEBUG: { arity: -2, keys: NONE },
  EVALSHA_RO: { arity: -3, keys: numkeys(2) },
  EVAL_RO: { arity: -3, keys: numkeys(2) },
  EXPIRETIME: { arity: 2, keys: FIRST },
  FAILOVER: { arity: -1, keys: NONE, open: 'never' },
  FCALL: { arity: -3, keys: numkeys(2) },
  FCALL_RO: { arity: -3, keys: numkeys(2) },
  FUNCTION: { arity: -2, keys: NONE },
  'FUNCTION DELETE': { arity: 3, keys: NONE, writes: true, open: 'shards', merge: 'all-ok' },
  'FUNCTION DUMP': { arity: 2, keys: NONE },
  'FUNCTION FLUSH': { arity: -2, keys: NONE, writes: true, open: 'shards', merge: 'all-ok' },
  'FUNCTION KILL': { arity: 2, keys: NONE, open: 'shards', merge: 'one-ok' },
  'FUNCTION LIST': { arity: -2, keys: NONE },
  'FUNCTION LOAD': { arity: -3, keys: NONE, writes: true, open: 'shards', merge: 'all-ok' },
  'FUNCTION RESTORE': { arity: -3, keys: NONE, writes: true, open: 'shards', merge: 'all-ok' },
  HGETDEL: { arity: -5, keys: FIRST, writes: true },
  HGETEX: { arity: -5, keys: FIRST, writes: true },
  HSETEX: { arity: -6, keys: FIRST, writes: true },
  LASTSAVE: { arity: 1, keys: NONE },
  LATENCY: { arity: -2, keys: NONE },
  'LATENCY RESET': { arity: -2, keys: NONE, open: 'nodes', merge: 'all-ok' },
  LCS: { arity: -3, keys: TWO },
  LMPOP: { arity: -4, keys: numkeys(1), writes: true },
  LOLWUT: { arity: -1, keys: NONE },
  MEMORY: { arity: -2, keys: NONE },
  'MEMORY PURGE': { arity: 2, keys: NONE, open: 'shards', merge: 'all-ok' },
  'MEMORY USAGE': { arity: -3, keys: SECOND },
  MIGRATE: { arity: -6, keys: migrateKeys, writes: true, secret: true },
  MODULE: { arity: -2, keys: NONE },
  MONITOR: { arity: 1, keys: NONE, open: 'monitor' },
  MOVE: { arity: 3, keys: FIRST, writes: true },
  PEXPIRETIME: { arity: 2, keys: FIRST },
  PFDEBUG: { arity: 3, keys: SECOND, writes: true },
  PFSELFTEST: { arity: 1, keys: NONE },
  PSUBSCRIBE: { arity: -2, keys: NONE, open: 'subscription' },
  PSYNC: { arity: -3, keys: NONE, open: 'never' },
  PUBSUB: { arity: -2, keys: NONE },
  PUNSUBSCRIBE: { arity: -1, keys: NONE, open: 'subscription' },
  READONLY: { arity: 1, keys: NONE, open: 'local' },
  READWRITE: { arity: 1, keys: NONE, open: 'local' },
  REPLCONF: { arity: -1, keys: NONE, open: 'never' },
  REPLICAOF: { arity: 3, keys: NONE, open: 'never' },
  RESET: { arity: 1, keys: NONE, open: 'local' },
  'RESTORE-ASKING': { arity: -4, keys: FIRST, writes: true },
  SAVE: { arity: 1, keys: NONE },
  SHUTDOWN: { arity: -1, keys: NONE, open: 'never' },
  SINTERCARD: { arity: -3, keys: numkeys(1) },
  SLAVEOF: { arity: 3, keys: NONE, open: 'never' },
  SPUBLISH: { arity: 3, keys: FIRST },
  SSUBSCRIBE: { arity: -2, keys: ALL, open: 'subscription' },
  SUBSCRIBE: { arity: -2, keys: NONE, open: 'subscription' },
  SUNSUBSCRIBE: { arity: -1, keys: ALL, open: 'subscription' },
  SWAPDB: { arity: 3, keys: NONE, writes: true },
  SYNC: { arity: 1, keys: NONE, open: 'never' },
  UNSUBSCRIBE: { arity: -1, keys: NONE, open: 'subscription' },
  WAIT: { arity: 3, keys: NONE, open: 'own-shards', merge: 'min' },
  WAITAOF: { arity: 4, keys: NONE, open: 'own-shards', merge: 'min-pairs' },
  XGROUP: { arity: -2, keys: NONE },
  'XGROUP CREATE': { arity: -5, keys: SECOND, writes: true },
  'XGROUP CREATECONSUMER': { arity: 5, keys: SECOND, writes: true },
  'XGROUP DELCONSUMER': { arity: 5, keys: SECOND, writes: true },
  'XGROUP DESTROY': { arity: 4, keys: SECOND, writes: true },
  'XGROUP SETID': { arity: -5, keys: SECOND, writes: true },
  XINFO: { arity: -2, keys: NONE },
  'XINFO CONSUMERS': { arity: 4, keys: SECOND },
  'XINFO GROUPS': { arity: 3, keys: SECOND },
  'XINFO STREAM': { arity: -3, keys: SECOND },
  XREAD: { arity: -4, keys: streams, open: 'own' },
  XREADGROUP: { arity: -7, keys: streams, writes: true, open: 'own' },
  XSETID: { arity: -3, keys: FIRST, writes: true },
  ZINTERCARD: { arity: -3, keys: numkeys(1) },
  ZMPOP: { arity: -4, keys: numkeys(1), writes: true },
};

/** All rows, by `id`. */
export const COMMANDS: readonly CommandSpec[] = Object.entries(ROWS).map(([name, row], id) => {
  const parent = name.includes(' ') ? (name.split(' ')[0] ?? null) : null;
  return {
    id,
    name,
    arity: row.arity,
    keys: row.keys,
    mesh: row.mesh ?? null,
    since: row.since ?? (parent === null ? 0 : (ROWS[parent]?.since ?? 0)),
    writes: row.writes ?? false,
    envoyWrite: ENVOY_WRITES.has(name),
    open: row.open ?? null,
    merge: row.merge ?? null,
    secret: row.secret ?? false,
    container: CONTAINERS.has(name),
    parent,
  };
});

const BY_NAME: ReadonlyMap<string, CommandSpec> = new Map(
  COMMANDS.map((spec) => [spec.name, spec]),
);

/** The row of a command or subcommand by its upper-case name (`GET`, `CONFIG GET`). */
export function commandByName(name: string): CommandSpec | undefined {
  return BY_NAME.get(name);
}

// Names are looked up as bytes, without making text of them: a table of 1024 places, filled by a hash of the name's letters.
const PLACES = 1024;
const LONGEST_NAME = 32;
const places: (CommandSpec | undefined)[] = new Array(PLACES);
for (const spec of COMMANDS) {
  if (spec.parent !== null) continue;
  const bytes = Buffer.from(spec.name);
  let at = hashName(bytes, 0, bytes.length);
  while (places[at] !== undefined) at = (at + 1) & (PLACES - 1);
  places[at] = spec;
}

function hashName(buf: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = (hash * 31 + ((buf[i] as number) | 0x20)) & 0xffffff;
  return (hash ^ (hash >> 10)) & (PLACES - 1);
}

/** The row of the command whose name, in any case, is `buf[start..end)`; undefined when there is none. */
export function lookUp(buf: Uint8Array, start: number, end: number): CommandSpec | undefined {
  if (end - start > LONGEST_NAME) return undefined; // a client may send a name of 512 MiB
  let at = hashName(buf, start, end);
  for (let spec = places[at]; spec !== undefined; spec = places[at]) {
    if (equalsIgnoreCase(buf, start, end, spec.name)) return spec;
    at = (at + 1) & (PLACES - 1);
  }
  return undefined;
}
