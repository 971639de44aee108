/** What the proxy itself says, to the byte: AUTH (mesh page, 9.1), HELLO (2.10), TIME. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Command, NEW_SESSION } from '../../src/commands/command.js';
import { authReply, type Credentials, helloReply, timeReply } from '../../src/mesh/answers.js';
import type { RespVersion } from '../../src/resp/encode.js';

const NONE = null;
const PASSWORDS: Credentials = { username: null, passwords: ['old', 'new'] };
const PAIR: Credentials = { username: 'app', passwords: ['pw'] };
const USER_ONLY: Credentials = { username: 'app', passwords: [] };

const NO_PASSWORD = '-ERR Client sent AUTH, but no password is set';
const NO_PAIR = '-ERR Client sent AUTH, but no username-password pair is set';
const WRONG = '-ERR invalid password';
const WRONG_PAIR = '-WRONGPASS invalid username-password pair';

/** In the last column, whether the connection is authenticated afterwards: null, as it was before. */
const AUTH: readonly (readonly [
  rule: string,
  credentials: Credentials | null,
  command: string,
  reply: string,
  authenticated: boolean | null,
])[] = [
  ['no password configured', NONE, 'AUTH pw', NO_PASSWORD, null],
  ['a user without password configured', USER_ONLY, 'AUTH pw', NO_PASSWORD, null],
  ['one of the passwords', PASSWORDS, 'AUTH new', '+OK', true],
  ['another of the passwords', PASSWORDS, 'AUTH old', '+OK', true],
  ['a password will do, even when a user is configured', PAIR, 'AUTH pw', '+OK', true],
  ['surprise 25: a wrong password logs out', PASSWORDS, 'AUTH x', WRONG, false],
  ['passwords are compared with their case', PASSWORDS, 'AUTH NEW', WRONG, false],
  ['surprise 26: four elements are the one-password form', PASSWORDS, 'AUTH new b c', '+OK', true],
  ['five too', PASSWORDS, 'AUTH x new c d', WRONG, false],
  ['neither user nor password configured', NONE, 'AUTH app pw', NO_PAIR, null],
  ['the configured user and password', PAIR, 'AUTH app pw', '+OK', true],
  ['another user', PAIR, 'AUTH default pw', WRONG_PAIR, false],
  ['an empty user where one is configured', PAIR, 'AUTH  pw', WRONG_PAIR, false],
  ['the configured user, another password', PAIR, 'AUTH app x', WRONG_PAIR, false],
  ['users are compared with their case', PAIR, 'AUTH App pw', WRONG_PAIR, false],
  ['user default, none configured', PASSWORDS, 'AUTH default new', '+OK', true],
  ['an empty user, none configured', PASSWORDS, 'AUTH  new', '+OK', true],
  ['another user, none configured', PASSWORDS, 'AUTH app new', WRONG_PAIR, false],
  ['user default, a wrong password', PASSWORDS, 'AUTH default x', WRONG_PAIR, false],
  [
    'a user without password configured lets nobody in',
    USER_ONLY,
    'AUTH app pw',
    WRONG_PAIR,
    false,
  ],
];

for (const [rule, credentials, command, reply, authenticated] of AUTH) {
  test(`${command}: ${rule}`, () => {
    const outcome = authReply(Command.of(command.split(' ')), credentials);
    assert.equal(outcome.reply.toString(), `${reply}\r\n`);
    assert.equal(outcome.authenticated, authenticated);
  });
}

const HELLO_2 =
  '*14\r\n$6\r\nserver\r\n$17\r\nenvoy-redis-proxy\r\n$7\r\nversion\r\n$5\r\n6.0.0\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:0\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n';
const HELLO_3 = HELLO_2.replace('*14\r\n', '%7\r\n').replace(':2\r\n', ':3\r\n');
const NOPROTO = '-NOPROTO unsupported protocol version\r\n';
const syntax = (text: string): string => `-ERR Syntax error: ${text}\r\n`;
const TWICE = syntax('HELLO AUTH specified more than once');

type HelloRow = {
  readonly says: string;
  readonly hears: string;
  /** The listener's version; null: either, with --open. */
  readonly listener?: RespVersion | null;
  /** The version the connection speaks already. */
  readonly speaks?: RespVersion;
  readonly credentials?: Credentials;
  readonly loggedIn?: boolean;
};

