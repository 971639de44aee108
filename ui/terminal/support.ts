/** What the terminal can show, as far as the environment tells. */
import type { Depth } from '../text/styles.js';
import { THEMES, type ThemeChoice } from '../theme.js';

/** What the screen may use. */
export type Support = {
  readonly depth: Depth;
  readonly unicode: boolean;
  readonly theme: ThemeChoice;
  /** Whether the background is light, as far as the environment tells; null: the terminal is to be asked. */
  readonly isLight: boolean | null;
};

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment; `color` is the flag: auto, always or never. The flag beats NO_COLOR, which beats FORCE_COLOR. `theme`: the
 * flag's, or what a file says; $RMTOP_THEME, else `auto`, where it is null.
 */
export function supportOf(env: Env, color: string, theme: ThemeChoice | null = null): Support {
  const wanted = THEMES.find((each) => each === env.RMTOP_THEME);
  return {
    depth: depthOf(env, color),
    unicode: isUtf8(env),
    theme: theme ?? wanted ?? 'auto',
    isLight: backgroundOf(env),
  };
}

function depthOf(env: Env, color: string): Depth {
  if (color === 'never') return 'none';
  if (color !== 'always' && env.NO_COLOR) return 'none';
  const isForced = color === 'always' || isOn(env.FORCE_COLOR) || isOn(env.CLICOLOR_FORCE);
  if (env.COLORTERM === 'truecolor' || env.COLORTERM === '24bit') return 'true';
  const term = env.TERM ?? '';
  if (/256/.test(term)) return '256';
  return isForced || (term !== '' && term !== 'dumb' && !/mono|vt[12]\d\d$/.test(term))
    ? '16'
    : 'none';
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

/** By the locale, in the order that POSIX gives its variables. */
function isUtf8(env: Env): boolean {
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}

/** Some terminals tell their colours in COLORFGBG, the background last. */
function backgroundOf(env: Env): boolean | null {
  const background = /;(\d+)$/.exec(env.COLORFGBG ?? '')?.[1];
  return background === undefined ? null : Number(background) === 7 || Number(background) === 15;
}

/** Whether the answer to the question for the background colour (OSC 11) is a light one; null when it is no such answer. */
export function isLightAnswer(osc: string): boolean | null {
  const match = /^11;rgba?:([\da-f]+)\/([\da-f]+)\/([\da-f]+)/i.exec(osc);
  if (match === null) return null;
  const [r = 0, g = 0, b = 0] = match
    .slice(1, 4)
    .map((hex) => Number.parseInt(hex, 16) / (16 ** hex.length - 1));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.5;
}
