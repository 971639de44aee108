/** `x`: ending a client's connection, after asking. */
import type { Model } from '../model.js';
import { clientAtCursor } from '../panes/conns.js';
import { printableText } from '../text/printable.js';
import { UNCHANGEABLE } from '../transport.js';

/** `x` in the pane of connections: asks about the client in focus. */
export function askClose(model: Model): void {
  if (model.playback !== null) {
    model.toasts.answer(UNCHANGEABLE);
    return;
  }
  const session = model.pane === 'conns' ? clientAtCursor(model) : null;
  if (session === null)
    model.toasts.answer(
      `${model.keyOf('close-client')} closes a client's connection: choose it in pane ${model.keyOf('show-conns')}, Clients`,
    );
  else if (session.closedUs !== null)
    model.toasts.answer(`c${session.connection} is closed already`);
  else model.dialog = { kind: 'close', connection: session.connection };
}

/** `c7 worker 127.0.0.1:51830`; what is left of it when it has been forgotten. */
export function clientText(model: Model, connection: number): string {
  const session = model.feed.sessions.get(connection);
  const about = [session?.name ?? '', session?.address ?? ''].filter((each) => each !== '');
  return [`c${connection}`, ...about.map((each) => printableText(each, model.look))].join(' ');
}

/** The answer to `Close c7? y/N`: anything but y is no. */
export function answerClose(model: Model, connection: number, key: string): void {
  model.dialog = null;
  if (key !== 'y' && key !== 'Y') return;
  model.did(`close c${connection}`);
  closeClient(model, connection);
}

/** Closes it; that is said when the core has done it. */
export function closeClient(model: Model, connection: number): void {
  const { toasts, effects } = model;
  const who = clientText(model, connection);
  effects
    .closeClient(connection)
    .then(
      (done) => toasts.answer(done ? `closed ${who}` : `${who} had gone already`),
      (error: unknown) =>
        toasts.say(
          'error',
          `${who} is not closed: ${error instanceof Error ? error.message : String(error)}`,
          null,
        ),
    )
    .finally(effects.changed);
}
