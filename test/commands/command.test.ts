/** A request as a Command: its name, row and arguments. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Command, NEW_SESSION } from '../../src/commands/command.js';
import { REQUEST, RequestParser } from '../../src/resp/request.js';

const ROWS: readonly (readonly [
  argv: readonly string[],
  name: string,
  row: string | undefined,
  asSent: string,
])[] = [
  [['GET', 'k'], 'GET', 'GET', 'GET'],
  [['gEt', 'k'], 'GET', 'GET', 'gEt'],
  [['config', 'get', '*'], 'CONFIG GET', 'CONFIG GET', 'config'],
  [['CONFIG', 'NOSUCH'], 'CONFIG NOSUCH', 'CONFIG', 'CONFIG'],
  [['CONFIG'], 'CONFIG', 'CONFIG', 'CONFIG'],
  [['latency', 'reset'], 'LATENCY RESET', 'LATENCY RESET', 'latency'],
  [['LATENCY', 'doctor'], 'LATENCY DOCTOR', 'LATENCY', 'LATENCY'],
  [['object', 'encoding', 'k'], 'OBJECT ENCODING', 'OBJECT', 'object'],
  [['json.get', 'k'], 'JSON.GET', undefined, 'json.get'],
  [['', 'k'], '', undefined, ''],
  [['GET k'], 'GET K', undefined, 'GET k'],
];

for (const [argv, name, row, asSent] of ROWS) {
  test(`${JSON.stringify(argv)} is ${name || 'nothing'}`, () => {
    const command = Command.of(argv);
    assert.deepEqual([command.name, command.spec?.name, command.nameAsSent], [name, row, asSent]);
    assert.deepEqual(command.argv.map(String), argv);
  });
}

test('arguments are the bytes that came', () => {
  const parser = new RequestParser();
  parser.push(Buffer.from('*2\r\n$3\r\nGET\r\n$3\r\n\x00\xff\n\r\n', 'latin1'));
  assert.equal(parser.next(), REQUEST);
  const command = new Command();
  command.load(parser, NEW_SESSION);
  assert.deepEqual([...command.arg(1)], [0, 0xff, 0x0a]);
  assert.deepEqual([command.startOf(1), command.endOf(1)], [17, 20]);
});

test('a loaded command forgets the one before it', () => {
  const parser = new RequestParser();
  const command = new Command();
  parser.push(Buffer.from('CONFIG SET a b\r\nnosuch\r\n'));
  const seen: unknown[] = [];
  while (parser.next() === REQUEST) {
    command.load(parser, NEW_SESSION);
    seen.push([command.name, command.spec?.name, command.argc, command.keys]);
  }
  assert.deepEqual(seen, [
    ['CONFIG SET', 'CONFIG SET', 4, []],
    ['NOSUCH', undefined, 1, []],
  ]);
});
