/** The admin page of a test's proxy, asked as a browser or Prometheus would. */
import { request } from 'node:http';
import type { TestContext } from 'node:test';
import { type AdminProxy, startAdmin } from '../../src/admin/server.js';
import type { HostPort } from '../../src/mesh/address.js';
import type { TestProxy } from './proxy.js';
import { until } from './until.js';

export type Page = { readonly status: number; readonly type: string; readonly body: string };

/** What the page at `path` says. */
export function get(
  { host, port }: HostPort,
  path: string,
  more: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Page> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, agent: false, ...more }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          body,
        }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Opens a page for `proxies`; closed with the test. */
export async function openPage(t: TestContext, proxies: readonly AdminProxy[]): Promise<HostPort> {
  const admin = await startAdmin({
    listen: { host: '127.0.0.1', port: 0 },
    proxies: () => proxies,
  });
  t.after(() => admin.close());
  return admin.address;
}

/** How the page sees a test's proxy. */
export function seen(proxy: TestProxy, more: Partial<AdminProxy> = {}): AdminProxy {
  return {
    name: 'test',
    statPrefix: 'test',
    handle: proxy.handle,
    latencyInMicros: false,
    logins: [],
    ...more,
  };
}

/** The statistics of one proxy by name, as `/stats` prints them: numbers, histograms as text. */
export type Stats = {
  /** The value now; NaN where there is no such statistic. */
  value(name: string): Promise<number>;
  /** All lines that `query` gives, by name. */
  lines(query?: string): Promise<Map<string, string>>;
  /**
   * Waits until the statistics of `expected` are exactly these, and says which are not: counting goes on for a moment after the last
   * reply has come.
   */
  are(expected: Readonly<Record<string, number>>): Promise<void>;
};

/** The page of `proxy`, read as statistics. */
export async function statsOf(t: TestContext, proxy: TestProxy): Promise<Stats> {
  const page = await openPage(t, [seen(proxy)]);
  const lines = async (query = ''): Promise<Map<string, string>> => {
    const { body } = await get(page, `/stats${query}`);
    return new Map(
      body
        .split('\n')
        .filter(Boolean)
        .map((line): [string, string] => {
          const at = line.indexOf(': ');
          return [line.slice(0, at), line.slice(at + 2)];
        }),
    );
  };
  return {
    lines,
    value: async (name) => Number((await lines()).get(name) ?? Number.NaN),
    async are(expected) {
      let found: Record<string, number> = {};
      const names = Object.keys(expected);
      const isSo = async (): Promise<boolean> => {
        const all = await lines();
        found = Object.fromEntries(
          names.map((name) => [name, Number(all.get(name) ?? Number.NaN)]),
        );
        return names.every((name) => found[name] === expected[name]);
      };
      try {
        await until(isSo, 'the statistics', 15_000);
      } catch (error) {
        throw new TypeError(
          `expected ${JSON.stringify(expected, null, 1)}\nfound ${JSON.stringify(found, null, 1)}`,
          { cause: error },
        );
      }
    },
  };
}
