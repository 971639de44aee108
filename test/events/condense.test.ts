/** Passwords are never in what is kept (recording page, 4.6), large values are cut, and the decision can still be made again. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { Command, NEW_SESSION } from '../../src/commands/command.js';
import {
  condenseArguments,
  condenseRequest,
  cutMarker,
  hasSecretReply,
  type KeptArgument,
  PieceKeeper,
  ReplyKeeper,
  readCondensed,
  readCut,
  redactedMarker,
  secretArguments,
} from '../../src/events/condense.js';
import { decide } from '../../src/mesh/decide.js';
import { replayRng, seededRng } from '../../src/mesh/rng.js';
import { encodeBulk, encodeRequest } from '../../src/resp/encode.js';
import { REQUEST, RequestParser } from '../../src/resp/request.js';
import { decodeReply } from '../../src/resp/value.js';
import { bytes, chunksOf, cuts } from '../helpers/arbitraries.js';
import { holds } from '../helpers/check.js';
import { hugeArguments } from '../helpers/huge.js';
import { meshOf } from '../helpers/mesh.js';
import { anyMesh, anySession, anyWords } from '../helpers/mesh-arbitraries.js';

const LIMITS = { value: 1_048_576, record: 8_388_608 };

/** Secrets are the words that hold S3CRET; everything else must be kept. */
const SECRET = /S3CRET/;
const COMMANDS: readonly string[] = [
  'AUTH S3CRET',
  'auth S3CRET',
  'AuTh S3CRETuser S3CRET',
  'AUTH S3CRET S3CRET S3CRET S3CRET',
  'HELLO 3 AUTH S3CRETuser S3CRET',
  'hello 2 auth S3CRETuser S3CRET setname worker',
  'HELLO 3 SETNAME worker AUTH S3CRETuser S3CRET',
  'HELLO 3 SETNAME auth AUTH S3CRETuser S3CRET',
  'HELLO 3 AUTH S3CRETuser S3CRET AUTH S3CRETuser S3CRET',
  'HELLO 3 AUTH S3CRETuser S3CRETwith S3CRETspaces',
  'HELLO AUTH S3CRETuser S3CRET',
  'HELLO 3 AUTH S3CRETuser',
  'HELLO 9 AUTH S3CRETuser S3CRET',
  'CONFIG SET requirepass S3CRET',
  'config set RequirePass S3CRET',
  'CONFIG SET masterauth S3CRET',
  'CONFIG SET masteruser S3CRET',
  'CONFIG SET tls-key-file-pass S3CRET',
  'CONFIG SET tls-client-key-file-pass S3CRET',
  'CONFIG SET maxmemory 1gb requirepass S3CRET',
  'CONFIG SET requirepass S3CRET maxmemory 1gb masterauth S3CRET',
  'CONFIG SET maxmemory requirepass S3CRET',
  'ACL SETUSER alice on >S3CRET ~* +@all',
  'acl setuser alice <S3CRET #S3CRET !S3CRET nopass',
  'ACL SETUSER alice on >S3CRET >S3CRET2 &*',
  'MIGRATE host 6379 key 0 1000 AUTH S3CRET',
  'migrate host 6379 key 0 1000 copy replace auth S3CRET',
  'MIGRATE host 6379 key 0 1000 AUTH2 S3CRETuser S3CRET',
  'MIGRATE host 6379 auth 0 1000 AUTH S3CRET',
  'MIGRATE auth 6379 key 0 1000 COPY AUTH2 S3CRETuser S3CRET',
  'MIGRATE host 6379 EMPTY 0 1000 AUTH S3CRET KEYS auth a b',
  'MIGRATE host 6379 EMPTY 0 1000 AUTH2 S3CRETuser S3CRET KEYS a b',
  'MIGRATE host 6379 EMPTY 0 1000 KEYS a AUTH S3CRET',
];

/** The request in the spellings a client may use: as an array, inline, and inline in quotes. */
function spellings(line: string): Buffer[] {
  const argv = line.split(' ').map((word) => (word === 'EMPTY' ? '' : word));
  const inline = argv.map((word) => (word === '' ? '""' : word));
  const quoted = argv.map(
    (word) => `"${[...word].map((char) => `\\x${char.charCodeAt(0).toString(16)}`).join('')}"`,
  );
  return [
    encodeRequest(argv),
    Buffer.from(`${inline.join('  ')}\r\n`),
    Buffer.from(`${quoted.join(' ')}\r\n`),
  ];
}

function load(request: Buffer): Command {
  const parser = new RequestParser();
  parser.push(request);
  assert.equal(parser.next(), REQUEST);
  const command = new Command();
  command.load(parser, NEW_SESSION);
  return command;
}

