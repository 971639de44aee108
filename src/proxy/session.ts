/** What a command does to its client's session, as `decide` said it. */
import type { Command } from '../commands/command.js';
import type { Decision } from '../mesh/decision.js';
import type { Downstream } from './downstream.js';

/** Applies the session change of `decision`; sessions are replaced, never changed, for earlier commands still refer to theirs. */
export function applySession(client: Downstream, command: Command, decision: Decision): void {
  const { session: change, action } = decision;
  if (change === null) return;
  const { session } = client;
  if (change === 'begin') client.session = { ...session, multi: true };
  else if (change === 'end')
    client.session = { ...session, multi: false, transactionKey: null, pinned: null };
  else if (change === 'clear-key') client.session = { ...session, transactionKey: null };
  else if (change === 'settle') {
    const to = action.kind === 'forward' ? (action.parts[0]?.to ?? null) : null;
    client.session = { ...session, home: to?.address ?? null };
  } else client.session = { ...session, transactionKey: Buffer.from(command.arg(change.storeKey)) };
}
