/** What the servers of an upstream are reached with: logins and TLS. These hold secrets, so they are no part of MeshConfig. */

import { joinAddress, splitAddress } from '../mesh/address.js';
import { get, items, type MapNode, type Node, placeOf, str, strings } from './node.js';
import { normalise } from './normalise.js';
import { readDataSource } from './secrets.js';
import type { ClusterShape, World } from './shape.js';
import { field, peel } from './typed.js';

/** A login at a server; with a username and an empty password Envoy still sends both. */
export type UpstreamLogin = { readonly username: string | null; readonly password: string };

/** An UpstreamTlsContext: PEM texts, ready for Node's tls. */
export type UpstreamTls = {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  /** The `sni`; null: none is sent. */
  readonly serverName: string | null;
  /** Envoy checks a certificate only when it is told which authorities to trust. */
  readonly verify: boolean;
  /** The names of which the certificate must have one; empty: Envoy does not look at its names. */
  readonly names: readonly string[];
};

export type UpstreamAccess = {
  readonly login: UpstreamLogin | null;
  /** Logins of `credentials[]`, by `host:port`; they go before `login`. */
  readonly byAddress: Readonly<Record<string, UpstreamLogin>>;
  readonly tls: UpstreamTls | null;
};

/** The same in the words of Node's tls. */
export type DialAccess = Omit<UpstreamAccess, 'tls'> & {
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    readonly rejectUnauthorized: boolean;
    readonly names: readonly string[];
  } | null;
};

/** What a server of an upstream is dialled with. */
export function dialAccess({ login, byAddress, tls }: UpstreamAccess): DialAccess {
  return {
    login,
    byAddress,
    tls: tls && {
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      ...(tls.cert === null ? {} : { cert: tls.cert }),
      ...(tls.key === null ? {} : { key: tls.key }),
      ...(tls.serverName === null ? {} : { servername: tls.serverName }),
      rejectUnauthorized: tls.verify,
      names: tls.names,
    },
  };
}

export const NO_ACCESS: UpstreamAccess = { login: null, byAddress: {}, tls: null };

const EXTENSION_NAMES = ['envoy.filters.network.redis_proxy', 'envoy.redis_proxy'];

/** Since when `credentials[]` exists (mesh page, 12.6). */
const CREDENTIALS_SINCE = 37;

/** Reads the cluster's RedisProtocolOptions and its transport socket. */
export function readAccess({ body, name }: ClusterShape, world: World): UpstreamAccess {
  const written = EXTENSION_NAMES.flatMap((key) => [
    get(body, 'typed_extension_protocol_options', key),
    get(body, 'extension_protocol_options', key),
  ]).find((each) => each !== undefined);
  const tls = readTls(body, name, world);
  if (written === undefined) return { ...NO_ACCESS, tls };
  const options = normalise(peel(written).body, 'RedisProtocolOptions', 'envoy', world.findings);
  if (get(options, 'aws_iam') !== undefined) {
    world.findings.say(
      'ENVOY-NOTLOCAL',
      placeOf(options, 'aws_iam'),
      `cluster ${name}: tokens of AWS IAM are not made here`,
      {
        consequence: 'the proxy logs in with the password beside it, if there is one',
        advice: 'give a login with --auth-file FILE',
      },
    );
  }
  return {
    tls,
    login: readLogin(options, `cluster ${name}: `, world),
    byAddress: readByAddress(options, name, world),
  };
}

function readLogin(options: Node, what: string, world: World): UpstreamLogin | null {
  const username = readDataSource(get(options, 'auth_username'), `${what}auth_username`, world);
  const password = readDataSource(get(options, 'auth_password'), `${what}auth_password`, world);
  return username === null && password === null ? null : { username, password: password ?? '' };
}

function readByAddress(
  options: MapNode,
  name: string,
  world: World,
): Record<string, UpstreamLogin> {
  const credentials = items(options, 'credentials');
  if (credentials.length > 0 && world.envoy < CREDENTIALS_SINCE) {
    world.findings.say(
      'ENVOY-LEVEL',
      placeOf(options, 'credentials'),
      `credentials[] came with Envoy 1.${CREDENTIALS_SINCE}; this is 1.${world.envoy}`,
      {
        consequence: 'that Envoy refuses it; it is used here',
        advice: `--envoy 1.${CREDENTIALS_SINCE}`,
      },
    );
  }
  const read: Record<string, UpstreamLogin> = {};
  for (const each of credentials) {
    const address = credentialAddress(get(each, 'address'));
    const login = readLogin(each, `cluster ${name}: credentials[].`, world);
    // The first that fits is taken.
    if (address !== null && login !== null && read[address] === undefined) read[address] = login;
    if (address === null)
      world.findings.say(
        'ENVOY-REQUIRED',
        each.at,
        `cluster ${name}: a credential without an address`,
        { consequence: 'Envoy refuses it; it is left out here' },
      );
  }
  return read;
}

