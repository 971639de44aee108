/** Routes, mirrors, faults and logins as flags state them → changes to a MeshConfig. Pure: the texts of files are arguments. */
import { RmtopError } from '../errors.js';
import { joinAddress, splitAddress } from '../mesh/address.js';
import type { Credentials } from '../mesh/answers.js';
import {
  type FaultRule,
  type Fraction,
  type MeshConfig,
  type MirrorPolicy,
  plainRoute,
  type Route,
  type Upstream,
  upstreamOf,
} from '../mesh/config.js';
import { parseRule } from './fault-text.js';

/** The texts given for each flag, in order. */
export type FlagTexts = {
  /** `PREFIX=HOST:PORT[,strip]`; `*=HOST:PORT` is the catch-all. */
  readonly route?: readonly string[];
  /** `HOST:PORT[,PERCENT%][,writes]`. */
  readonly mirror?: readonly string[];
  /** `error 50% cmd=GET`; see `fault-text.ts`. */
  readonly fault?: readonly string[];
};

/** What the flags come to. */
export type Overrides = {
  readonly routes: readonly Route[];
  /** For every route. */
  readonly mirrors: readonly MirrorPolicy[];
  readonly upstreams: Readonly<Record<string, Upstream>>;
  /** `t1`, `t2` … */
  readonly rules: readonly FaultRule[];
};

/** A configuration with flags applied, and what they changed, in words. */
export type Applied = { readonly config: MeshConfig; readonly notes: readonly string[] };

/** Reads the flags; rules get seeds made of `seed`. Throws USAGE with what was wanted. */
export function parseFlags(texts: FlagTexts, seed: number): Overrides {
  const upstreams: Record<string, Upstream> = {};
  const use = (address: string): string => {
    upstreams[address] = upstreamOf([address]);
    return address;
  };
  const routes: Route[] = [];
  for (const text of texts.route ?? []) {
    const route = parseRoute(text, use);
    if (routes.some((other) => other.prefix === route.prefix))
      throw wrong(
        '--route',
        text,
        `another --route has the prefix '${route.prefix ?? '*'}' already; Envoy refuses a prefix that is there twice`,
      );
    routes.push(route);
  }
  const mirrors = (texts.mirror ?? []).map((text) => parseMirror(text, use));
  const rules = (texts.fault ?? []).map((text, i) => parseFault(text, i, seed));
  return { routes, mirrors, upstreams, rules };
}

/** Applies what flags said: a route takes the place of the file's with the same prefix, mirrors and rules are added. */
export function applyOverrides(
  config: MeshConfig,
  { routes, mirrors, upstreams, rules }: Overrides,
): Applied {
  const notes: string[] = [];
  const kept = config.routes.filter((route) => {
    const by = routes.find((other) => other.prefix === route.prefix);
    if (by !== undefined && by.upstream !== route.upstream)
      notes.push(
        `--route: ${route.prefix === null ? 'the catch-all' : `prefix '${route.prefix}'`} goes to ${by.upstream} instead of ${route.upstream}`,
      );
    return by === undefined;
  });
  const all = [...kept, ...routes].sort(byPrefix);
  const mirrored =
    mirrors.length === 0
      ? all
      : all.map((route) => ({ ...route, mirrors: [...route.mirrors, ...mirrors] }));
  for (const mirror of mirrors)
    notes.push(
      `--mirror: ${share(mirror.fraction)} of ${mirror.excludeReads ? 'the writes' : 'all commands'} of every route are copied to ${mirror.upstream}`,
    );
  const used = new Set(
    mirrored.flatMap((route) => [
      route.upstream,
      route.readUpstream,
      ...route.mirrors.map((mirror) => mirror.upstream),
    ]),
  );
  const known = { ...upstreams, ...config.upstreams };
  return {
    config: {
      ...config,
      routes: mirrored,
      // What no route leads to any more is not dialled.
      upstreams: Object.fromEntries(Object.entries(known).filter(([name]) => used.has(name))),
      rules: [...config.rules, ...rules],
    },
    notes,
  };
}

function share({ numerator, of }: Fraction): string {
  return `${(numerator * 100) / of}%`;
}

/** Longest prefix first, the catch-all last. */
function byPrefix(a: Route, b: Route): number {
  if (a.prefix === null || b.prefix === null)
    return a.prefix === b.prefix ? 0 : a.prefix === null ? 1 : -1;
  return Buffer.byteLength(b.prefix) - Buffer.byteLength(a.prefix);
}

