/** What a served recording answers by itself: what clients say to find out whom they talk to, which changes with their version (7.2). */
import { createHash } from 'node:crypto';
import { Command } from '../commands/command.js';
import { describeCommand } from '../commands/describe.js';
import { COMMANDS } from '../commands/table.js';
import { slotOf } from '../mesh/place.js';
import {
  arrayReply,
  bulkReply,
  errorReply,
  integerReply,
  mapReply,
  simpleReply,
} from '../resp/build.js';
import type { RespVersion } from '../resp/encode.js';
import type { Reply } from '../resp/value.js';
import { clusterInfo, clusterNodes, clusterShards, clusterSlots } from './cluster-replies.js';
import type { ServedCluster, ServedNode } from './nodes.js';

/** What a connection has said of itself. */
export type Session = {
  readonly id: number;
  readonly address: string;
  name: string | null;
  readonly library: null;
  resp: RespVersion;
  /** After READONLY: a replica answers reads itself. */
  readonly: boolean;
};

/** Where it is connected to. */
export type Place = {
  readonly self: ServedNode;
  readonly cluster: ServedCluster;
  /** All that are served, at the address this client came to. */
  readonly nodes: readonly ServedNode[];
  /** Whether each recorded node has a port. */
  readonly isCluster: boolean;
  readonly redisVersion: string;
};

type Greeting = (command: Command, session: Session, place: Place) => Reply;

const OK = simpleReply('OK');
const NULL: Reply = { type: 'null', spelling: '$' };

const GREETINGS: Readonly<Record<string, Greeting>> = {
  PING: (command) => (command.argc > 1 ? bulkReply(command.text(1)) : simpleReply('PONG')),
  ECHO: (command) => bulkReply(command.argc > 1 ? command.text(1) : ''),
  SELECT: () => OK,
  AUTH: () => OK,
  QUIT: () => OK,
  RESET: (_command, session) => {
    session.name = null;
    session.resp = 2;
    session.readonly = false;
    return simpleReply('RESET');
  },
  HELLO: hello,
  READONLY: (_command, session) => {
    session.readonly = true;
    return OK;
  },
  READWRITE: (_command, session) => {
    session.readonly = false;
    return OK;
  },
  ASKING: () => OK,
  WAIT: (_command, _session, { self, cluster }) =>
    integerReply(cluster.shards[self.shard]?.replicas.length ?? 0),
  WATCH: () => OK,
  UNWATCH: () => OK,
  INFO: (_command, _session, place) => bulkReply(info(place)),
  'CLIENT ID': (_command, session) => integerReply(session.id),
  'CLIENT GETNAME': (_command, { name }) => (name === null ? NULL : bulkReply(name)),
  'CLIENT SETNAME': (command, session) => {
    session.name = command.argc > 2 && command.arg(2).length > 0 ? command.text(2, 256) : null;
    return OK;
  },
  'CLIENT LIST': (_command, session) => bulkReply(clientLine(session)),
  'CLIENT INFO': (_command, session) => bulkReply(clientLine(session)),
  COMMAND: () => arrayReply(COMMANDS.filter(({ parent }) => parent === null).map(describeCommand)),
  'COMMAND COUNT': () => integerReply(COMMANDS.filter(({ parent }) => parent === null).length),
  'COMMAND DOCS': () => mapReply([]),
  'COMMAND INFO': (command) => arrayReply(command.argv.slice(2).map(commandInfo)),
  'COMMAND GETKEYS': commandKeys,
  'COMMAND LIST': () =>
    arrayReply(
      COMMANDS.filter(({ parent }) => parent === null).map(({ name }) =>
        bulkReply(name.toLowerCase()),
      ),
    ),
  'CLUSTER SLOTS': (_command, _session, { cluster }) => clusterSlots(cluster.shards),
  'CLUSTER SHARDS': (_command, _session, { cluster }) => clusterShards(cluster.shards),
  'CLUSTER NODES': (_command, _session, { cluster, self }) => clusterNodes(cluster.shards, self),
  'CLUSTER INFO': (_command, _session, { cluster, self }) => clusterInfo(cluster.shards, self),
  'CLUSTER MYID': (_command, _session, { self }) => bulkReply(self.id),
  'CLUSTER KEYSLOT': (command) => integerReply(command.argc > 2 ? slotOf(command.arg(2)) : 0),
  'SCRIPT LOAD': (command) =>
    bulkReply(
      createHash('sha1')
        .update(command.argc > 2 ? command.arg(2) : '')
        .digest('hex'),
    ),
};

