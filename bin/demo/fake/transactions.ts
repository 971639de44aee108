/** MULTI, EXEC, DISCARD, WATCH, UNWATCH. */
import type { CommandTable } from './call.js';
import { array, NULL_ARRAY, OK, Refused } from './replies.js';
import type { Session } from './session.js';

/** Commands that are not queued between MULTI and EXEC. */
export const NOT_QUEUED: ReadonlySet<string> = new Set([
  'MULTI',
  'EXEC',
  'DISCARD',
  'WATCH',
  'QUIT',
  'RESET',
]);

/** The commands, by name. */
export const transactions: CommandTable = {
  MULTI: ({ session }) => {
    if (session.queue !== null) throw new Refused('ERR MULTI calls can not be nested');
    session.queue = [];
    session.spoilt = false;
    return OK;
  },
  DISCARD: ({ session }) => {
    if (session.queue === null) throw new Refused('ERR DISCARD without MULTI');
    end(session);
    return OK;
  },
  EXEC: ({ node, session, store }) => {
    const { queue, spoilt } = session;
    if (queue === null) throw new Refused('ERR EXEC without MULTI');
    const isChanged = [...session.watched].some(([key, writes]) => store.watch(key) !== writes);
    end(session);
    if (spoilt) throw new Refused('EXECABORT Transaction discarded because of previous errors.');
    return isChanged ? NULL_ARRAY : array(queue.map((argv) => node.runQueued(argv, session)));
  },
  WATCH: (call) => {
    const { session, store } = call;
    if (session.queue !== null) throw new Refused('ERR WATCH inside MULTI is not allowed');
    for (const key of call.from(1)) session.watched.set(key, store.watch(key));
    return OK;
  },
  UNWATCH: ({ session }) => {
    session.watched.clear();
    return OK;
  },
};

function end(session: Session): void {
  session.queue = null;
  session.spoilt = false;
  session.watched.clear();
}
