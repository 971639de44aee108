/** Before anything is routed: the order of checks, local answers, levels, refusals to the byte (mesh page, 2.1, 2.10, 9, 13, 14). */
import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeError } from '../../src/resp/encode.js';
import { Client, type MeshOptions, meshOf } from '../helpers/mesh.js';

const LOGIN: MeshOptions = { credentials: { username: null, passwords: ['pw'] } };
const RESP3: MeshOptions = { protocolVersion: 3 };

type Row = readonly [
  rule: string,
  command: string,
  outcome: string,
  mesh?: MeshOptions,
  session?: ConstructorParameters<typeof Client>[1],
];

function table(name: string, rows: readonly Row[]): void {
  test.describe(name, () => {
    for (const [rule, command, outcome, mesh, session] of rows) {
      test(`${rule}: ${command}`, () =>
        assert.equal(new Client(meshOf(mesh), session).says(command), outcome));
    }
  });
}

const NOAUTH = '-NOAUTH Authentication required.';
const NOPROTO = '-NOPROTO unsupported protocol version';
const INVALID = '-invalid request';
const unknown = (name: string, first = ''): string =>
  `-ERR unknown command '${name}', with args beginning with: ${first}`;

table('order of checks (2.1)', [
  // 1 before 3, 4, 6, 7
  ['the RESP3 gate comes first, also for unknown commands', 'NOSUCH x', NOPROTO, RESP3],
  ['the RESP3 gate comes before the login', 'GET k', NOPROTO, { ...RESP3, ...LOGIN }],
  ['AUTH passes the RESP3 gate', 'auth pw', 'answer auth', RESP3],
  ['HELLO passes the RESP3 gate', 'hello 3', 'answer hello', RESP3],
  ['QUIT passes the RESP3 gate', 'quit', 'answer quit', RESP3],
  ['PING does not pass the RESP3 gate', 'PING', NOPROTO, RESP3],
  ['after HELLO 3 the gate is open', 'GET foo', '*>s2.p', RESP3, { resp: 3 }],
  ['a RESP2 listener has no gate', 'GET foo', '*>s2.p'],
  // 3 before 7, 13, 14
  ['unknown commands are diagnosed before the login', 'NOSUCH x y', unknown('NOSUCH', 'x'), LOGIN],
  ['an unknown command without arguments: the text ends in a space', 'NOSUCH', unknown('NOSUCH')],
  ['the name and the first argument are echoed as sent', 'NoSuch CaSe', unknown('NoSuch', 'CaSe')],
  [
    'unknown commands are unknown inside a transaction too',
    'BLPOP k 0',
    unknown('BLPOP', 'k'),
    {},
    { multi: true },
  ],
  // 4, 5, 6 before 7
  ['AUTH may come before the login', 'AUTH x', 'answer auth', LOGIN],
  ['AUTH alone is no request', 'AUTH', INVALID, LOGIN],
  ['AUTH of four elements is still AUTH', 'AUTH a b c', 'answer auth', LOGIN],
  ['HELLO may come before the login', 'HELLO 2', 'answer hello', LOGIN],
  ['QUIT may come before the login', 'QUIT', 'answer quit', LOGIN],
  // 7 before 8 … 14
  ['the login comes before CLIENT', 'CLIENT', NOAUTH, LOGIN],
  ['the login comes before PING', 'PING', NOAUTH, LOGIN],
  ['the login comes before ECHO’s count', 'ECHO', NOAUTH, LOGIN],
  ['the login comes before TIME', 'TIME', NOAUTH, LOGIN],
  ['the login comes before SCAN’s count', 'SCAN', NOAUTH, LOGIN],
  ['the login comes before the least number of elements', 'GET', NOAUTH, LOGIN],
  ['the login comes before MULTI', 'MULTI', NOAUTH, LOGIN],
  // 8 … 11
  ['CLIENT alone is no request', 'CLIENT', INVALID],
  ['PING', 'ping', 'answer pong'],
  ['PING ignores its arguments', 'PING a b c', 'answer pong'],
  ['ECHO takes exactly one argument', 'ECHO x', 'answer echo'],
  ['ECHO without', 'ECHO', INVALID],
  ['ECHO with two', 'ECHO x y', INVALID],
  ['TIME', 'TIME', 'answer time'],
  ['TIME with arguments', 'TIME x', 'answer time'],
  // 12 before 13
  [
    'SCAN alone has a text of its own, the name as sent',
    'sCan',
    "-ERR wrong number of arguments for 'sCan' command",
  ],
  // 13
  ['a name alone is no request', 'GET', INVALID],
  ['custom commands alone too', 'json.get', INVALID, { customCommands: ['json.get'] }],
  ...[
    'DEL',
    'MGET',
    'MSET',
    'EVAL',
    'OBJECT',
    'KEYS',
    'SELECT',
    'CONFIG',
    'SCRIPT',
    'SLOWLOG',
    'CLUSTER',
    'INFO.SHARD',
    'PUBLISH',
  ].map((name): Row => ['a name alone is no request', name, INVALID]),
  ['FLUSHALL may be alone', 'flushall', '*>s0.p | *>s1.p | *>s2.p (same)'],
  ['FLUSHDB may be alone', 'FLUSHDB', '*>s0.p | *>s1.p | *>s2.p (same)'],
  ['ROLE may be alone', 'ROLE', '*>s0.p | *>s1.p | *>s2.p (role)'],
  ['INFO may be alone', 'INFO', '*>s0.p | *>s1.p | *>s2.p (info)'],
  ['RANDOMKEY may be alone', 'RANDOMKEY', '*>s0.p'],
  ['MULTI may be alone', 'MULTI', 'answer ok'],
  ['EXEC may be alone', 'EXEC', '-EXEC without MULTI'],
  ['DISCARD may be alone', 'DISCARD', '-DISCARD without MULTI'],
  ['UNWATCH may be alone', 'UNWATCH', 'answer ok'],
  // 13 before 14
  ['a name alone is no request inside a transaction either', 'GET', INVALID, {}, { multi: true }],
  [
    'a forbidden name alone is no request before it is forbidden',
    'OBJECT',
    INVALID,
    {},
    { multi: true },
  ],
]);

