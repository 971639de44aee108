/** The line of news while a recording is sent again: what came of it so far. */
import type { Model } from '../model.js';
import type { Replaying } from '../replays.js';
import { count } from '../text/figures.js';
import { cut } from '../text/fit.js';
import { printableText } from '../text/printable.js';
import { behindText } from './behind.js';

/** `120 of 160 sent   118 same   1 DIFFERENT   1 elsewhere   n next difference`; what is different stands out, and so do servers that are gone. */
export function replayLine(model: Model, { state }: Replaying, width: number): string {
  const { look } = model;
  const { isOver, isPlaying, sent, of, round, different, elsewhere, lost } = state;
  if (lost !== null) {
    const text = ` servers were lost ${printableText(lost, look)}   ${different} different`;
    return look.theme.paint('error', cut(text, width));
  }
  const counts = [
    ...(round > 1 ? [`round ${round}`] : []),
    isOver ? `over, ${count(sent)} of ${count(of)} sent` : `${count(sent)} of ${count(of)} sent`,
    `${count(state.same)} same`,
    ...(state.tolerated > 0 ? [`${count(state.tolerated)} tolerated`] : []),
    `${count(different)} ${different > 0 ? 'DIFFERENT' : 'different'}`,
    ...(elsewhere > 0 ? [`${count(elsewhere)} ELSEWHERE`] : []),
    ...(state.notCompared > 0 ? [`${count(state.notCompared)} not compared`] : []),
  ];
  const keys = isOver
    ? `${model.keyOf('back-or-quit')} ends, and reports`
    : isPlaying
      ? ''
      : `${model.keyOf('freeze')} plays, ${model.keyOf('step')} one command`;
  // Where it was begun from the screen, what goes on behind it, and the way back.
  const behind = behindText(model);
  const text = cut(` ${[...counts, keys, behind].filter(Boolean).join('   ')}`, width);
  return different + elsewhere > 0
    ? look.theme.paint('error', text)
    : look.theme.paint('dim', text);
}
