/**
 * The admin page: what Envoy's shows of Redis, over HTTP, for people and Prometheus. It only reads.
 *
 * It listens on this machine alone unless told otherwise, and answers no page of another site that found its way here by a name of its
 * own: nobody is asked for a password.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { messageOf, RmtopError, systemCode } from '../errors.js';
import { regexProblem } from '../filter/regex.js';
import { type HostPort, isLoopback, joinAddress, splitAddress } from '../mesh/address.js';
import type { ProxyHandle } from '../proxy/proxy.js';
import { checkReach } from './address.js';
import { configDump } from './config-dump.js';
import { type Listener, metricsOf } from './metrics.js';
import {
  type HistogramForm,
  renderJson,
  renderPrometheus,
  renderText,
  type Selection,
  selected,
} from './render.js';

/** One listener of this rmtop, as it is now. */
export type AdminProxy = {
  /** What people call it. */
  readonly name: string;
  /** What its statistics are named by; several with one prefix are added up, as in Envoy. */
  readonly statPrefix: string;
  readonly handle: Pick<ProxyHandle, 'totals' | 'address' | 'config'>;
  /** Whether `command.*.latency` is in µs rather than ms (`latency_in_micros`). */
  readonly latencyInMicros: boolean;
  /** The upstreams it logs in at. */
  readonly logins: readonly string[];
};

/** What the page is made with. */
export type AdminOptions = {
  readonly listen: HostPort;
  /** Whether other machines may reach it. */
  readonly allowAny?: boolean;
  /** Asked for each page: what they are configured as may change. */
  readonly proxies: () => readonly AdminProxy[];
};

/** A running admin page. */
export type Admin = { readonly address: HostPort; close(): Promise<void> };

type Answer = { readonly status: number; readonly type: string; readonly body: string };

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

