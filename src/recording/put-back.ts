/** Puts a recording's snapshots back into servers, over a connection it is given. */
import { Loading, type LoadingDial, type LoadingRequest } from './loading.js';
import {
  type DueBySeq,
  newSnapshotReport,
  type PutBack,
  reportPutBack,
  type SnapshotReport,
  type SnapshotState,
} from './snapshot-state.js';

/** How keys are put back. */
export type PutBackOptions = {
  readonly due: DueBySeq;
  /** Put behind each key; null: nothing. */
  readonly suffix: Buffer | null;
  /** Makes what is thrown when the connection ends. */
  readonly broken: (why: string) => Error;
};

/** Sends everything and waits until it is there. What a server refuses is in the report, and the rest goes on. Throws what `broken` gives. */
export async function putBack(
  state: SnapshotState,
  dial: LoadingDial,
  { due, suffix, broken }: PutBackOptions,
): Promise<SnapshotReport> {
  const report = newSnapshotReport(state);
  if (state.size === 0) return report;
  const sent: PutBack[] = [];
  const requests = function* (): Generator<LoadingRequest> {
    for (const each of state.commands(due)) {
      sent.push(each);
      yield suffix === null ? each.request : withKey(each.request, suffix);
    }
  };
  let at = 0;
  const answered = (error: string | null): void => {
    const what = sent[at++];
    if (what !== undefined) reportPutBack(report, what, error);
  };
  const link = new Loading(
    dial,
    (n, _request, why) => {
      while (at < n - 1) answered(null);
      answered(why);
      return null;
    },
    (_n, _request, why) => broken(why),
  );
  await link.send(requests());
  link.close();
  while (at < sent.length) answered(null);
  return report;
}

/** Every command has one key, after its name. */
export function withKey(
  [name = '', key = '', ...rest]: LoadingRequest,
  suffix: Buffer,
): LoadingRequest {
  return [name, Buffer.concat([Buffer.from(key), suffix]), ...rest];
}
