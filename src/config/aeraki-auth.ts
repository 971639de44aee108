/** Logins of Aeraki's objects: plain, or from a Secret, with the traps of reading one (config page, 2.6). */
import type { Position } from './diagnostic.js';
import type { Secret } from './kubernetes.js';
import { get, type Node, placeOf, str } from './node.js';
import type { World } from './shape.js';

/** A username and a password, '' where there is none. `at` is where the login is asked for. */
export type AerakiLogin = {
  readonly username: string;
  readonly password: string;
  readonly at: Position;
};

/** Whose login it is: clients' at a RedisService, the proxy's at a RedisDestination. */
export type AuthOwner = {
  readonly kind: 'RedisService' | 'RedisDestination';
  readonly name: string;
  /** Where its Secret is looked for; null: anywhere. */
  readonly namespace: string | null;
};

/** The login an `auth` states; null where it states none, `missing` where its Secret is not there. */
export function readAuth(
  auth: Node | undefined,
  owner: AuthOwner,
  world: World,
): AerakiLogin | null | 'missing' {
  if (auth === undefined) return null;
  const plain = get(auth, 'plain');
  const named = get(auth, 'secret');
  if (plain !== undefined) {
    const login = {
      username: str(plain, 'username') ?? '',
      password: str(plain, 'password') ?? '',
      at: plain.at,
    };
    return said(login, owner, world);
  }
  if (named === undefined) return null;
  const name = str(named, 'name') ?? '';
  const secret = world.services.secret(name, owner.namespace);
  if (secret === null) {
    sayMissing(name, named, owner, world);
    return 'missing';
  }
  return said(fromSecret(secret, named, owner, world), owner, world);
}

function sayMissing(name: string, node: Node, owner: AuthOwner, world: World): void {
  const consequence =
    owner.kind === 'RedisService'
      ? 'Aeraki drops the whole RedisService: routes, faults, read policy and the password; clients get in without one'
      : "Aeraki does not touch the cluster: Istio's own stays, balanced without regard to keys, without password and without CLUSTER mode";
  world.findings.say(
    'AERAKI-SECRET-MISSING',
    placeOf(node, 'name'),
    `Secret ${name} is not in ${owner.namespace === null ? 'the files' : `namespace ${owner.namespace}, as far as the files tell`}`,
    {
      consequence: world.intended
        ? `${consequence} (--intended: only the login is left out)`
        : consequence,
      advice: `kubectl -n ${owner.namespace ?? 'NAMESPACE'} get secret ${name} -o yaml into the folder`,
    },
  );
  world.findings.withoutEffect(
    node.at,
    `auth.secret of ${owner.kind} ${owner.name}`,
    owner.kind === 'RedisService'
      ? 'the whole RedisService is dropped'
      : 'the whole RedisDestination is dropped',
  );
}

function fromSecret(secret: Secret, named: Node, owner: AuthOwner, world: World): AerakiLogin {
  const passwordField = str(named, 'passwordField') ?? '';
  const usernameField = str(named, 'usernameField') ?? '';
  const has = (field: string): boolean => secret.fields.has(field);
  const fallback = has('password') ? 'password' : 'token';
  const field = passwordField === '' ? fallback : passwordField;
  if (!has(field)) {
    sayField(
      secret,
      field === passwordField ? `no field '${field}'` : "neither 'password' nor 'token'",
      placeOf(named, field === passwordField ? 'passwordField' : 'name'),
      owner,
      world,
    );
  }
  let username = '';
  if (usernameField !== '') {
    if (!has(usernameField))
      sayField(
        secret,
        `no field '${usernameField}'`,
        placeOf(named, 'usernameField'),
        owner,
        world,
      );
    username = secret.fields.get(usernameField) ?? '';
  } else if (has('username')) {
    world.findings.say(
      'AERAKI-USERNAME',
      placeOf(named, 'name'),
      `Secret ${secret.name} has a username, which Aeraki does not read`,
      {
        consequence: world.intended
          ? 'it is used here (--intended); in the mesh there is none'
          : 'the login has a password only',
        advice: 'add usernameField: username',
      },
    );
    world.findings.withoutEffect(named.at, `username of Secret ${secret.name}`, 'no user name');
    if (world.intended) username = secret.fields.get('username') ?? '';
  }
  // Trimmed at both ends, so that `echo pw | base64` works.
  return {
    username: username.trim(),
    password: (secret.fields.get(field) ?? '').trim(),
    at: named.at,
  };
}

function sayField(
  secret: Secret,
  what: string,
  at: Position,
  owner: AuthOwner,
  world: World,
): void {
  world.findings.say('AERAKI-SECRET-FIELD', at, `Secret ${secret.name} has ${what}`, {
    consequence:
      owner.kind === 'RedisService'
        ? 'it counts as empty: without a password clients are let in freely'
        : 'it counts as empty: the proxy does not log in with it',
    advice: `it has: ${[...secret.fields.keys()].join(', ') || 'nothing'}`,
  });
}

function said(login: AerakiLogin, owner: AuthOwner, world: World): AerakiLogin | null {
  if (login.username === '' && login.password === '') return null;
  if (login.username !== '' && login.password === '') {
    const isService = owner.kind === 'RedisService';
    world.findings.say(
      'AERAKI-LOCKOUT',
      login.at,
      `${owner.kind} ${owner.name}: a user name without a password`,
      {
        consequence: isService
          ? 'every client is locked out: AUTH can never succeed'
          : 'the proxy sends AUTH with an empty password',
        advice: 'give a password beside it',
        level: isService ? 'error' : 'warning',
      },
    );
  }
  return login;
}