test.describe('secrets', () => {
  for (const line of COMMANDS) {
    test(line, () => {
      for (const request of spellings(line)) {
        const command = load(request);
        assert.equal(command.spec?.secret, true, 'its row says that it may hold a secret');
        const words = command.argv.map(String);
        const condensed = condenseRequest(command, LIMITS);
        assert.doesNotMatch(condensed.toString('latin1'), SECRET);
        const kept = readCondensed(condensed);
        assert.equal(kept.length, words.length);
        for (const [i, arg] of kept.entries()) {
          if (SECRET.test(words[i] as string))
            assert.deepEqual([arg.kind, arg.bytes.toString()], ['redacted', '(redacted)']);
          else if (arg.kind === 'whole') assert.equal(arg.bytes.toString(), words[i]);
          else
            assert.match(
              words[i - 1] as string,
              /auth|requirepass/i,
              `${words[i]} was taken out for nothing`,
            );
        }
      }
    });
  }

  test('what looks like one and is none is kept', () => {
    for (const line of [
      'CONFIG SET maxmemory 1gb',
      'CONFIG GET requirepass',
      'ACL SETUSER alice on nopass ~* +@all',
      'ACL GETUSER alice',
      'HELLO 3 SETNAME auth',
      'MIGRATE host 6379 key 0 1000 COPY',
      'MIGRATE auth 6379 auth2 0 1000 COPY',
      'SET requirepass x',
      'GET auth',
    ]) {
      assert.deepEqual(secretArguments(Command.of(line.split(' '))), [], line);
    }
  });

  test('a name or value that no string could hold is no trouble', () => {
    for (const words of [
      ['AUTH'],
      ['HELLO', '3', 'AUTH'],
      ['CONFIG', 'SET'],
      ['ACL', 'SETUSER', 'x'],
      ['MIGRATE', 'h', '1', 'k', '0', '1'],
      ['CONFIG', 'GET'],
    ]) {
      const command = hugeArguments(words);
      secretArguments(command);
      hasSecretReply(command);
    }
  });
});

test.describe('replies that may hold a secret', () => {
  const rows: readonly (readonly [line: string, secret: boolean])[] = [
    ['CONFIG GET requirepass', true],
    ['config get REQUIREPASS', true],
    ['CONFIG GET *', true],
    ['CONFIG GET require*', true],
    ['CONFIG GET [r]equirepass', true],
    ['CONFIG GET require?ass', true],
    ['CONFIG GET require\\pass', true],
    ['CONFIG GET maxmemory masterauth', true],
    ['CONFIG GET maxmemory', false],
    ['CONFIG SET requirepass x', false],
    ['ACL GETUSER alice', true],
    ['acl list', true],
    ['ACL GENPASS', true],
    ['ACL WHOAMI', false],
    ['HELLO 3 AUTH u p', false],
    ['HELLO 3 AUTH u p rest', true], // the error names it
    ['GET requirepass', false],
  ];
  for (const [line, secret] of rows) {
    test(`${line}: ${secret ? 'not kept' : 'kept'}`, () => {
      const command = Command.of(line.split(' '));
      assert.equal(hasSecretReply(command), secret);
      if (secret) assert.equal(command.spec?.secret, true);
    });
  }

  test('leave a mark that is no value', () => {
    assert.equal(redactedMarker('auth').toString(), '=8\r\nred:auth\r\n');
    assert.equal(readCut(Buffer.from('red:auth')), null);
  });
});

test.describe('large values', () => {
  const large = Buffer.alloc(5000, 'abcdefg');
  const sha256 = createHash('sha256').update(large).digest('hex');

  test('are cut to their head, with length and hash', () => {
    const kept = readCondensed(
      condenseRequest(Command.of(['SET', 'k', large, 'EX', '60']), {
        value: 4999,
        record: LIMITS.record,
      }),
    );
    assert.deepEqual(kept, [
      { kind: 'whole', bytes: Buffer.from('SET') },
      { kind: 'whole', bytes: Buffer.from('k') },
      { kind: 'cut', bytes: large.subarray(0, 4096), total: 5000, sha256 },
      { kind: 'whole', bytes: Buffer.from('EX') },
      { kind: 'whole', bytes: Buffer.from('60') },
    ]);
  });

  test('at the limit are whole', () => {
    const kept = readCondensed(
      condenseRequest(Command.of(['SET', 'k', large]), { value: 5000, record: LIMITS.record }),
    );
    assert.deepEqual(
      kept.map((arg) => arg.kind),
      ['whole', 'whole', 'whole'],
    );
  });

  test('of a record that is too large are all cut that are above a head', () => {
    const kept = readCondensed(
      condenseRequest(Command.of(['RPUSH', 'k', large, 'small', large]), {
        value: 6000,
        record: 8000,
      }),
    );
    assert.deepEqual(
      kept.map((arg) => arg.kind),
      ['whole', 'whole', 'cut', 'whole', 'cut'],
    );
  });

  test('are never cut where they decide: keys, and what EVAL takes for one', () => {
    for (const argv of [
      ['GET', large],
      ['MGET', large, large],
      ['MSET', large, 'v'],
      ['OBJECT', 'FREQ', large],
      ['EVAL', 'script', '0', large],
      ['EVAL', 's', '1', large],
    ]) {
      const kept = readCondensed(condenseRequest(Command.of(argv), { value: 100, record: 1000 }));
      assert.ok(
        kept.every((arg) => arg.kind === 'whole'),
        String(argv[0]),
      );
    }
  });
});

