/** `rmtop check` of a recording, and of a mesh against one: the real program, on the files of recordings/. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkRecording, type RecordingReport } from '../../bin/check/recording.js';
import { recordingLines } from '../../bin/check/recording-text.js';
import { bootstrap, cluster, TO_A } from '../helpers/mesh-files.js';
import { runProgram } from '../helpers/program.js';
import { folder, RECORDINGS } from '../helpers/record-files.js';

const SESSION = path.join(RECORDINGS, 'session.rmtop');

/** The session's lines as `change` makes them, in a file of their own. */
function changed(t: TestContext, change: (lines: string[]) => readonly string[]): string {
  const file = path.join(folder(t), 'changed.rmtop');
  const lines = readFileSync(SESSION, 'utf8').trimEnd().split('\n');
  writeFileSync(file, `${change(lines).join('\n')}\n`);
  return file;
}

const errorsOf = ({ findings }: RecordingReport): string[] =>
  findings.filter(({ level }) => level === 'error').map(({ code }) => code);

/** The only error there is, which makes the recording not ok. */
async function theOnly(file: string): Promise<RecordingReport['findings'][number]> {
  const report = await checkRecording(file);
  assert.equal(report.ok, false);
  assert.equal(errorsOf(report).length, 1, JSON.stringify(report.findings));
  return report.findings[0] ?? assert.fail();
}

for (const name of readdirSync(RECORDINGS))
  test(`${name} is complete, holds no secret, and decides everything as recorded`, async () => {
    const report = await checkRecording(path.join(RECORDINGS, name));
    assert.deepEqual(
      report.findings.map(({ code }) => code),
      ['REC-VALUES'],
    );
    assert.equal(report.ok, true);
    assert.equal(report.decided, report.commands);
  });

test('the program: a recording among mesh files is known by its header, packed or not; exit 0', async (t) => {
  const made = folder(t);
  const plain = path.join(made, 'no-extension');
  const packed = path.join(made, 'packed');
  const mesh = path.join(made, 'mesh.yaml');
  writeFileSync(plain, readFileSync(SESSION));
  writeFileSync(packed, gzipSync(readFileSync(SESSION)));
  writeFileSync(mesh, bootstrap(TO_A, [cluster('a', [7001])]));
  const { code, stdout, stderr } = await runProgram(t, ['check', plain, mesh, packed]);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  for (const file of [plain, packed])
    assert.ok(stdout.includes(`ok: ${file}: 0 errors, 0 warnings\n`));
  assert.match(stdout, /\n {2}124 commands of 3 clients in 0\.\d s from 2026-\S+Z, by rmtop \S+\n/);
  assert.match(stdout, /complete to its end; 124 decisions made again, the same as recorded\n/);
  assert.match(stdout, /^ok: 1 file, 1 Redis listener, 0 errors, 0 warnings$/m);
});

test('the program: --json gives the report, exit 3 where something is wrong', async (t) => {
  const file = changed(t, (lines) => lines.slice(0, -1));
  const { code, stdout, stderr } = await runProgram(t, ['check', file, '--json']);
  assert.equal(stderr, '');
  assert.equal(code, 3);
  const report = JSON.parse(stdout) as RecordingReport;
  assert.deepEqual(report, await checkRecording(file));
  assert.deepEqual([report.v, report.ok, report.ended], [1, false, null]);
  assert.deepEqual(errorsOf(report), ['REC-ENDED']);
});

test('a file that is no recording in spite of its name: exit 5, and what to do', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  writeFileSync(file, 'static_resources: {}\n');
  const { code, stderr } = await runProgram(t, ['check', file]);
  assert.equal(code, 5);
  assert.match(stderr, /error\[NO_RECORDING\]/);
});