table('CLIENT (2.10)', [
  ['SETNAME with a name is forgotten', 'CLIENT SETNAME x', 'answer ok'],
  ['in any case', 'client setname x', 'answer ok'],
  ['SETINFO with two words is forgotten', 'CLIENT SETINFO LIB-NAME x', 'answer ok'],
  [
    'SETNAME with none',
    'CLIENT SETNAME',
    "-ERR wrong number of arguments for 'client|setname' command",
  ],
  [
    'SETNAME with two',
    'CLIENT SETNAME a b',
    "-ERR wrong number of arguments for 'client|setname' command",
  ],
  [
    'SETINFO with one',
    'CLIENT SetInfo a',
    "-ERR wrong number of arguments for 'client|setinfo' command",
  ],
  [
    'SETINFO with three',
    'CLIENT SETINFO a b c',
    "-ERR wrong number of arguments for 'client|setinfo' command",
  ],
  [
    'any other, as sent',
    'CLIENT GetName',
    "-ERR CLIENT subcommand 'GetName' is not supported by the proxy",
  ],
  ['LIST too', 'CLIENT LIST', "-ERR CLIENT subcommand 'LIST' is not supported by the proxy"],
  [
    'inside a transaction, in lower case',
    'CLIENT SETNAME x',
    "-'client' command is not supported within transaction",
    {},
    { multi: true },
  ],
  ['as a custom command it is forwarded', 'CLIENT foo', '*>s2.p', { customCommands: ['client'] }],
  ['up to 1.39 it is unknown', 'CLIENT SETNAME x', unknown('CLIENT', 'SETNAME'), { envoy: 39 }],
]);

table('HELLO has had three meanings (2.10, surprise 30)', [
  ['1.40: answered by the proxy', 'HELLO 2', 'answer hello'],
  ['1.40: also alone', 'HELLO', 'answer hello'],
  [
    '1.40: inside a transaction, in lower case',
    'HELLO 2',
    "-'hello' command is not supported within transaction",
    {},
    { multi: true },
  ],
  ['1.37: to all shards', 'HELLO 2', '*>s0.p | *>s1.p | *>s2.p (hello)', { envoy: 37 }],
  ['1.39: to all shards, also alone', 'HELLO', '*>s0.p | *>s1.p | *>s2.p (hello)', { envoy: 39 }],
  ['1.39: RESP2 only', 'HELLO 3', NOPROTO, { envoy: 39 }],
  [
    '1.39: without options',
    'HELLO 2 SETNAME x',
    '-ERR HELLO options are not supported by the proxy',
    { envoy: 39 },
  ],
  ['1.39: after the login', 'HELLO 2', NOAUTH, { envoy: 39, ...LOGIN }],
  ['1.36: unknown', 'HELLO 2', unknown('HELLO', '2'), { envoy: 36 }],
]);

