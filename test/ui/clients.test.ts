/** `x` in the pane of connections: it asks first, and says that it is done when the core has done it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { ClientState } from 'rmtop';
import { TestScreen } from '../helpers/model.js';
import { until } from '../helpers/until.js';

function filled(): TestScreen {
  const screen = new TestScreen(100, 30);
  const { stream } = screen;
  stream.client(1, 'api');
  stream.client(2, 'worker');
  stream.command({ argv: ['GET', 'a'], connection: 1 });
  screen.update();
  return screen;
}

test('x asks about the client in focus; y closes it, and that is said when it is done', async () => {
  const screen = filled();
  let done: (closed: boolean) => void = () => {};
  screen.stream.closeClient = (connection) => {
    screen.stream.kicked.push(connection);
    return new Promise((resolve) => {
      done = resolve;
    });
  };
  screen.type('8jx');
  assert.equal(screen.news(), 'Close c1 api 127.0.0.1:51801? y/N');
  // One that connects while the question is there does not change whom it is about.
  screen.stream.client(3, 'late');
  screen.type('y');
  assert.deepEqual(screen.stream.kicked, [1]);
  assert.equal(screen.news(), '', 'nothing is said before the core has done it');
  done(true);
  await until(() => screen.news() !== '', 'the answer');
  assert.equal(screen.news(), 'closed c1 api 127.0.0.1:51801');
  assert.equal(screen.model.diary.list.at(-1)?.line, 'close c1');
  screen.stream.closeClient = () => Promise.resolve(false);
  screen.type(':close c2\r');
  await until(() => /c2/.test(screen.news()), 'the other answer');
  assert.equal(screen.news(), 'c2 worker 127.0.0.1:51802 had gone already');
});

test('any other key than y leaves the client alone, the same key and Enter among them', () => {
  for (const key of ['x', '\r', '\x1b', 'n', 'q', ' ']) {
    const screen = filled();
    screen.type(`8x${key}`);
    assert.deepEqual(screen.stream.kicked, [], JSON.stringify(key));
    assert.equal(screen.model.dialog, null);
    assert.equal(screen.quits, 0);
  }
});

test('where there is no client to close, x says so', () => {
  const screen = filled();
  screen.type('x');
  assert.match(screen.news(), /choose it in pane 8/);
  screen.type('8]x');
  assert.match(screen.news(), /choose it in pane 8/);
  screen.type(':close c9\r');
  assert.match(JSON.stringify(screen.model.dialog), /no client is called c9/);
});

test('the pane of connections says how each client stands: user, requests in flight, MULTI, channels', () => {
  const screen = filled();
  const { stream, model } = screen;
  stream.client(3, 'listener');
  screen.update();
  const state = (connection: number, more: object): ClientState => ({
    connection,
    user: 'default',
    multi: false,
    channels: 0,
    inFlight: 0,
    ...more,
  });
  screen.type('8');
  assert.match(screen.panes(), /^>?c3 .* {2}-/m, 'not known yet');
  const states = [state(1, { multi: true, inFlight: 12 }), state(2, {}), state(3, { channels: 2 })];
  model.feed.sessions.states = new Map(states.map((each) => [each.connection, each]));
  screen.type('j');
  assert.match(screen.panes(), /3 clients connected +T in MULTI +S subscribed/);
  assert.match(screen.panes(), /^Tc1 .* 12 .* MULTI$/m);
  assert.match(screen.panes(), /^Sc3 .* 2 channels$/m);
  model.size = { columns: 140, rows: 36 };
  screen.type('8');
  assert.match(screen.panes(), /^Tc1 .* default .* MULTI$/m);
});

test('Enter on a client, a key or a server shows its commands, whatever was filtered before', () => {
  const screen = filled();
  screen.stream.command({ argv: ['SET', 'b', '1'], connection: 2 });
  screen.update();
  const { model } = screen;
  const text = (): string => model.filterBar.text;
  screen.type('/hgetall\r');
  screen.type('8\r');
  assert.deepEqual([model.pane, text(), screen.rows], ['stream', 'conn=2', [2]]);
  assert.match(screen.news(), /only conn=2 +\(\/ edits, ! switches it off\)/);
  screen.type('8j\r');
  assert.deepEqual([text(), screen.rows], ['conn=1', [1]]);
  screen.type('/\x1b[A\x1b[A\x1b[A');
  assert.equal(model.filterBar.line?.text, 'hgetall');
  screen.type('\x1b');
  screen.type('7\r');
  assert.match(text(), /^key=[ab]$/);
  screen.type('3\r');
  assert.match(text(), /^node=/);
  screen.type('2\r');
  assert.equal(model.pane, 'detail', 'what is no list stays');
});