test('an end that was cut off is torn, and what ran then is named', async (t) => {
  const file = changed(t, (lines) => [
    ...lines.slice(0, -1),
    '{"k":"pend","n":125,"t":0.3,"c":1,"a":["BLPOP","jobs"],"at":0.55}',
  ]);
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"k":"cmd","n":126,"t":`);
  const report = await checkRecording(file);
  assert.deepEqual(errorsOf(report), ['REC-TORN', 'REC-ENDED']);
  assert.match(recordingLines(report).join('\n'), /while 1 command ran: #125 BLPOP\n/);
});

test('a damaged line, a drop, and lines that were taken out', async (t) => {
  const isCommand = (line: string, n: number): boolean => line.includes(`"k":"cmd","n":${n},`);
  const damaged = await checkRecording(
    changed(t, (lines) => lines.map((line) => (isCommand(line, 7) ? line.slice(0, -9) : line))),
  );
  // Nobody can tell that it was the command that is missing.
  assert.deepEqual(errorsOf(damaged), ['REC-DAMAGED', 'REC-MISSING']);
  const without = (lines: string[]): string[] => lines.filter((line) => !isCommand(line, 7));
  assert.equal((await theOnly(changed(t, without))).code, 'REC-MISSING');
  const dropped = changed(t, (lines) => [
    ...without(lines).slice(0, -1),
    '{"k":"drop","t":0.3,"from":7,"to":7,"why":"queue","cmds":1}',
    ...lines.slice(-1),
  ]);
  assert.equal((await theOnly(dropped)).code, 'REC-DROPPED');
});

test('a password that was left in is an error that says where, not which', async (t) => {
  const file = changed(t, (lines) => [
    ...lines.slice(0, -1),
    '{"k":"cmd","n":125,"t":0.3,"d":0.0001,"c":1,"a":["AUTH","hunter2"],"u":"-","x":"L","r":{"+":"OK"}}',
    '{"k":"cmd","n":126,"t":0.3,"d":0.0001,"c":1,"a":["AUTH",{"red":"auth"}],"u":"-","x":"L","r":{"+":"OK"}}',
    ...lines.slice(-1),
  ]);
  const report = await checkRecording(file);
  assert.deepEqual(errorsOf(report), ['REC-SECRET'], JSON.stringify(report.findings));
  assert.match(
    report.findings[0]?.message ?? '',
    /^1 secret stands in it: line 146 AUTH argument 1$/,
  );
  assert.equal(report.redacted, (await checkRecording(SESSION)).redacted + 1);
  assert.doesNotMatch(JSON.stringify(report), /hunter2/);
  const inUrl = changed(t, ([header = '', ...lines]) => [
    header.replace(/"up":"/, '"up":"redis://app:hunter2@'),
    ...lines,
  ]);
  const finding = await theOnly(inUrl);
  assert.equal(finding.code, 'REC-SECRET');
  assert.doesNotMatch(JSON.stringify(finding), /hunter2/);
});

test('a way that was changed by hand breaks the law; without a configuration nothing can be decided', async (t) => {
  const edited = changed(t, (lines) =>
    lines.map((line) => line.replace('"rt":"cart:"', '"rt":"*"')),
  );
  const broken = await theOnly(edited);
  assert.equal(broken.code, 'REC-LAW');
  assert.match(broken.message, /^\d+ commands decide otherwise than recorded: #\d+ \(rt\)/);
  const bare = await theOnly(
    changed(t, (lines) => lines.filter((line) => !line.includes('"k":"cfg"'))),
  );
  assert.equal(bare.code, 'REC-UNDECIDABLE');
  assert.match(bare.message, /^124 commands cannot be decided again/);
});

/** Runs `check --against` the session with `--json`: each change, and the totals. */
async function against(
  t: TestContext,
  args: readonly string[],
): Promise<{
  readonly code: number | string;
  readonly changes: Change[];
  readonly totals: Totals;
}> {
  const { code, stdout, stderr } = await runProgram(t, [
    'check',
    '--against',
    SESSION,
    '--json',
    ...args,
  ]);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  const totals = (lines.pop() ?? assert.fail(stderr)) as Totals;
  return { code, changes: lines as Change[], totals };
}

type Change = { readonly n: number; readonly command: string; readonly change: string };
type Totals = {
  readonly commands: number;
  readonly changed: number;
  readonly by: Readonly<Record<string, number>>;
  readonly keys: number;
  readonly moved: number;
};

test('--against: the same mesh changes nothing, exit 0; another policy moves no key', async (t) => {
  const same = await against(t, []);
  assert.deepEqual([same.code, same.changes, same.totals.moved], [0, [], 0]);
  assert.equal(same.totals.commands, 124);
  const replicas = await against(t, ['--read-policy', 'REPLICA']);
  assert.equal(replicas.code, 1);
  assert.deepEqual(Object.keys(replicas.totals.by), ['role']);
  assert.equal(replicas.totals.moved, 0);
});

test('--against: a route takes its keys elsewhere, and the share that moves is told', async (t) => {
  const { code, changes, totals } = await against(t, ['--route', 'cart:=127.0.0.1:7010']);
  assert.equal(code, 1);
  assert.ok(changes.length > 0 && changes.every(({ command }) => command.includes('cart:')));
  const carts = new Set(
    readFileSync(SESSION, 'utf8')
      .match(/(?<=")cart:[^"]*(?=")/g)
      ?.filter((key) => key !== 'cart:'),
  );
  assert.equal(totals.moved, carts.size);
  assert.ok(totals.keys > totals.moved);
  const text = await runProgram(t, [
    'check',
    '--against',
    SESSION,
    '--route',
    'cart:=127.0.0.1:7010',
  ]);
  assert.match(
    text.stdout,
    new RegExp(
      `\\n {2}${totals.moved} of ${totals.keys} keys would be on another server \\(\\d+\\.\\d%\\)\\n`,
    ),
  );
});

test('--against mesh files: as replay --decide-only decides', async (t) => {
  const mesh = path.join(folder(t), 'mesh.yaml');
  const policy =
    'prefix_routes: {catch_all_route: {cluster: a, request_mirror_policy: [{cluster: b}]}}';
  writeFileSync(mesh, bootstrap(policy, [cluster('a', [7001, 7002]), cluster('b', [7010])]));
  const { code, changes, totals } = await against(t, [mesh, '--envoy', '1.30']);
  assert.equal(code, 1);
  assert.equal(totals.changed, changes.length);
  const replay = await runProgram(t, [
    'replay',
    SESSION,
    '--decide-only',
    '--json',
    '--mesh',
    mesh,
    '--envoy',
    '1.30',
  ]);
  const decided = replay.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Change);
  assert.deepEqual(decided.slice(0, -1), changes);
});

test('--against a recording without a configuration: nothing is decided, exit 2', async (t) => {
  const file = changed(t, (lines) => lines.filter((line) => !line.includes('"k":"cfg"')));
  const { code, stdout } = await runProgram(t, ['check', '--against', file]);
  assert.equal(code, 2);
  assert.match(stdout, /124 could not be decided/);
});

test('--secrets: what looks like one is said without saying it, exit 1; errors weigh more', async (t) => {
  const none = await runProgram(t, ['check', '--secrets', SESSION]);
  assert.equal(none.code, 0, none.stdout);
  const text = /"a":\["SET","([^"]*)","(?:[^"\\]|\\.)*"/;
  const put = (line: string): string => line.replace(text, '"a":["SET","$1","password=hunter2"');
  const file = changed(t, (lines) => lines.map(put));
  const { findings, secretLooking = 0, ok } = await checkRecording(file, true);
  const [finding] = findings.filter(({ code }) => code === 'REC-LOOKS-SECRET');
  assert.ok(ok && secretLooking > 1);
  assert.match(
    finding?.message ?? '',
    /^\d+ values look like secrets: line \d+ SET argument 2: a named password, line/,
  );
  assert.equal((await checkRecording(file)).secretLooking, undefined);
  const found = await runProgram(t, ['check', '--secrets', '--json', file]);
  assert.equal(found.code, 1, found.stdout);
  assert.equal((JSON.parse(found.stdout) as RecordingReport).secretLooking, secretLooking);
  assert.doesNotMatch(found.stdout, /hunter2/);
  assert.equal((await runProgram(t, ['check', file])).code, 0);
  const torn = changed(t, (lines) => lines.map(put).slice(0, -1));
  const withError = await runProgram(t, ['check', '--secrets', torn]);
  assert.equal(withError.code, 3);
  assert.match(withError.stdout, /warning\[REC-LOOKS-SECRET\]/);
});

test('a folder of recordings: each of them, and how many are ok; one with mesh files is both', async (t) => {
  const all = await runProgram(t, ['check', RECORDINGS]);
  const names = readdirSync(RECORDINGS);
  assert.equal(all.code, 0, all.stderr);
  for (const name of names)
    assert.ok(all.stdout.includes(`ok: ${path.join(RECORDINGS, name)}: 0 errors`));
  assert.ok(all.stdout.endsWith(`\n${names.length} recordings: ${names.length} ok, 0 not ok\n`));
  const torn = changed(t, (lines) => lines.slice(0, -1));
  const made = path.dirname(torn);
  writeFileSync(path.join(made, 'also.rmtop'), readFileSync(SESSION));
  writeFileSync(path.join(made, 'mesh.yaml'), bootstrap(TO_A, [cluster('a', [7001])]));
  const both = await runProgram(t, ['check', made]);
  assert.equal(both.code, 3);
  assert.ok(both.stdout.includes(`2 recordings: 1 ok, 1 not ok: ${torn}\n`), both.stdout);
  assert.match(both.stdout, /^ok: 1 file, 1 Redis listener/m);
  const nothing = await runProgram(t, ['check', '--secrets', path.join(made, 'mesh.yaml')]);
  assert.equal(nothing.code, 64);
});
