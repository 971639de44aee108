/** What brings about each finding about Aeraki's resources. */
import {
  bootstrap,
  cluster,
  destination,
  HOST,
  k8sService,
  rule,
  slice,
  TO_A,
} from '../../helpers/mesh-files.js';
import type { FindingCase } from './case.js';

const RULED = k8sService('a', ['tcp-redis', 6379]);
const SECRET = (fields: string): string =>
  `---\napiVersion: v1\nkind: Secret\nmetadata: {name: login, namespace: shop}\n${fields}\n`;
const redisCluster = (more = ''): string =>
  cluster('a', [7001], `cluster_type: {name: envoy.clusters.redis}, ${more}`);

export const AERAKI_CASES: readonly FindingCase[] = [
  {
    code: 'AERAKI-PORTNAME',
    why: 'a port named redis',
    text: `${rule('{}')}${k8sService('a', ['redis', 6379]).replace('[{', '[§{')}`,
  },
  {
    code: 'AERAKI-PORTORDER',
    why: 'the redis port second',
    text: `${rule('{}')}${k8sService('a', ['http', 80], ['tcp-redis', 6379]).replace('{name: tcp-redis', '§{name: tcp-redis')}`,
  },
  {
    code: 'AERAKI-NOHOST',
    why: 'no such Service among those loaded',
    text: `${rule('{}').replace('{host', '{§host')}${k8sService('other', ['x', 1])}`,
  },
  {
    code: 'AERAKI-NOHOST',
    why: 'no Service loaded at all',
    level: 'info',
    text: rule('{}').replace('{host', '{§host'),
  },
  {
    code: 'AERAKI-NOHOST',
    why: 'no host',
    text: rule('{}').replace(`{host: [${HOST}]}`, '{}').replace('{name', '{§name'),
  },
  {
    code: 'AERAKI-NOADDRESS',
    why: 'a headless service',
    text: `${rule('{}')}${RULED.replace('clusterIP: 10.96.0.1', 'clusterIP: None').replace('{name: a', '{§name: a')}`,
  },
  {
    code: 'AERAKI-SHORTNAME',
    why: 'a short host',
    text: rule('{}').replace(`host: [${HOST}]`, '§host: [a]'),
  },
  {
    code: 'AERAKI-SHORTNAME',
    why: 'a short host of a route',
    text: rule('{redis: [{route: §{host: b.shop}}]}'),
  },
  {
    code: 'AERAKI-DUPSERVICE',
    why: 'two RedisServices of one host',
    text: `${rule('{}', 'aa').replace('{host', '{§host')}${rule('{}', 'zz')}`,
  },
  {
    code: 'AERAKI-DUPDEST',
    why: 'two RedisDestinations of one host',
    text: `${destination('{}', 'aa')}${destination('{}', 'zz').replace('{host', '{§host')}`,
  },
  {
    code: 'AERAKI-PREFERREPLICA',
    why: 'the slip of the generator',
    text: rule('{settings: {§readPolicy: PREFER_REPLICA}}'),
  },
  {
    code: 'AERAKI-DROPPED',
    why: 'caseInsensitive',
    text: rule('{settings: {§caseInsensitive: true}}'),
  },
  {
    code: 'AERAKI-DROPPED',
    why: 'maxUpstreamUnknownConnections',
    text: rule('{settings: {§maxUpstreamUnknownConnections: 5}}'),
  },
  {
    code: 'AERAKI-DROPPED',
    why: "a mirror's port",
    text: rule(
      `{redis: [{route: {host: ${HOST}}, mirror: [{route: {host: b.shop.svc.cluster.local, §port: 1}, percentage: {value: 1}}]}]}`,
    ),
  },
  {
    code: 'AERAKI-DROPPED',
    why: 'seeds in PROXY mode',
    text: destination('{connectionPool: {redis: {§discoveryEndpoints: [x]}}}'),
  },
  {
    code: 'AERAKI-DROPPED',
    why: '0 percent',
    level: 'info',
    text: rule('{faults: [{type: ERROR, percentage: §{value: 0}}]}'),
  },
  {
    code: 'AERAKI-DROPPED',
    why: 'the first of two redis ports',
    text: k8sService('a', ['tcp-redis', 6379], ['tcp-redis-b', 6380]).replace('[{', '[§{'),
  },
  {
    code: 'AERAKI-USERNAME',
    why: "the Secret's username",
    text: `${rule('{settings: {auth: {secret: {§name: login}}}}')}${SECRET('stringData: {username: u, password: p}')}`,
  },
  {
    code: 'AERAKI-SECRET-MISSING',
    why: 'of a RedisService',
    text: rule('{settings: {auth: {secret: {§name: gone}}}}'),
  },
  {
    code: 'AERAKI-SECRET-MISSING',
    why: 'of a RedisDestination',
    text: destination('{connectionPool: {redis: {auth: {secret: {§name: gone}}}}}'),
  },
  {
    code: 'AERAKI-SECRET-FIELD',
    why: 'a misspelt field',
    text: `${rule('{settings: {auth: {secret: {name: login, §passwordField: passwrd}}}}')}${SECRET('stringData: {password: p}')}`,
  },
  {
    code: 'AERAKI-SECRET-FIELD',
    why: 'a misspelt user field',
    text: `${rule('{settings: {auth: {secret: {name: login, §usernameField: usr}}}}')}${SECRET('stringData: {password: p}')}`,
  },
  {
    code: 'AERAKI-SECRET-FIELD',
    why: 'neither password nor token',
    text: `${rule('{settings: {auth: {secret: {§name: login}}}}')}${SECRET('stringData: {pw: p}')}`,
  },
  {
    code: 'AERAKI-LOCKOUT',
    why: 'a user without a password',
    text: rule('{settings: {auth: {plain: §{username: u}}}}'),
  },
  {
    code: 'AERAKI-LOCKOUT',
    why: "a user without a password is only odd at the server's side",
    level: 'warning',
    text: destination('{connectionPool: {redis: {auth: {plain: §{username: u}}}}}'),
  },
  { code: 'AERAKI-CRASH', why: 'no percentage', text: rule('{faults: [§{type: ERROR}]}') },
  { code: 'AERAKI-CRASH', why: 'no route', text: rule('{redis: [§{match: {key: {prefix: p}}}]}') },
  {
    code: 'AERAKI-CRASH',
    why: 'keepalive',
    text: destination('{connectionPool: {tcp: {tcpKeepalive: §{time: 7s}}}}'),
  },
  {
    code: 'AERAKI-CATCHALL',
    why: 'none',
    text: rule(`{§redis: [{match: {key: {prefix: p}}, route: {host: ${HOST}}}]}`),
  },
  {
    code: 'AERAKI-CATCHALL',
    why: 'two',
    text: rule(`{redis: [§{route: {host: ${HOST}}}, {route: {host: ${HOST}}}]}`),
  },
  {
    code: 'AERAKI-MAGLEV',
    why: 'several endpoints in PROXY mode',
    text: `${RULED.replace('{name: a', '{§name: a')}${slice('a', ['10.0.0.1', '10.0.0.2'])}`,
  },
  {
    code: 'AERAKI-NOHEALTH',
    why: 'PREFER_… without health checks',
    text: bootstrap(`settings: {op_timeout: 1s, §read_policy: PREFER_REPLICA}\n${TO_A}`, [
      redisCluster('lb_policy: CLUSTER_PROVIDED'),
    ]),
  },
  {
    code: 'AERAKI-SEED',
    why: 'a bare IPv6 address',
    text: destination(
      '{connectionPool: {redis: {mode: CLUSTER, discoveryEndpoints: [§"fd00::1"]}}}',
    ),
  },
  {
    code: 'AERAKI-SEED',
    why: 'a port that is no number',
    text: destination(
      '{connectionPool: {redis: {mode: CLUSTER, discoveryEndpoints: [§"h:redis"]}}}',
    ),
  },
];