table('levels (section 0)', [
  ['up to 1.39 QUIT needs the login', 'QUIT', NOAUTH, { envoy: 39, ...LOGIN }],
  ['1.39: QUIT after the login', 'QUIT', 'answer quit', { envoy: 39 }],
  [
    'unknown commands, in the words of early 2025',
    'NOSUCH x',
    unknown('NOSUCH', 'x'),
    { envoy: 34 },
  ],
  [
    'unknown commands, in the words before',
    'NoSuch x',
    "-unsupported command 'NoSuch'",
    { envoy: 33 },
  ],
  ['1.20: the old words', 'BLPOP k 0', "-unsupported command 'BLPOP'", { envoy: 20 }],
  ['1.20: GET', 'GET foo', '*>s2.p', { envoy: 20 }],
  ['1.24: no transactions', 'MULTI', "-unsupported command 'MULTI'", { envoy: 24 }],
  ['1.25: transactions', 'MULTI', 'answer ok', { envoy: 25 }],
  ['1.32: no UNWATCH', 'UNWATCH', "-unsupported command 'UNWATCH'", { envoy: 32 }],
  ['1.33: UNWATCH', 'UNWATCH', 'answer ok', { envoy: 33 }],
  ['1.32: no KEYS', 'KEYS *', "-unsupported command 'KEYS'", { envoy: 32 }],
  ['1.33: KEYS', 'KEYS *', '*>s0.p | *>s1.p | *>s2.p (concat)', { envoy: 33 }],
  ['1.33: SELECT', 'SELECT 1', '*>s0.p | *>s1.p | *>s2.p (same)', { envoy: 33 }],
  [
    '1.33: no custom commands',
    'json.get foo',
    "-unsupported command 'json.get'",
    { envoy: 33, customCommands: ['json.get'] },
  ],
  ['1.34: custom commands', 'json.get foo', '*>s2.p', { envoy: 34, customCommands: ['json.get'] }],
  ['1.34: no SCAN', 'SCAN 0', unknown('SCAN', '0'), { envoy: 34 }],
  ['1.35: SCAN', 'SCAN 0', '*>s0.p | *>s1.p | *>s2.p (scan)', { envoy: 35 }],
  ['1.35: no SUNION', 'SUNION foo', unknown('SUNION', 'foo'), { envoy: 35 }],
  ['1.36: SUNION', 'SUNION foo', '*>s2.p', { envoy: 36 }],
  ['1.36: no OBJECT', 'OBJECT FREQ foo', unknown('OBJECT', 'FREQ'), { envoy: 36 }],
  ['1.37: OBJECT', 'OBJECT FREQ foo', '*>s2.p', { envoy: 37 }],
  ['1.37: no BITFIELD_RO', 'BITFIELD_RO foo', unknown('BITFIELD_RO', 'foo'), { envoy: 37 }],
  ['1.38: BITFIELD_RO', 'BITFIELD_RO foo', '*>s2.p', { envoy: 38 }],
  ['1.38: no HTTL', 'HTTL foo FIELDS 1 f', unknown('HTTL', 'foo'), { envoy: 38 }],
  ['1.39: HTTL', 'HTTL foo FIELDS 1 f', '*>s2.p', { envoy: 39 }],
  [
    '1.39: no CLUSTER SHARDS',
    'CLUSTER Shards',
    "-ERR cluster subcommand 'shards' is not supported",
    { envoy: 39 },
  ],
  ['1.40: CLUSTER SHARDS', 'CLUSTER SHARDS', '*>s0.p', { envoy: 40 }],
]);

table('custom commands (2.12)', [
  ['go to the owner of element 1', 'json.get foo $', '*>s2.p', { customCommands: ['json.get'] }],
  ['in whatever case they are sent', 'JSON.get foo', '*>s2.p', { customCommands: ['json.get'] }],
  [
    'written in capitals they never match (surprise 27)',
    'JSON.GET foo',
    unknown('JSON.GET', 'foo'),
    { customCommands: ['JSON.GET'] },
  ],
  [
    'what has a class keeps it',
    'MGET foo bar',
    'get 1>s2.p | get 2>s0.p (mget)',
    { customCommands: ['mget'] },
  ],
  [
    'what the proxy answers it still answers',
    'PING foo',
    'answer pong',
    { customCommands: ['ping'] },
  ],
  [
    'what Envoy does not know it can be taught',
    'XREAD foo',
    '*>s2.p',
    { customCommands: ['xread'] },
  ],
]);

test.describe('what is answered is to the byte (14)', () => {
  const bytes = (command: string | string[], mesh?: MeshOptions): string => {
    const outcome = new Client(meshOf(mesh)).says(command);
    assert.match(outcome, /^-/);
    return encodeError(outcome.slice(1)).toString('latin1');
  };

  test('an unknown command without arguments ends in a space', () => {
    assert.equal(bytes('NOSUCH'), "-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
  });

  test('names and arguments are echoed byte for byte', () => {
    assert.equal(
      bytes(['N\x00S', 'a b']),
      "-ERR unknown command 'N S', with args beginning with: a b\r\n",
    ); // one line: NUL is a space
    const command = [Buffer.from([0xe4, 0xff]), Buffer.from([0x80])];
    const outcome = new Client(meshOf()).says(command);
    assert.deepEqual(
      [...encodeError(outcome.slice(1))].filter((byte) => byte > 0x7f),
      [0xe4, 0xff, 0x80],
    );
  });

  test('a name that holds a line end cannot forge a reply', () => {
    assert.equal(
      bytes(['X\r\n+OK', 'y\r\n:1']),
      "-ERR unknown command 'X  +OK', with args beginning with: y  :1\r\n",
    );
  });
});
