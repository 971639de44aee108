/** `--admin`: the page with statistics and configuration, beside the proxies that run. */
import type { Command } from 'commander';
import {
  type Admin,
  type AdminOptions,
  joinAddress,
  parseAdmin,
  RmtopError,
  startAdmin,
} from 'rmtop';
import type { Running } from './start.js';

/** What commander gives for the flags that `withAdminFlags` adds. */
export type AdminFlags = { readonly admin?: string; readonly adminAny?: boolean };

/** Where the page is to be; null: there is none. */
export type AdminPlan = Pick<AdminOptions, 'listen' | 'allowAny'> | null;

/** Adds the flags of what runs long enough to be looked at. */
export function withAdminFlags(command: Command): Command {
  return command
    .option(
      '--admin <host:port>',
      "statistics by Envoy's names and the configuration, over HTTP: /stats, /stats/prometheus, /config_dump",
    )
    .option('--admin-any', 'let --admin be reached from other machines; it asks for no password');
}

/** Checks the flags. Throws USAGE and BAD_ADDRESS. */
export function planAdmin({ admin, adminAny = false }: AdminFlags): AdminPlan {
  if (admin !== undefined) return { listen: parseAdmin(admin, adminAny), allowAny: adminAny };
  if (!adminAny) return null;
  throw new RmtopError('USAGE', '--admin-any without --admin', {
    next: ['rmtop --admin 0.0.0.0:9901 --admin-any'],
  });
}

/** Opens the page of `running`, whose plans may be replaced while it is open. Throws as `startAdmin`. */
export function openAdmin(
  plan: NonNullable<AdminPlan>,
  running: readonly Running[],
): Promise<Admin> {
  return startAdmin({
    ...plan,
    proxies: () =>
      running.map(({ proxy, planned: { name, statPrefix, latencyInMicros, dialling } }) => ({
        name: name ?? statPrefix,
        statPrefix,
        handle: proxy,
        latencyInMicros,
        logins: Object.entries(dialling.access).flatMap(([upstream, { login }]) =>
          login === null ? [] : [upstream],
        ),
      })),
  });
}

/** Where it is, for people. */
export function adminLine({ address: { host, port } }: Admin): string {
  return `admin page on http://${joinAddress(host, port)}/`;
}
