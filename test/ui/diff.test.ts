/** `=`: two replies compared by the same engine as replay and mirrors, shown beside each other. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { readTolerances } from 'rmtop';
import { TestScreen } from '../helpers/model.js';

function withReplies(...replies: readonly string[]): TestScreen {
  const screen = new TestScreen(120, 36);
  screen.stream.client(1, 'api');
  for (const reply of replies) screen.stream.command({ argv: ['HGETALL', 'cart:1'], reply });
  screen.update();
  return screen;
}

test('a mark and the command in focus: where they differ, and both in full', () => {
  const screen = withReplies('*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n', '*2\r\n$1\r\na\r\n:5\r\n');
  screen.type('kmj=');
  assert.equal(screen.model.pane, 'detail');
  assert.match(screen.panes(), /\[Diff\]/);
  assert.match(screen.panes(), /the replies differ/);
  assert.match(screen.panes(), /#1 HGETALL cart:1 s\d\.\S+ +#2 HGETALL cart:1 s\d\.\S+/);
  assert.match(screen.panes(), /2\) .*1 +x 2\) .*5/);
});

test('two marks; what may differ is told apart from what may not', () => {
  const screen = withReplies(
    '*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n',
    '+other\r\n',
    '*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\na\r\n$1\r\n1\r\n',
  );
  screen.type('mkkm=');
  assert.match(screen.panes(), /the replies (are the same|differ only in what may differ: \S+)/);
  screen.type('\x1b');
  screen.type('Ukmj=');
  assert.match(screen.panes(), /the replies differ/);
});

test('a rule of the settings says by its name what may differ', () => {
  const screen = withReplies('*2\r\n$1\r\na\r\n:1\r\n', '*2\r\n$1\r\na\r\n:5\r\n');
  screen.model.tolerances = readTolerances([{ name: 'carts', if: 'key=cart:*', path: '.a' }]);
  screen.type('kmj=');
  assert.match(screen.panes(), /the replies differ only in what may differ: carts/);
});

test('a command with what its mirror answered', () => {
  const screen = withReplies('$1\r\n1\r\n');
  screen.stream.other({
    type: 'mirror',
    atUs: 5000,
    seq: 1,
    part: 0,
    upstream: 'copy',
    address: '10.1.2.9:6379',
    state: 'diff',
    detail: 'value 1, not 2',
    reply: '$1\r\n2\r\n',
    lagUs: 100,
    durationUs: 300,
    cause: null,
  });
  screen.update();
  screen.type('=');
  assert.match(screen.panes(), /#1 HGETALL cart:1 s\d\.\S+ +copy/);
  assert.match(screen.panes(), /"1" +x "2"/);
});

test('with nothing to compare it says how', () => {
  const screen = withReplies('+OK\r\n');
  screen.type('=');
  assert.match(screen.news(), /mark a command with m, go to another and press =/);
  assert.equal(screen.model.pane, 'stream');
});
