/** While a recording is shown that was opened from the screen: what goes on behind it, and the way back. */
import { recordBadge } from '../actions/record.js';
import type { Model } from '../model.js';
import { short } from '../text/figures.js';
import { printableText } from '../text/printable.js';

/** `live :6380 goes on, 1.2k/s T1 REC 4.1MB   Esc leads back`; empty where nothing is behind. */
export function behindText(model: Model): string {
  const behind = model.behind?.() ?? null;
  if (behind === null) return '';
  const back = `${model.keyOf('close')} leads back`;
  const { subject, playback, replay, recordings, feed, desk, toasts } = behind;
  if (playback !== null || replay !== null)
    return `${back} to ${printableText(subject.label, model.look)}`;
  const news = toasts.current;
  if (news !== null && news.level !== 'info')
    return `live: ${printableText(news.text, model.look)}   ${back}`;
  const parts = [
    `${short(Math.round(feed.meter.rates.opsPerSecond))}/s`,
    ...(feed.lost > 0 ? [`LOST ${short(feed.lost)}`] : []),
    ...(desk.on > 0 ? [`T${desk.on}`] : []),
    ...(recordings.now === null ? [] : [recordBadge(behind)]),
  ];
  return `live :${subject.listen.port} goes on, ${parts.join(' ')}   ${back}`;
}