test('the decision about a condensed request is the decision about the request', () => {
  const limits = { value: 3, record: 60 };
  holds(
    fc.property(
      anyWords,
      anySession,
      anyMesh,
      fc.nat(),
      (argv, session, { topology, config }, seed) => {
        if (argv.length === 0) return;
        const command = Command.of(argv, session);
        const decision = decide(command, topology, config, seededRng(seed));
        const kept = readCondensed(condenseRequest(command, limits));
        const again = Command.of(
          kept.map((arg) => arg.bytes),
          session,
        );
        assert.deepEqual(decide(again, topology, config, replayRng(decision.draws)), decision);
      },
    ),
    3000,
  );
});

test('and so for commands that hold secrets', () => {
  for (const line of COMMANDS) {
    for (const open of [false, true]) {
      const { topology, config } = meshOf({ open });
      const argv = line.split(' ').map((word) => (word === 'EMPTY' ? '' : word));
      for (const multi of [false, true]) {
        const session = { ...NEW_SESSION, multi };
        const decision = decide(Command.of(argv, session), topology, config, seededRng(1));
        const kept = readCondensed(condenseRequest(Command.of(argv, session), LIMITS));
        const again = Command.of(
          kept.map((arg) => arg.bytes),
          session,
        );
        assert.deepEqual(
          decide(again, topology, config, replayRng(decision.draws)),
          decision,
          line,
        );
      }
    }
  }
});

test('arguments that are known are written and read', () => {
  const kept: fc.Arbitrary<KeptArgument> = fc.oneof(
    bytes.map((each) => ({ kind: 'whole' as const, bytes: each })),
    fc
      .constantFrom('auth', 'capture')
      .map((rule) => ({ kind: 'redacted' as const, rule, bytes: Buffer.from('(redacted)') })),
    fc.tuple(bytes, fc.nat()).map(([each, total]) => ({
      kind: 'cut' as const,
      bytes: each,
      total,
      sha256: createHash('sha256').update(each).digest('hex'),
    })),
    bytes.map((each) => ({ kind: 'cut' as const, bytes: each, total: 7, sha256: '' })),
  );
  holds(
    fc.property(fc.array(kept, { maxLength: 6 }), (args) =>
      assert.deepEqual(readCondensed(condenseArguments(args)), args),
    ),
    500,
  );
});

test('a marker cannot be mistaken for a value', () => {
  const marker = decodeReply(cutMarker(Buffer.from('head'), 9, 'ab'));
  assert.equal(marker?.type, '=');
  const pretended = condenseRequest(Command.of(['SET', 'k', 'cut:9:ab:head']), LIMITS);
  assert.deepEqual(
    readCondensed(pretended).map((arg) => arg.kind),
    ['whole', 'whole', 'whole'],
  );
});

test.describe('what passes by in pieces', () => {
  test('is kept as head, number and hash, however it is cut', () => {
    holds(
      fc.property(fc.integer({ min: 0, max: 10_000 }), cuts, (size, sizes) => {
        const all = Buffer.alloc(size, 'abcdefghijk');
        const keeper = new PieceKeeper(true);
        for (const chunk of chunksOf(all, sizes)) keeper.add(chunk);
        assert.deepEqual(keeper.argument(), {
          kind: 'cut',
          bytes: all.subarray(0, 4096),
          total: size,
          sha256: createHash('sha256').update(all).digest('hex'),
        });
      }),
      200,
    );
  });

  test('the head is a copy: the pieces’ buffer is used again', () => {
    const keeper = new PieceKeeper(false);
    const shared = Buffer.from('abc');
    keeper.add(shared);
    shared.fill('x');
    assert.deepEqual(keeper.argument(), {
      kind: 'cut',
      bytes: Buffer.from('abc'),
      total: 3,
      sha256: '',
    });
  });

  test('of a bulk reply its content is kept, without its length and line end', () => {
    const content = Buffer.alloc(100_000, 'abcdefg');
    for (const sizes of [[65_536], [70_000, 1], [20, 1000]]) {
      const keeper = new ReplyKeeper(true);
      for (const chunk of chunksOf(encodeBulk(content), sizes)) keeper.add(chunk);
      const marker = decodeReply(keeper.marker());
      assert.ok(marker?.type === '=');
      const sha256 = createHash('sha256').update(content).digest('hex');
      assert.deepEqual(readCut(marker.value), {
        kind: 'cut',
        bytes: content.subarray(0, 4096),
        total: content.length,
        sha256,
      });
    }
  });

  test('of any other reply only that it was large', () => {
    for (const frame of [
      '*2\r\n$1\r\na\r\n$1\r\nb\r\n',
      '%1\r\n+a\r\n+b\r\n',
      '=7\r\ntxt:abc\r\n',
    ]) {
      const keeper = new ReplyKeeper(true);
      keeper.add(Buffer.from(frame));
      assert.equal(keeper.marker().toString(), '=8\r\nred:size\r\n');
    }
  });
});
