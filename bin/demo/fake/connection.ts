/** Commands about the connection and the server. */
import { COMMANDS, describeCommand, type Reply } from 'rmtop';
import type { Call, CommandTable } from './call.js';
import { unsubscribeAll } from './channels.js';
import { matchesGlob } from './glob.js';
import { primaryOf, replicasOf } from './members.js';
import {
  array,
  bulk,
  bulkOrNull,
  bulks,
  int,
  mapOf,
  OK,
  Refused,
  simple,
  wrongArity,
} from './replies.js';

/** The commands, by name. */
export const connection: CommandTable = {
  PING: (call) => {
    if (call.words.length > 2) throw new Refused(wrongArity('PING'));
    if (call.session.channels.size > 0 && call.session.resp === 2)
      return bulks(['pong', call.word(1)]);
    return call.words.length === 2 ? bulk(call.word(1)) : simple('PONG');
  },
  ECHO: (call) => bulk(call.word(1)),
  QUIT: (call) => {
    call.session.ended = true;
    return OK;
  },
  SELECT: (call) => {
    const index = call.integer(1);
    if (index !== 0 && call.node.self.shard !== null)
      throw new Refused('ERR SELECT is not allowed in cluster mode');
    if (index < 0 || index > 15) throw new Refused('ERR DB index is out of range');
    return OK;
  },
  AUTH: () => {
    throw new Refused(
      'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    );
  },
  HELLO: hello,
  RESET: (call) => {
    const { session } = call;
    session.name = '';
    session.resp = 2;
    session.readonly = false;
    session.queue = null;
    session.watched.clear();
    unsubscribeAll(session, call.node.channels);
    return simple('RESET');
  },
  'CLIENT ID': (call) => int(call.session.id),
  'CLIENT GETNAME': (call) => bulkOrNull(call.session.name === '' ? null : call.session.name),
  'CLIENT SETNAME': (call) => {
    call.session.name = call.word(2);
    return OK;
  },
  'CLIENT SETINFO': () => OK,
  'CLIENT INFO': ({ session }) =>
    bulk(
      `id=${session.id} addr=${session.address} name=${session.name} db=0 resp=${session.resp}\n`,
    ),
  'CLIENT NO-EVICT': () => OK,
  COMMAND: () => array(COMMANDS.filter((spec) => spec.parent === null).map(describeCommand)),
  'COMMAND COUNT': () => int(COMMANDS.filter((spec) => spec.parent === null).length),
  'COMMAND DOCS': () => mapOf([]),
  TIME: (call) => bulks([String(Math.floor(call.nowMs / 1000)), `${call.nowMs % 1000}000`]),
  INFO: (call) => bulk(info(call)),
  'CONFIG GET': (call) =>
    mapOf(
      CONFIG.filter(([name]) =>
        call.from(2).some((pattern) => matchesGlob(pattern.toLowerCase(), name)),
      ).map(([name, value]) => [name, bulk(value)]),
    ),
  ROLE: role,
};

const CONFIG: readonly (readonly [string, string])[] = [
  ['appendonly', 'no'],
  ['databases', '16'],
  ['maxmemory', '0'],
  ['maxmemory-policy', 'noeviction'],
  ['save', ''],
  ['timeout', '0'],
];

/** The version whose commands and texts are those of the fake. */
const VERSION = '7.0.0';

/** HELLO [version [AUTH user password] [SETNAME name]] */
function hello(call: Call): Reply {
  const { session, node } = call;
  if (call.words.length > 1) {
    const version = call.integer(1, 'ERR Protocol version is not an integer or out of range');
    if (version !== 2 && version !== 3) throw new Refused('NOPROTO unsupported protocol version');
    for (let i = 2; i < call.words.length; i++) {
      if (call.option(i) === 'SETNAME' && i + 1 < call.words.length) session.name = call.word(++i);
      else if (call.option(i) === 'AUTH' && i + 2 < call.words.length) i += 2;
      else throw new Refused(`ERR Syntax error in HELLO option '${call.word(i)}'`);
    }
    session.resp = version;
  }
  return mapOf([
    ['server', bulk('redis')],
    ['version', bulk(VERSION)],
    ['proto', int(session.resp)],
    ['id', int(session.id)],
    ['mode', bulk(node.self.shard === null ? 'standalone' : 'cluster')],
    ['role', bulk(node.self.role === 'primary' ? 'master' : 'replica')],
    ['modules', array([])],
  ]);
}

function role(call: Call): Reply {
  const { self, members } = call.node;
  if (self.role === 'replica') {
    const primary = primaryOf(self, members);
    return array([bulk('slave'), bulk('127.0.0.1'), int(primary.port), bulk('connected'), int(1)]);
  }
  const replicas = replicasOf(self, members).map((replica) =>
    bulks(['127.0.0.1', String(replica.port), '1']),
  );
  return array([bulk('master'), int(1), array(replicas)]);
}

function info(call: Call): string {
  const { self, members, store } = call.node;
  const replicas = replicasOf(self, members);
  const clients = call.node.clients();
  const sections: Readonly<Record<string, readonly string[]>> = {
    Server: [
      `redis_version:${VERSION}`,
      `redis_mode:${self.shard === null ? 'standalone' : 'cluster'}`,
      'os:the fake of rmtop demo',
      `process_id:${process.pid}`,
      `tcp_port:${self.port}`,
    ],
    Clients: [`connected_clients:${clients.connected}`, `blocked_clients:${clients.blocked}`],
    Persistence: ['loading:0'],
    Replication: [
      `role:${self.role === 'primary' ? 'master' : 'slave'}`,
      ...(self.role === 'primary'
        ? [`connected_slaves:${replicas.length}`]
        : [
            'master_host:127.0.0.1',
            `master_port:${primaryOf(self, members).port}`,
            'master_link_status:up',
          ]),
    ],
    Cluster: [`cluster_enabled:${self.shard === null ? 0 : 1}`],
    Keyspace:
      store.keys().length === 0 ? [] : [`db0:keys=${store.keys().length},expires=0,avg_ttl=0`],
  };
  const wanted = call.from(1).map((word) => word.toLowerCase());
  const isWanted = (name: string): boolean =>
    wanted.length === 0 ||
    wanted.includes(name.toLowerCase()) ||
    wanted.some((word) => word === 'all' || word === 'default' || word === 'everything');
  return Object.entries(sections)
    .filter(([name]) => isWanted(name))
    .map(([name, lines]) => [`# ${name}`, ...lines, ''].join('\r\n'))
    .join('\r\n');
}