/** Subcommands of CLIENT that set what makes no difference here. */
const CLIENT_SETTINGS: ReadonlySet<string> = new Set([
  'SETINFO',
  'NO-EVICT',
  'NO-TOUCH',
  'TRACKING',
  'CACHING',
  'UNPAUSE',
]);

/** The reply to `command` where it is one that needs no recording; null for any other. Changes the session as the command says. */
export function greet(command: Command, session: Session, place: Place): Reply | null {
  const known = GREETINGS[command.name];
  if (known !== undefined) return known(command, session, place);
  const [container = '', subcommand = ''] = command.name.split(' ', 2);
  if (container === 'CLIENT' && CLIENT_SETTINGS.has(subcommand)) return OK;
  if (/^(?:CLIENT|CLUSTER|COMMAND)$/.test(container) && command.argc > 1)
    return errorReply(`ERR unknown subcommand '${command.text(1, 64)}'. Try ${container} HELP.`);
  return null;
}

/** HELLO [version [AUTH user password] [SETNAME name]]; any password will do. */
function hello(command: Command, session: Session, place: Place): Reply {
  if (command.argc > 1) {
    const version = command.text(1, 8);
    if (version !== '2' && version !== '3')
      return errorReply('NOPROTO unsupported protocol version');
    session.resp = version === '3' ? 3 : 2;
    for (let i = 2; i < command.argc; i++) {
      const option = command.text(i, 16).toUpperCase();
      if (option === 'AUTH') i += 2;
      else if (option === 'SETNAME' && i + 1 < command.argc) session.name = command.text(++i, 256);
    }
  }
  return mapReply([
    ['server', bulkReply('redis')],
    ['version', bulkReply(place.redisVersion)],
    ['proto', integerReply(session.resp)],
    ['id', integerReply(session.id)],
    ['mode', bulkReply(place.isCluster ? 'cluster' : 'standalone')],
    ['role', bulkReply(place.self.isPrimary ? 'master' : 'replica')],
    ['modules', arrayReply([])],
  ]);
}

function commandInfo(name: Buffer): Reply {
  const wanted = name.toString('latin1').toUpperCase();
  const spec = COMMANDS.find((each) => each.name === wanted);
  return spec === undefined ? NULL : describeCommand(spec);
}

function commandKeys(command: Command): Reply {
  const asked = Command.of(command.argv.slice(2));
  if (asked.spec === undefined || asked.keys.length === 0)
    return errorReply('ERR The command has no key arguments');
  return arrayReply(asked.keys.map((at) => bulkReply(asked.text(at))));
}

function clientLine({ id, address, name, resp }: Session): string {
  return `id=${id} addr=${address} name=${name ?? ''} db=0 resp=${resp}\n`;
}

function info({ self, isCluster, redisVersion }: Place): string {
  return [
    '# Server',
    `redis_version:${redisVersion}`,
    `redis_mode:${isCluster ? 'cluster' : 'standalone'}`,
    'os:a recording, served by rmtop',
    `tcp_port:${self.port}`,
    '',
    '# Persistence',
    'loading:0',
    '',
    '# Replication',
    `role:${self.isPrimary ? 'master' : 'slave'}`,
    'master_link_status:up',
    '',
    '# Cluster',
    `cluster_enabled:${isCluster ? 1 : 0}`,
    '',
  ].join('\r\n');
}