const HELLO: Readonly<Record<string, HelloRow>> = {
  'the version of a RESP2 listener': { says: 'HELLO 2', hears: HELLO_2 },
  'alone it means the current version': { says: 'HELLO', hears: HELLO_2 },
  'another version than a RESP2 listener’s': { says: 'HELLO 3', hears: NOPROTO },
  'the version of a RESP3 listener': { says: 'HELLO 3', hears: HELLO_3, listener: 3 },
  'another version than a RESP3 listener’s': { says: 'HELLO 2', hears: NOPROTO, listener: 3 },
  'surprise 31: alone on a fresh RESP3 listener': { says: 'HELLO', hears: NOPROTO, listener: 3 },
  'alone on a RESP3 listener that has agreed': {
    says: 'HELLO',
    hears: HELLO_3,
    listener: 3,
    speaks: 3,
  },
  'either version with --open': { says: 'HELLO 3', hears: HELLO_3, listener: null },
  'back to RESP2 with --open': { says: 'HELLO 2', hears: HELLO_2, listener: null, speaks: 3 },
  'a version that is none': { says: 'HELLO 4', hears: NOPROTO, listener: null },
  'a version that is no number': { says: 'HELLO x', hears: NOPROTO, listener: null },
  'the version is looked at before the options': { says: 'HELLO 3 NOSUCH', hears: NOPROTO },
  'AUTH without two values': {
    says: 'HELLO 2 AUTH u',
    hears: syntax('HELLO AUTH requires <username> <password>'),
  },
  'SETNAME without a value': {
    says: 'HELLO 2 SETNAME',
    hears: syntax('HELLO SETNAME requires a <clientname>'),
  },
  'AUTH twice': { says: 'HELLO 2 AUTH u p AUTH u p', hears: TWICE, credentials: PAIR },
  'SETNAME twice': {
    says: 'HELLO 2 setname a SETNAME b',
    hears: syntax('HELLO SETNAME specified more than once'),
  },
  'an unknown option, as sent': {
    says: 'HELLO 2 NoSuch',
    hears: syntax("unknown HELLO option 'NoSuch'"),
  },
  'options are looked at before the login': {
    says: 'HELLO 2 NoSuch',
    hears: syntax("unknown HELLO option 'NoSuch'"),
    credentials: PAIR,
  },
  'AUTH, none configured': { says: 'HELLO 2 AUTH u p', hears: `${NO_PAIR}\r\n` },
  'AUTH, wrong': { says: 'HELLO 2 AUTH app x', hears: `${WRONG_PAIR}\r\n`, credentials: PAIR },
  'AUTH, right': { says: 'HELLO 2 auth app pw', hears: HELLO_2, credentials: PAIR },
  'AUTH as user default, none configured': {
    says: 'HELLO 2 AUTH default old',
    hears: HELLO_2,
    credentials: PASSWORDS,
  },
  'both options in any order': {
    says: 'HELLO 2 SETNAME x AUTH app pw',
    hears: HELLO_2,
    credentials: PAIR,
  },
  'a login is needed and missing': {
    says: 'HELLO 2',
    hears: '-NOAUTH Authentication required.\r\n',
    credentials: PAIR,
  },
  'a login is there already': {
    says: 'HELLO 2',
    hears: HELLO_2,
    credentials: PAIR,
    loggedIn: true,
  },
};

for (const [
  rule,
  { says, hears, listener = 2, speaks = 2, credentials = null, loggedIn = credentials === null },
] of Object.entries(HELLO)) {
  test(`${says}: ${rule}`, () => {
    const command = Command.of(says.split(' '), {
      ...NEW_SESSION,
      authenticated: loggedIn,
      resp: speaks,
    });
    const outcome = helloReply(command, speaks, listener, credentials);
    assert.equal(outcome.reply.toString(), hears);
    const isError = hears.startsWith('-');
    assert.equal(outcome.accepted === null, isError, 'a HELLO that fails changes nothing');
    if (!isError)
      assert.deepEqual(
        [outcome.accepted?.resp, outcome.accepted?.authenticated],
        [hears === HELLO_3 ? 3 : 2, true],
      );
  });
}

test('HELLO … SETNAME gives the connection its name', () => {
  const name = (line: string): string | null | undefined =>
    helloReply(Command.of(line.split(' ')), 2, 2, null).accepted?.name;
  assert.equal(name('HELLO 2 SETNAME worker-1'), 'worker-1');
  assert.equal(name('HELLO 2'), null);
});

test('surprise 8: TIME’s second field is all of the microseconds', () => {
  assert.equal(
    timeReply(1_700_000_000_123_456).toString(),
    '*2\r\n$10\r\n1700000000\r\n$16\r\n1700000000123456\r\n',
  );
  assert.equal(
    timeReply(1_700_000_000_123_456 + 0.75).toString(),
    '*2\r\n$10\r\n1700000000\r\n$16\r\n1700000000123456\r\n',
  );
});
