/** The banner under the filter: what is to be known, and what to do about it. */
import type { Model } from '../model.js';
import { fit, widthOf, wrap } from '../text/fit.js';
import { printableText } from '../text/printable.js';
import { bannerOf } from '../warnings.js';

/** What there is to do stays readable to its end, whatever is left of the rest. */
const MOST_LINES = 6;

/** Its lines, as many as its texts need at this width; none: there is nothing to be known. */
export function bannerLines(model: Model, width: number): readonly string[] {
  const { look } = model;
  const { theme } = look;
  const banner = bannerOf(model);
  if (banner === null) return [];
  const next = banner.next === '' ? '' : `next: ${printableText(banner.next, look)}`;
  const below = withKeys(model, wrapped(next, width - 4, MOST_LINES - 2), banner.others, width);
  const above = wrapped(printableText(banner.text, look), width - 4, MOST_LINES - below.length);
  return [
    ...above.map((line, i) =>
      theme.reverse(theme.paint('slow', fit(` ${i === 0 ? '!' : ' '} ${line}`, width))),
    ),
    ...below.map(({ text, keys }) => {
      if (keys === '') return fit(`   ${text}`, width);
      return `${fit(`   ${text}`, width - widthOf(keys))}${theme.paint('dim', keys)}`;
    }),
  ];
}

/** At most `most` lines; what is left over is cut off the last one. */
function wrapped(text: string, width: number, most: number): readonly string[] {
  const lines = wrap(text, Math.max(10, width));
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), fit(lines.slice(most - 1).join(' '), width)];
}

type Below = { readonly text: string; readonly keys: string };

/** The keys that matter here, at the right of the last line; where they do not fit, in one of their own. */
function withKeys(
  model: Model,
  lines: readonly string[],
  others: number,
  width: number,
): readonly Below[] {
  const closes = `${model.keyOf('close')} closes `;
  const more = others > 0 ? `+${others} more, all in ${model.keyOf('show-log')}   ` : '';
  const keys = [`${more}${closes}`, closes];
  const last = lines.at(-1) ?? '';
  const fitting = keys.find((each) => 3 + widthOf(last) + 2 + widthOf(each) <= width);
  const texts = fitting === undefined ? [...lines, ''] : lines;
  const shown = fitting ?? keys[0] ?? '';
  return texts.map((text, i) => ({ text, keys: i === texts.length - 1 ? shown : '' }));
}