/** `host:port` of a credential's address, which is a socket address or text. */
function credentialAddress(node: Node | undefined): string | null {
  const socket = field(node, 'socket_address') ?? node;
  if (socket?.kind === 'scalar') return splitAddress(socket.text) === null ? null : socket.text;
  const host = str(socket, 'address');
  const port = Number(str(field(socket, 'port_value')) ?? Number.NaN);
  return host === null || !Number.isInteger(port) ? null : joinAddress(host, port);
}

function readTls(body: MapNode, name: string, world: World): UpstreamTls | null {
  const socket = get(body, 'transport_socket');
  const isTls =
    /tls$/.test(str(socket, 'name') ?? '') ||
    /UpstreamTlsContext$/.test(typeOf(field(socket, 'typed_config')));
  const context = isTls ? bodyOf(field(socket, 'typed_config')) : get(body, 'tls_context');
  if (context === undefined) {
    const matches = items(body, 'transport_socket_matches').find((each) =>
      /tls$/.test(str(field(each, 'transport_socket'), 'name') ?? ''),
    );
    if (matches !== undefined) {
      world.findings.say(
        'ENVOY-NOTLOCAL',
        matches.at,
        `cluster ${name}: the mesh's own mTLS (transport_socket_matches) is not spoken here`,
        {
          level: 'info',
          consequence: 'servers are reached in plain text',
          advice: 'for TLS servers give a transport_socket, or a rediss:// upstream',
        },
      );
    }
    return null;
  }
  const common = field(context, 'common_tls_context');
  const [certificate] = items(field(common, 'tls_certificates'));
  const validation =
    field(common, 'validation_context') ??
    field(common, 'combined_validation_context', 'default_validation_context');
  const sds =
    field(common, 'tls_certificate_sds_secret_configs') ??
    field(common, 'validation_context_sds_secret_config') ??
    field(common, 'combined_validation_context', 'validation_context_sds_secret_config');
  if (sds !== undefined) {
    world.findings.say(
      'ENVOY-NOTLOCAL',
      sds.at,
      `cluster ${name}: certificates from a secret service (SDS) are not known here`,
      {
        consequence:
          'none is shown to the server, and its own is checked only if trusted_ca is written',
        advice: '--tls-ca, --tls-cert and --tls-key give them',
      },
    );
  }
  const source = (node: Node | undefined, what: string): string | null =>
    node === undefined
      ? null
      : readPem(
          normalise(node, 'DataSource', 'envoy', world.findings),
          `cluster ${name}: ${what}`,
          world,
        );
  const ca = source(field(validation, 'trusted_ca'), 'trusted_ca');
  return {
    ca,
    cert: source(field(certificate, 'certificate_chain'), 'certificate_chain'),
    key: source(field(certificate, 'private_key'), 'private_key'),
    serverName: str(context, 'sni'),
    verify: ca !== null,
    names: namesIn(validation),
  };
}

/** PEM ends in a newline by nature: no word about white space. */
function readPem(node: MapNode, what: string, world: World): string | null {
  const text = str(node, 'inline_string');
  return text ?? readDataSource(node, what, { ...world, findings: world.findings });
}

function namesIn(validation: Node | undefined): string[] {
  const typed = items(field(validation, 'match_typed_subject_alt_names')).map((each) =>
    get(each, 'matcher'),
  );
  const plain = items(field(validation, 'match_subject_alt_names'));
  return [
    ...[...typed, ...plain].flatMap((matcher) => str(matcher, 'exact') ?? []),
    ...strings(field(validation, 'verify_subject_alt_name')),
  ];
}

function typeOf(node: Node | undefined): string {
  return node === undefined ? '' : peel(node).type;
}

function bodyOf(node: Node | undefined): Node {
  return node === undefined
    ? { kind: 'map', entries: new Map(), at: { file: '', line: 1, column: 1 } }
    : peel(node).body;
}