/** Opens the page. Throws BAD_ADDRESS for one that others can reach, LISTEN_IN_USE and LISTEN_FAILED. */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const { listen, proxies, allowAny = false } = options;
  checkReach(listen, allowAny);
  const server = createServer((request, response) => {
    void respond(request, response, proxies(), isLoopback(listen.host));
  });
  try {
    server.listen(listen);
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error, joinAddress(listen.host, listen.port));
  }
  const bound = server.address();
  const address =
    bound !== null && typeof bound === 'object'
      ? { host: bound.address, port: bound.port }
      : listen;
  return {
    address,
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function listenError(error: unknown, where: string): RmtopError {
  const next = ['rmtop --admin 127.0.0.1:0        use a free port'];
  return systemCode(error) === 'EADDRINUSE'
    ? new RmtopError('LISTEN_IN_USE', `cannot open the admin page on ${where}: address in use`, {
        next,
      })
    : new RmtopError('LISTEN_FAILED', `cannot open the admin page on ${where}`, {
        why: messageOf(error),
        next,
      });
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  proxies: readonly AdminProxy[],
  isLocal: boolean,
): Promise<void> {
  const { status, type, body } = await answer(request, proxies, isLocal);
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-cache, max-age=0',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answer(
  request: IncomingMessage,
  proxies: readonly AdminProxy[],
  isLocal: boolean,
): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return words(405, 'only GET: this page changes nothing');
  if (isLocal && !isLocalHost(request.headers.host))
    return words(403, 'ask for this page by 127.0.0.1 or localhost');
  const [path = '', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
  try {
    return await page(path, new URLSearchParams(query), proxies);
  } catch (error) {
    return words(503, `no answer from the proxy: ${messageOf(error)}`);
  }
}

/** A page of the web may have given its own name our address, so that a browser lets it read what we say. */
function isLocalHost(host: string | undefined): boolean {
  if (host === undefined) return true;
  return isLoopback((splitAddress(host)?.host ?? host).replace(/^\[(.*)\]$/, '$1').toLowerCase());
}

const PAGES: readonly (readonly [string, string])[] = [
  ['/ready', 'LIVE'],
  ['/stats', 'statistics; ?usedonly&filter=REGEX&type=Counters|Gauges|Histograms&format=json'],
  ['/stats/prometheus', 'the same for Prometheus'],
  ['/config_dump', "the configuration in force, in Envoy's words and without secrets"],
];

async function page(
  path: string,
  query: URLSearchParams,
  proxies: readonly AdminProxy[],
): Promise<Answer> {
  switch (path) {
    case '/':
      return words(200, home(proxies));
    case '/ready':
      await Promise.all(proxies.map((proxy) => proxy.handle.totals()));
      return words(200, 'LIVE');
    case '/stats':
      return stats(query, query.get('format') ?? 'text', proxies);
    case '/stats/prometheus':
      return stats(query, 'prometheus', proxies);
    case '/config_dump':
      return dump(proxies);
    default:
      return words(404, `there is no ${JSON.stringify(path)}; there is:\n${pageList()}`);
  }
}

function pageList(): string {
  return PAGES.map(([path, what]) => `  ${path.padEnd(18)} ${what}`).join('\n');
}

function home(proxies: readonly AdminProxy[]): string {
  const lines = proxies.map(({ name, statPrefix, handle: { address } }) => {
    return `  ${joinAddress(address.host, address.port)}  ${name}  (redis.${statPrefix}.)`;
  });
  return `rmtop admin\n\nlisteners\n${lines.join('\n')}\n\npages\n${pageList()}`;
}

function dump(proxies: readonly AdminProxy[]): Answer {
  const listeners = proxies.map(({ handle: { address, config }, ...of }) => ({
    ...of,
    address,
    config,
  }));
  return {
    status: 200,
    type: JSON_TYPE,
    body: `${JSON.stringify(configDump(listeners), null, 1)}\n`,
  };
}

async function stats(
  query: URLSearchParams,
  format: string,
  proxies: readonly AdminProxy[],
): Promise<Answer> {
  const selection = readSelection(query);
  if (typeof selection === 'string') return words(400, selection);
  const form = readForm(query.get('histogram_buckets'));
  if (form === null) return words(400, 'histogram_buckets is summary, cumulative or disjoint');
  const listeners = await Promise.all(
    proxies.map(
      async ({ statPrefix, latencyInMicros, handle }): Promise<Listener> => ({
        statPrefix,
        latencyInMicros,
        totals: await handle.totals(),
        config: handle.config,
      }),
    ),
  );
  const metrics = selected(metricsOf(listeners), selection);
  switch (format) {
    case 'text':
      return { status: 200, type: TEXT, body: renderText(metrics, form) };
    case 'json':
      return { status: 200, type: JSON_TYPE, body: renderJson(metrics, form) };
    case 'prometheus':
      return { status: 200, type: PROMETHEUS, body: renderPrometheus(metrics) };
    default:
      return words(
        400,
        `there is no format ${JSON.stringify(format)}; there is text, json, prometheus`,
      );
  }
}

/** The selection a query asks for, or what is wrong with it. */
function readSelection(query: URLSearchParams): Selection | string {
  const type = query.get('type') ?? 'All';
  const known = (['Counters', 'Gauges', 'Histograms', 'All'] as const).find(
    (each) => each === type,
  );
  if (known === undefined)
    return `there is no type ${JSON.stringify(type)}; there is Counters, Gauges, Histograms, All`;
  const filter = readFilter(query.get('filter'));
  if (typeof filter === 'string') return filter;
  return { usedOnly: query.has('usedonly'), filter, type: known };
}

/** Envoy's expressions are RE2's, which never take long. Ours run where the clients' commands do, so those that might are refused. */
function readFilter(source: string | null): RegExp | string | null {
  if (source === null || source === '') return null;
  const problem = regexProblem(source);
  if (problem !== null) return `filter: ${problem}`;
  try {
    return new RegExp(source);
  } catch (error) {
    return `filter is no regular expression: ${messageOf(error)}`;
  }
}

function readForm(form: string | null): HistogramForm | null {
  switch (form) {
    case null:
    case 'none':
    case 'summary':
      return 'summary';
    case 'cumulative':
    case 'disjoint':
      return form;
    default:
      return null;
  }
}

function words(status: number, text: string): Answer {
  return { status, type: TEXT, body: `${text}\n` };
}