function wrong(flag: string, text: string, why: string, next: readonly string[] = []): RmtopError {
  return new RmtopError('USAGE', `${flag} '${text}' is not understood`, { why, next });
}

function parseRoute(text: string, use: (address: string) => string): Route {
  const [body = '', ...options] = text.split(',');
  // A prefix may hold `=`, an address never does; nor a comma, so that options come last.
  const at = body.lastIndexOf('=');
  const example = ["rmtop --route 'session:=127.0.0.1:7010' --route '*=127.0.0.1:7001'"];
  if (at === -1)
    throw wrong(
      '--route',
      text,
      'wanted: PREFIX=HOST:PORT, or *=HOST:PORT for all other keys',
      example,
    );
  const unknown = options.find((option) => option !== 'strip');
  if (unknown !== undefined)
    throw wrong('--route', text, `'${unknown}' is no option of a route; there is: strip`, example);
  const prefix = body.slice(0, at);
  const upstream = use(addressIn('--route', text, body.slice(at + 1)));
  const strips = options.includes('strip');
  if (prefix === '*' || prefix === '') {
    if (strips) throw wrong('--route', text, 'the catch-all has no prefix to strip', example);
    return plainRoute(null, upstream);
  }
  return { ...plainRoute(prefix, upstream), strip: strips ? Buffer.byteLength(prefix) : 0 };
}

function parseMirror(text: string, use: (address: string) => string): MirrorPolicy {
  const [body = '', ...options] = text.split(',').map((part) => part.trim());
  let fraction: Fraction = { numerator: 100, of: 100 };
  let excludeReads = false;
  for (const option of options) {
    if (option === 'writes') excludeReads = true;
    else if (/^\d+(\.\d+)?%$/.test(option) && Number(option.slice(0, -1)) <= 100)
      fraction = fractionOf(Number(option.slice(0, -1)));
    else
      throw wrong(
        '--mirror',
        text,
        `'${option}' is neither a share such as 25% (at most 100%) nor 'writes'`,
        ['rmtop --mirror 127.0.0.1:7020,25%,writes'],
      );
  }
  return { upstream: use(addressIn('--mirror', text, body)), fraction, excludeReads };
}

/** A share in percent, as exact as Envoy can state it. */
function fractionOf(percent: number): Fraction {
  return Number.isInteger(percent)
    ? { numerator: percent, of: 100 }
    : { numerator: Math.round(percent * 10_000), of: 1_000_000 };
}

function addressIn(flag: string, text: string, written: string): string {
  const address = splitAddress(written.trim());
  if (
    address === null ||
    address.host === '' ||
    address.port === 0 ||
    /[\s/@]/.test(address.host)
  ) {
    throw wrong(
      flag,
      text,
      written.trim() === ''
        ? 'where to? wanted: HOST:PORT'
        : `'${written.trim()}' is not HOST:PORT`,
    );
  }
  return joinAddress(address.host, address.port);
}

function parseFault(text: string, index: number, seed: number): FaultRule {
  const rule = parseRule(text);
  if (rule.kind === 'problem')
    throw wrong('--fault', text, rule.message, [
      "rmtop --fault 'error 50% cmd=GET' --fault 'delay 200ms 10% class=read'",
    ]);
  const { percent, scope, action, max } = rule;
  return { id: `t${index + 1}`, on: true, percent, scope, action, max, seed: (seed + index) >>> 0 };
}

/**
 * What clients must log in with, from the text of a file: a line `password` or `user:password` for each password; one user at most.
 * Line ends do not count; blanks do. Throws USAGE, without the text.
 */
export function parseDownstreamAuth(text: string, file: string): Credentials {
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  const pairs = lines.map((line) => {
    const colon = line.indexOf(':');
    return colon === -1
      ? { user: null, password: line }
      : { user: line.slice(0, colon), password: line.slice(colon + 1) };
  });
  const users = new Set(pairs.map(({ user }) => user));
  const fail = (why: string): RmtopError =>
    new RmtopError('USAGE', `--downstream-auth-file ${file} is not understood`, {
      why,
      next: ["printf 'user:password' > FILE, or printf 'password' > FILE"],
    });
  if (pairs.length === 0) throw fail('it is empty');
  if (pairs.some(({ password }) => password === ''))
    throw fail('a line has a user and no password: nobody could log in');
  if (users.size > 1)
    throw fail(
      `its lines name ${users.has(null) ? 'a user and none' : `${users.size} users`}: Envoy knows one user name for all passwords`,
    );
  return { username: pairs[0]?.user ?? null, passwords: pairs.map(({ password }) => password) };
}
