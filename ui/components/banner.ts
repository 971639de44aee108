/** The banner under the filter: what is to be known, and what to do about it. */
import type { Model } from '../model.js';
import { fit, widthOf } from '../text/fit.js';
import { printableText } from '../text/printable.js';
import { bannerOf } from '../warnings.js';

/** Its two lines. */
export function bannerLines(model: Model, width: number): readonly string[] {
  const { look } = model;
  const banner = bannerOf(model);
  if (banner === null) return [];
  const right = `${banner.others > 0 ? `+${banner.others} more, all in 9   ` : ''}Esc closes `;
  const room = Math.max(10, width - widthOf(right) - 1);
  const next = banner.next === '' ? '' : `next: ${printableText(banner.next, look)}`;
  return [
    look.theme.reverse(
      look.theme.paint('slow', fit(` ! ${printableText(banner.text, look)}`, width)),
    ),
    `${fit(`   ${next}`, room)} ${look.theme.paint('dim', right)}`,
  ];
}
