/** Events as lines of a recording (recording page, 4.2 and 4.3): every shape of a reply, and every kind of record. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { NO_PEER } from '../../src/commands/command.js';
import { FLAG } from '../../src/events/block.js';
import { cutMarker, redactedMarker } from '../../src/events/condense.js';
import type { OtherEvent } from '../../src/events/event.js';
import { plainRoute } from '../../src/mesh/config.js';
import { bytesToJson, type Json, replyToJson } from '../../src/recording/values.js';
import { decodeReply, type Reply } from '../../src/resp/value.js';
import { anyReply, bytes } from '../helpers/arbitraries.js';
import { holds } from '../helpers/check.js';
import { commandLine, otherLine } from '../helpers/lines.js';
import { clusterOf, type MeshOptions, meshOf, primaryOf, replicaOf } from '../helpers/mesh.js';
import { anyMesh, anySession, anyWords } from '../helpers/mesh-arbitraries.js';
import { checkRecord, replyFromJson } from '../helpers/record-types.js';

const SHAPES: readonly (readonly [reply: string, json: string])[] = [
  ['+OK', '{"+":"OK"}'],
  ['+', '{"+":""}'],
  ['-ERR no', '{"-":"ERR no"}'],
  ['-\x80', '{"-":{"b64":"gA=="}}'],
  [':5', '5'],
  [':0', '0'],
  [':-7', '-7'],
  [':-0', '{":":"-0"}'],
  [':007', '{":":"007"}'],
  [':9007199254740991', '9007199254740991'],
  [':9007199254740992', '{":":"9007199254740992"}'],
  [':9223372036854775807', '{":":"9223372036854775807"}'],
  [':-9223372036854775808', '{":":"-9223372036854775808"}'],
  ['$3;abc', '"abc"'],
  ['$0;', '""'],
  ['$2;ä', '"ä"'],
  ['$2;\xff\x00', '{"b64":"/wA="}'],
  ['$-1', 'null'],
  ['*-1', '{"*":null}'],
  ['_', '{"_":null}'],
  ['*0', '[]'],
  ['*3;+a;:1;$-1', '[{"+":"a"},1,null]'],
  ['#t', 'true'],
  ['#f', 'false'],
  [',1.50', '{",":"1.50"}'],
  [',inf', '{",":"inf"}'],
  ['(12345678901234567890', '{"(":"12345678901234567890"}'],
  ['!5;ERR x', '{"!":"ERR x"}'],
  ['=7;txt:abc', '{"=":"txt:abc"}'],
  ['%2;+a;:1;+b;_', '{"%":[[{"+":"a"},1],[{"+":"b"},{"_":null}]]}'],
  ['~2;:1;#t', '{"~":[1,true]}'],
  ['>2;+message;$2;hi', '{">":[{"+":"message"},"hi"]}'],
  ['|1;+ttl;:3;$1;v', '{"|":[[{"+":"ttl"},3]],"v":"v"}'],
  ['*1;%1;$1;k;*1;_', '[{"%":[["k",[{"_":null}]]]}]'],
];

test.describe('replies', () => {
  for (const [text, json] of SHAPES) {
    test(`${JSON.stringify(text)} is ${json}`, () => {
      const frame = Buffer.from(
        `${text.replaceAll(';', '\r\n')}\r\n`,
        text.includes('ä') ? 'utf8' : 'latin1',
      );
      const reply = decodeReply(frame);
      assert.ok(reply !== null);
      assert.equal(JSON.stringify(replyToJson(reply)), json);
    });
  }

  test('nothing is lost: any reply can be had back from its JSON', () => {
    holds(
      fc.property(anyReply, (reply) => {
        const line = JSON.stringify(replyToJson(reply));
        assert.ok(!line.includes('\n'));
        assert.deepEqual(replyFromJson(JSON.parse(line) as Json), reply);
      }),
      2000,
    );
  });

  test('bytes are text exactly where they are UTF-8', () => {
    const cases = [
      bytes,
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.constantFrom('\ufeffx', '\u2028', 'é', '\x00\x1b').map((text) => Buffer.from(text)),
    ];
    holds(
      fc.property(fc.oneof(...cases), (each) => {
        const json = JSON.parse(JSON.stringify(bytesToJson(each))) as string | { b64: string };
        const back = typeof json === 'string' ? Buffer.from(json) : Buffer.from(json.b64, 'base64');
        assert.deepEqual(back, each);
        const isText = Buffer.from(each.toString()).equals(each);
        assert.equal(typeof json === 'string', isText);
      }),
      1000,
    );
  });
});

test.describe('commands', () => {
  const GOLDEN: Readonly<
    Record<
      string,
      readonly [
        argv: string,
        line: string,
        mesh?: MeshOptions,
        note?: Parameters<typeof commandLine>[2],
      ]
    >
  > = {
    'a read': [
      'GET foo',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET","foo"],"s":12182,"rt":"*","u":"s2.p","p":["policy","P"],"tm":[30,300,50],"r":"bar"}',
      {},
      { replyBuf: Buffer.from('$3\r\nbar\r\n') },
    ],
    'a write': [
      'SET foo {"a":1}',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["SET","foo","{\\"a\\":1}"],"s":12182,"rt":"*","u":"s2.p","p":["write","P"],"tm":[30,300,50],"x":"W","r":{"+":"OK"}}',
    ],
    'a read that a draw placed': [
      'GET foo',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET","foo"],"s":12182,"rt":"*","dr":[0],"u":"s2.p","p":["random","P","ANY"],"tm":[30,300,50],"r":{"+":"OK"}}',
      { readPolicy: 'ANY' },
    ],
    'a read on a replica': [
      'GET foo',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET","foo"],"s":12182,"rt":"*","u":"s2.r1","p":["policy","R","PREFER_REPLICA"],"tm":[30,300,50],"r":{"+":"OK"}}',
      { readPolicy: 'PREFER_REPLICA' },
    ],
    'a read that fell back': [
      'GET foo',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET","foo"],"s":12182,"rt":"*","u":"s2.p","p":["fallback","P","PREFER_REPLICA"],"tm":[30,300,50],"r":{"+":"OK"}}',
      { readPolicy: 'PREFER_REPLICA', upstreams: { redis: clusterOf(3, 1, ['s2.r1']) } },
    ],
    'a prefix route, among others in a burst': [
      'GET user:{foo}',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"q":[40,2,5],"a":["GET","user:{foo}"],"s":12182,"rt":"user:","u":"s2.p","p":["policy","P"],"tm":[30,300,50],"r":{"+":"OK"}}',
      { routes: [plainRoute('user:', 'redis')] },
      { burst: { first: 40, size: 5 } },
    ],
    'a split command': [
      'MGET foo bar',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["MGET","foo","bar"],"ks":[1,2],"s":[12182,5061],"rt":"*","u":[{"u":"s2.p","ks":[1],"d":0.0001},{"u":"s0.p","ks":[2],"d":0}],"p":["policy","P"],"at":[[0,"10.0.0.2:6379","decided",89,189],[1,"10.0.0.0:6379","decided",-1,189]],"tm":[30,300,50],"r":{"+":"OK"}}',
      {},
      {
        attempts: [
          { part: 0, address: primaryOf(2), kind: 'decided', sentUs: 5_107_500, doneUs: 5_107_600 },
          { part: 1, address: primaryOf(0), kind: 'decided', sentUs: -1, doneUs: 5_107_600 },
        ],
      },
    ],
    'a redirect': [
      'GET foo',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET","foo"],"s":12182,"rt":"*","u":"s0.p","p":["redirect","P"],"hp":[["MOVED",12182,"s2.p","s1.p"],["ASK",12182,"s1.p","s0.p"]],"at":[[0,"10.0.0.2:6379","decided",-5107410,-5107409],[0,"10.0.0.1:6379","MOVED",-5107408,-5107407],[0,"10.0.0.0:6379","ASK",-5107406,-5107405]],"tm":[30,300,50],"r":{"+":"OK"}}',
      {},
      {
        attempts: [
          { part: 0, address: primaryOf(2), kind: 'decided', sentUs: 1, doneUs: 2 },
          { part: 0, address: primaryOf(1), kind: 'MOVED', sentUs: 3, doneUs: 4 },
          { part: 0, address: primaryOf(0), kind: 'ASK', sentUs: 5, doneUs: 6 },
        ],
      },
    ],
    'a redirect of the second part': [
      'MGET foo bar',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["MGET","foo","bar"],"ks":[1,2],"s":[12182,5061],"rt":"*","u":[{"u":"s2.p","ks":[1],"d":0.0001},{"u":"9.9.9.9:9","ks":[2],"d":0.0002}],"p":["redirect","P"],"hp":[["ASK",5061,"s0.p","9.9.9.9:9"]],"at":[[0,"10.0.0.2:6379","decided",89,189],[1,"10.0.0.0:6379","decided",89,189],[1,"9.9.9.9:9","ASK",189,389]],"tm":[30,300,50],"r":{"+":"OK"}}',
      {},
      {
        attempts: [
          { part: 0, address: primaryOf(2), kind: 'decided', sentUs: 5_107_500, doneUs: 5_107_600 },
          { part: 1, address: primaryOf(0), kind: 'decided', sentUs: 5_107_500, doneUs: 5_107_600 },
          { part: 1, address: '9.9.9.9:9', kind: 'ASK', sentUs: 5_107_600, doneUs: 5_107_800 },
        ],
      },
    ],
    'an answer of the proxy': [
      'PING',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["PING"],"u":"-","x":"L","r":{"+":"PONG"}}',
      {},
      { replyBuf: Buffer.from('+PONG\r\n') },
    ],
    'a login': [
      'AUTH pw',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["AUTH",{"red":"auth"}],"u":"-","x":"L","r":{"+":"OK"}}',
      {},
      { requestBuf: Buffer.from('*2\r\n$4\r\nAUTH\r\n!4\r\nauth\r\n'), flags: FLAG.condensed },
    ],
    'a refusal': [
      'BLPOP foo 0',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["BLPOP","foo","0"],"rf":"unsupported","u":"-","x":"L","r":{"-":"ERR x"}}',
      {},
      { replyBuf: Buffer.from('-ERR x\r\n') },
    ],
    'no host': [
      'GET foo',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET","foo"],"rf":"nohost","u":"-","x":"L","r":{"+":"OK"}}',
      { upstreams: { redis: clusterOf(0) } },
    ],
    'no route': [
      'GET foo',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET","foo"],"rf":"noroute","u":"-","x":"L","r":{"+":"OK"}}',
      { routes: [] },
    ],
    'what --open forwards': [
      'BLPOP foo 0',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["BLPOP","foo","0"],"s":12182,"rt":"*","u":"s2.p","p":["write","P"],"tm":[30,300,50],"x":"O","r":{"*":null}}',
      { open: true },
      { replyBuf: Buffer.from('*-1\r\n') },
    ],
    'a failure, and why': [
      'GET foo',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET","foo"],"s":12182,"rt":"*","u":"s2.p","p":["policy","P"],"tm":[30,300,50],"r":{"-":"upstream failure"},"cause":{"code":"op-timeout","address":"10.0.0.2:6379","afterMs":1000}}',
      {},
      {
        replyBuf: Buffer.from('-upstream failure\r\n'),
        cause: { code: 'op-timeout', address: primaryOf(2), afterMs: 1000 },
      },
    ],
    'a client that left': [
      'GET foo',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET","foo"],"s":12182,"rt":"*","u":"s2.p","p":["policy","P"],"tm":[30,300,50],"e":"client_closed"}',
      {},
      { replyBuf: Buffer.alloc(0), flags: FLAG.clientClosed },
    ],
    'a large reply': [
      'GET foo',
      `{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET","foo"],"s":12182,"rt":"*","u":"s2.p","p":["policy","P"],"tm":[30,300,50],"r":{"cut":2000000,"head":"abc","sha256":"${'0'.repeat(64)}"},"rs":2000012}`,
      {},
      {
        replyBuf: cutMarker(Buffer.from('abc'), 2_000_000, '0'.repeat(64)),
        replyTotal: 2_000_012,
        flags: FLAG.replyCondensed,
      },
    ],
    'a large reply that is no string': [
      'GET foo',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET","foo"],"s":12182,"rt":"*","u":"s2.p","p":["policy","P"],"tm":[30,300,50],"rs":9000000}',
      {},
      { replyBuf: redactedMarker('size'), replyTotal: 9_000_000, flags: FLAG.replyCondensed },
    ],
    'a reply with a secret': [
      'CONFIG GET requirepass',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["CONFIG","GET","requirepass"],"rt":"*","u":"s0.p","p":["policy","P"],"at":[[0,"10.0.0.0:6379","decided",89,189]],"tm":[30,300,50],"r":{"red":"auth"},"rs":60}',
      { upstreams: { redis: clusterOf(1) } },
      {
        replyBuf: redactedMarker('auth'),
        replyTotal: 60,
        flags: FLAG.replyCondensed,
        attempts: [
          { part: 0, address: primaryOf(0), kind: 'decided', sentUs: 5_107_500, doneUs: 5_107_600 },
        ],
      },
    ],
    'bytes that are no text': [
      'GET \xff\n',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":["GET",{"b64":"/wo="}],"s":8885,"rt":"*","u":"s1.p","p":["policy","P"],"tm":[30,300,50],"r":{"+":"OK"}}',
    ],
    'what was no request': [
      '',
      '{"k":"cmd","n":42,"t":5.107411,"d":0.00038,"c":7,"a":[],"rf":"invalid-request","u":"-","x":"L","r":{"-":"invalid request"}}',
      {},
      { replyBuf: Buffer.from('-invalid request\r\n') },
    ],
  };

  for (const [name, [argv, line, mesh, note]] of Object.entries(GOLDEN)) {
    test(name, () => {
      const words = argv === '' ? [] : argv.split(' ').map((word) => Buffer.from(word, 'latin1'));
      const said = commandLine(
        words,
        meshOf(mesh),
        { seq: 42, atUs: 5_107_411, connection: 7, queueUs: 30, ...note },
        380,
      );
      assert.equal(said, line);
      checkRecord(JSON.parse(said) as Json);
    });
  }

  test('inside a transaction', () => {
    const session = {
      authenticated: true,
      resp: 2,
      multi: true,
      transactionKey: Buffer.from('foo'),
      pinned: primaryOf(2),
      subscribed: false,
      home: null,
      peer: NO_PEER,
    } as const;
    const line = JSON.parse(commandLine(['SET', 'bar', '1'], meshOf(), { session }, 1)) as Record<
      string,
      Json
    >;
    assert.deepEqual([line.x, line.p, line.s, line.u], ['TW', ['pinned', 'P'], 12182, 's2.p']);
  });

  test('with several upstreams servers are named by theirs', () => {
    const mesh = meshOf({
      routes: [plainRoute(null, 'b')],
      upstreams: { a: clusterOf(1), b: clusterOf(1) },
    });
    const line = JSON.parse(commandLine(['GET', 'foo'], mesh, {}, 1)) as Record<string, Json>;
    assert.equal(line.u, 'b/s0.p');
  });

  test('a key that no line could hold is cut', () => {
    const key = Buffer.alloc(9_000_000, 'k');
    const line = JSON.parse(commandLine(['PUBLISH', key, 'x'], meshOf(), {}, 1)) as { a: Json[] };
    const sha256 = createHash('sha256').update(key).digest('hex');
    assert.deepEqual(line.a[1], { cut: 9_000_000, head: 'k'.repeat(4096), sha256 });
  });

  test('any command is one line of the type that the page gives', () => {
    holds(
      fc.property(anyWords, anySession, anyMesh, anyReply, (argv, session, mesh, reply) => {
        const line = commandLine(argv, mesh, { session, replyBuf: frameOf(reply) }, 77);
        assert.ok(!line.includes('\n'));
        checkRecord(JSON.parse(line) as Json);
      }),
      1500,
    );
  });
});

function frameOf(reply: Reply): Buffer {
  return reply.type === '+' ? Buffer.from('+OK\r\n') : Buffer.from('*2\r\n$1\r\na\r\n_\r\n');
}

test.describe('other records', () => {
  const GOLDEN: Readonly<Record<string, readonly [event: OtherEvent, line: string | null]>> = {
    'the header': [
      {
        type: 'hello',
        atUs: 0,
        startedAt: '2026-11-30T12:04:00.000123Z',
        listen: ['127.0.0.1:6380'],
        upstream: 'redis-cluster:6379',
      },
      '{"k":"rmtop","v":1,"min":1,"id":"01KC6Z2T9Q","part":1,"t0":"2026-11-30T12:04:00.000123Z","tool":"rmtop 0.1.0","listen":["127.0.0.1:6380"],"up":"redis-cluster:6379","redact":{"mode":"auth","key":"none"},"capture":"replies","cut":{"value":1048576,"record":8388608},"pend_ms":250}',
    ],
    'a connection': [
      {
        type: 'session',
        atUs: 812_100,
        connection: 7,
        state: 'opened',
        address: '127.0.0.1:51830',
        name: 'worker',
        library: 'ioredis 5.4.1',
        resp: 2,
      },
      '{"k":"conn","t":0.8121,"c":7,"addr":"127.0.0.1:51830","name":"worker","lib":"ioredis 5.4.1","resp":2}',
    ],
    'a connection without a name': [
      {
        type: 'session',
        atUs: 0,
        connection: 1,
        state: 'changed',
        address: '[::1]:5',
        name: null,
        library: null,
        resp: 3,
      },
      '{"k":"conn","t":0,"c":1,"addr":"[::1]:5","resp":3}',
    ],
    'its end': [
      { type: 'session-closed', atUs: 12_400_000, connection: 9, by: 'client', error: null },
      '{"k":"end","t":12.4,"c":9,"why":"client"}',
    ],
    'its end by an error': [
      { type: 'session-closed', atUs: 1, connection: 9, by: 'error', error: 'ECONNRESET' },
      '{"k":"end","t":0.000001,"c":9,"why":"error","err":"ECONNRESET"}',
    ],
    'a command that waits': [
      {
        type: 'pending',
        atUs: 9_999_999,
        seq: 45,
        arrivedUs: 5_131_233,
        connection: 7,
        name: 'DEL',
        key: 'lock:order:981',
      },
      '{"k":"pend","n":45,"t":5.131233,"c":7,"a":["DEL","lock:order:981"],"at":9.999999}',
    ],
    'a command without a key that waits': [
      { type: 'pending', atUs: 9, seq: 45, arrivedUs: 5, connection: 7, name: 'WAIT', key: null },
      '{"k":"pend","n":45,"t":0.000005,"c":7,"a":["WAIT"],"at":0.000009}',
    ],
    'a key of bytes that waits': [
      { type: 'pending', atUs: 9, seq: 45, arrivedUs: 5, connection: 7, name: 'DEL', key: '\xff' },
      '{"k":"pend","n":45,"t":0.000005,"c":7,"a":["DEL",{"b64":"/w=="}],"at":0.000009}',
    ],
    'a gap': [
      { type: 'gap', atUs: 5_900_000, dropped: 12, from: 47, to: 58 },
      '{"k":"drop","t":5.9,"from":47,"to":58,"why":"queue","cmds":12}',
    ],
    'a push': [
      {
        type: 'push',
        atUs: 5_200_000,
        connection: 9,
        reply: '>3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$5\r\nhello\r\n',
      },
      '{"k":"push","t":5.2,"c":9,"r":{">":["message","ch","hello"]}}',
    ],
    'a push that was not kept whole': [
      { type: 'push', atUs: 0, connection: 9, reply: '>3\r\n$7\r\nmess' },
      '{"k":"push","t":0,"c":9,"r":{"raw":">3\\r\\n$7\\r\\nmess"}}',
    ],
    'a log line': [
      { type: 'log', atUs: 0, level: 'warning', text: 'no route to 10.0.0.1', next: '--map' },
      '{"k":"note","t":0,"text":"no route to 10.0.0.1","lvl":"warning","next":"--map"}',
    ],
    'a server’s number': [{ type: 'server', atUs: 0, number: 3, address: 'h:1' }, null],
    'a server’s connection': [
      {
        type: 'upstream',
        atUs: 0,
        upstream: 'redis',
        address: 'h:1',
        dialled: 'h:1',
        state: 'ready',
        own: false,
        cause: null,
      },
      '{"k":"up","t":0,"u":"redis","addr":"h:1","st":"ready"}',
    ],
    'a connection that was never ready': [
      {
        type: 'upstream',
        atUs: 0,
        upstream: 'redis',
        address: 'h:1',
        dialled: 'h:1',
        state: 'failed',
        own: false,
        cause: { code: 'refused', address: 'h:1' },
      },
      '{"k":"up","t":0,"u":"redis","addr":"h:1","st":"failed","cause":{"code":"refused","address":"h:1"}}',
    ],
  };
  for (const [name, [event, line]] of Object.entries(GOLDEN)) {
    test(name, () => {
      const said = otherLine(event);
      assert.equal(said, line);
      if (said !== null) checkRecord(JSON.parse(said) as Json);
    });
  }

  test('a topology: servers, their slots, what is dialled for them, who is down', () => {
    const server = (address: string, more: object = {}): object => ({
      address,
      dialled: address,
      healthy: true,
      reachable: true,
      error: null,
      ...more,
    });
    const ranges = [
      { start: 0, end: 99, primary: primaryOf(0), replicas: [replicaOf(0)] },
      { start: 100, end: 199, primary: primaryOf(1), replicas: [] },
      { start: 300, end: 300, primary: primaryOf(0), replicas: [] },
    ];
    const servers = [
      server(primaryOf(0), { dialled: '127.0.0.1:7001' }),
      server(replicaOf(0), { healthy: false }),
      server(primaryOf(1), { reachable: false, error: 'refused' }),
    ];
    const event = {
      type: 'topology',
      atUs: 0,
      version: 14,
      upstreams: { redis: { kind: 'slots', source: 'CLUSTER SLOTS', ranges, servers } },
    } as unknown as OtherEvent;
    assert.equal(
      otherLine(event),
      '{"k":"topo","t":0,"ep":14,"src":"CLUSTER SLOTS","nodes":[{"id":"s0.p","addr":"10.0.0.0:6379","via":"127.0.0.1:7001","slots":[[0,99],[300,300]]},{"id":"s0.r1","addr":"10.0.1.0:6379","of":"s0.p","down":true},{"id":"s1.p","addr":"10.0.0.1:6379","slots":[[100,199]],"down":true}],"ups":{"redis":{"kind":"slots","source":"CLUSTER SLOTS","ranges":[{"start":0,"end":99,"primary":"10.0.0.0:6379","replicas":["10.0.1.0:6379"]},{"start":100,"end":199,"primary":"10.0.0.1:6379","replicas":[]},{"start":300,"end":300,"primary":"10.0.0.0:6379","replicas":[]}],"servers":[{"address":"10.0.0.0:6379","dialled":"127.0.0.1:7001","healthy":true,"reachable":true,"error":null},{"address":"10.0.1.0:6379","dialled":"10.0.1.0:6379","healthy":false,"reachable":true,"error":null},{"address":"10.0.0.1:6379","dialled":"10.0.0.1:6379","healthy":true,"reachable":false,"error":"refused"}]}}}',
    );
    checkRecord(JSON.parse(otherLine(event) as string) as Json);
  });

  test('a topology of one server that is no cluster', () => {
    const event = {
      type: 'topology',
      atUs: 0,
      version: 1,
      upstreams: {
        redis: {
          kind: 'single',
          source: 'h:1 (no Redis Cluster)',
          ranges: null,
          hosts: null,
          servers: [
            { address: 'h:1', dialled: 'h:1', healthy: true, reachable: null, error: null },
          ],
        },
      },
    } as const;
    assert.equal(
      otherLine(event),
      '{"k":"topo","t":0,"ep":1,"src":"h:1 (no Redis Cluster)","nodes":[{"id":"s0.p","addr":"h:1"}],"ups":{"redis":{"kind":"single","source":"h:1 (no Redis Cluster)","ranges":null,"hosts":null,"servers":[{"address":"h:1","dialled":"h:1","healthy":true,"reachable":null,"error":null}]}}}',
    );
  });

  test('the configuration, whole, with its hash', () => {
    const { plain } = meshOf();
    const line = JSON.parse(
      otherLine({ type: 'config', atUs: 0, config: plain }) as string,
    ) as Record<string, Json>;
    checkRecord(line);
    assert.deepEqual([line.k, line.cv, line.mesh], ['cfg', 1, JSON.parse(JSON.stringify(plain))]);
    assert.equal(line.sha256, createHash('sha256').update(JSON.stringify(plain)).digest('hex'));
  });
});
