/** Logins of Aeraki's resources: plain, and of Secrets with the traps of reading one (config page, 2.6). */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  codes,
  destination,
  type Given,
  HOST,
  listener,
  load,
  outbound,
  rule,
} from '../helpers/mesh-files.js';

const secret = (fields: string): string =>
  `---\napiVersion: v1\nkind: Secret\nmetadata: {name: login, namespace: shop}\n${fields}\n`;
const b64 = (text: string): string => Buffer.from(text).toString('base64');

test.describe('2.6 passwords', () => {
  const clients = (auth: string, fields = '', given: Given = {}) =>
    listener(
      load(`${rule(`{settings: {auth: ${auth}}}`)}${fields === '' ? '' : secret(fields)}`, given),
    ).credentials;
  const servers = (auth: string, fields = '', given: Given = {}) =>
    listener(
      load(
        `${destination(`{connectionPool: {redis: {auth: ${auth}}}}`)}${fields === '' ? '' : secret(fields)}`,
        given,
      ),
    ).access[outbound(HOST)]?.login;

  test('plain is taken as it is; auth: {} is none', () => {
    assert.deepEqual(
      clients('{plain: {username: " u ", password: " p\\n"}}'.replace('" p\\n"', '" p "')),
      { username: ' u ', passwords: [' p '] },
    );
    assert.deepEqual(servers('{plain: {password: p}}'), { username: null, password: 'p' });
    assert.equal(clients('{}'), null);
    assert.equal(servers('{}'), null);
  });

  const NAMED = '{secret: {name: login}}';
  test('of a Secret: password, else token; trimmed at both ends; never its username unless it is named', () => {
    const both = `data: {password: ${b64(' \tpw\r\n')}, token: ${b64('t')}, username: ${b64('u')}}`;
    assert.deepEqual(clients(NAMED, both), { username: null, passwords: ['pw'] });
    assert.deepEqual(servers(NAMED, both), { username: null, password: 'pw' });
    assert.deepEqual(clients(NAMED, both, { intended: true }), {
      username: 'u',
      passwords: ['pw'],
    });
    assert.deepEqual(servers(NAMED, `data: {token: ${b64('t\n')}}`), {
      username: null,
      password: 't',
    });
    assert.deepEqual(servers(NAMED, 'data: {password: dGVzdHJlZGlzCg==}'), {
      username: null,
      password: 'testredis',
    });
    assert.equal(
      clients(NAMED, `data: {password: "", token: ${b64('t')}}`),
      null,
      'an empty password is still the password',
    );
  });

  test('named fields have no fall-back', () => {
    const fields = `data: {password: ${b64('p')}, who: ${b64('u\n')}, phrase: ${b64('s')}}`;
    assert.deepEqual(
      clients('{secret: {name: login, usernameField: who, passwordField: phrase}}', fields),
      { username: 'u', passwords: ['s'] },
    );
    assert.equal(
      clients('{secret: {name: login, passwordField: passwrd}}', fields),
      null,
      'the door is open',
    );
  });

  test('stringData is text, even where it looks like base64, and goes before data', () => {
    const looks = b64('decoded');
    assert.deepEqual(
      servers(NAMED, `data: {password: ${b64('old')}}\nstringData: {password: ${looks}}`),
      { username: null, password: looks },
    );
  });

  test("a Secret is looked for in the RedisService's namespace, or the service's for a RedisDestination", () => {
    const elsewhere = secret(`data: {password: ${b64('p')}}`).replace(
      'namespace: shop',
      'namespace: other',
    );
    for (const text of [
      rule(`{settings: {auth: ${NAMED}}}`),
      destination(`{connectionPool: {redis: {auth: ${NAMED}}}}`),
    ])
      assert.ok(codes(load(`${text}${elsewhere}`)).includes('AERAKI-SECRET-MISSING'));
    const anywhere = secret(`data: {password: ${b64('p')}}`).replace(', namespace: shop', '');
    assert.ok(
      !codes(load(`${rule(`{settings: {auth: ${NAMED}}}`)}${anywhere}`)).includes(
        'AERAKI-SECRET-MISSING',
      ),
    );
  });

  test('nothing that was read of a Secret is in a finding or a configuration', () => {
    const mesh = load(
      `${rule(`{settings: {auth: ${NAMED}}}`)}${secret(`data: {password: ${b64('hunter2 ')}, username: ${b64('hunter3')}}\nstringData: {x: hunter4}`)}`,
    );
    const { config } = listener(mesh);
    assert.doesNotMatch(JSON.stringify([mesh.diagnostics, mesh.notInForce, config]), /hunter/);
  });
});
