/** What looks like a secret, and what only looks so to the careless. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { looksSecret, secretLooking } from '../../src/recording/secrets.js';
import type { JsonObject } from '../../src/recording/values.js';
import { RECORDINGS } from '../helpers/record-files.js';

/** Made up, and put together here so that nobody's scanner finds them. */
const long = 'aB3dE5fG7h'.repeat(6);
const SECRETS: Readonly<Record<string, string>> = {
  'a private key': `x\n-----BEGIN RSA ${'PRIVATE'} KEY-----\nMIIE`,
  'a JSON Web Token': `eyJ${long.slice(0, 17)}.eyJ${long.slice(0, 20)}.${long.slice(0, 30)}`,
  'an AWS access key': `id=${'AKIA'}IOSFODNN7EXAMPLE`,
  'a GitHub token': `ghp_${long.slice(0, 36)}`,
  'a GitLab token': `glpat-${long.slice(0, 20)}`,
  'a Slack token': `xoxb-${long.slice(0, 24)}`,
  'a Stripe key': `sk_live_${long.slice(0, 24)}`,
  'a Google API key': `AIza${long.slice(0, 35)}`,
  'an npm token': `npm_${long.slice(0, 36)}`,
  'an API key': `sk-proj-${long.slice(0, 40)}`,
  'a password in a URL': 'see redis://app:hunter2@db:6379/0',
  'a login of HTTP': `Authorization: Bearer ${long.slice(0, 24)}`,
  'a named password': '{"user":"a","Password": "hunter2"}',
};

for (const [name, text] of Object.entries(SECRETS))
  test(`${name} is found`, () => {
    assert.equal(looksSecret(text), name);
  });

const HARMLESS = [
  'hello world',
  'https://example.com/a@b?c=d:e',
  'the password is wrong',
  'password=',
  'Basic training for beginners',
  '{"password":null,"secret":""}',
  'd41d8cd98f00b204e9800998ecf8427e',
  '550e8400-e29b-41d4-a716-446655440000',
  'eyJhbGciOiJIUzI1NiJ9',
  'sk-learn',
  'redis://db:6379/0',
];
for (const text of HARMLESS)
  test(`${JSON.stringify(text)} is no secret`, () => {
    assert.equal(looksSecret(text), null);
  });

const cmd = (a: readonly unknown[], r: unknown): JsonObject => ({ k: 'cmd', a, r }) as JsonObject;

test('where it stands is said: argument or reply, by its form or by what it is called', () => {
  const jwt = SECRETS['a JSON Web Token'] as string;
  const key = SECRETS['a private key'] as string;
  assert.deepEqual(secretLooking(cmd(['set', 'k', jwt], { '+': 'OK' })), [
    'SET argument 2: a JSON Web Token',
  ]);
  assert.deepEqual(
    secretLooking(
      cmd(['GET', 'k'], { b64: Buffer.from(`${key}\xff`, 'latin1').toString('base64') }),
    ),
    ['GET reply: a private key'],
  );
  assert.deepEqual(secretLooking(cmd(['HSET', 'u', 'name', 'ann', 'password', 'hunter2'], 2)), [
    'HSET argument 5: what is called password',
  ]);
  const named = ['HGETALL reply: what is called password'];
  assert.deepEqual(
    secretLooking(cmd(['HGETALL', 'u'], ['name', 'ann', 'password', 'hunter2'])),
    named,
  );
  assert.deepEqual(
    secretLooking(cmd(['HGETALL', 'u'], { '%': [['user.password', 'hunter2']] })),
    named,
  );
  assert.deepEqual(secretLooking(cmd(['HGET', 'u', 'api_key'], 'hunter2')), [
    'HGET reply: what is called api_key',
  ]);
  assert.deepEqual(secretLooking(cmd(['AUTH', { red: 'auth' }], { '+': 'OK' })), []);
  assert.deepEqual(secretLooking(cmd(['HSET', 'u', 'password', { red: 'value', len: 7 }], 1)), []);
  const push = { k: 'push', t: 0, c: 1, r: { '>': ['message', 'ch', jwt] } } as JsonObject;
  assert.deepEqual(secretLooking(push), ['a push line: a JSON Web Token']);
});

test('the recordings that are shipped have none', () => {
  for (const name of readdirSync(RECORDINGS))
    for (const line of readFileSync(path.join(RECORDINGS, name), 'utf8').trimEnd().split('\n'))
      assert.deepEqual(secretLooking(JSON.parse(line) as JsonObject), [], name);
});
