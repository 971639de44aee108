/** What the terminal can show, as far as the environment tells. */
import type { Depth } from '../text/styles.js';
import type { ThemeName } from '../theme.js';

/** What the screen may use. */
export type Support = {
  readonly depth: Depth;
  readonly unicode: boolean;
  /** `auto`: dark, until the terminal says that its background is light. */
  readonly theme: ThemeName | 'auto';
};

type Env = Readonly<Record<string, string | undefined>>;

/** Reads the environment; `color` is the flag: auto, always or never. The flag beats NO_COLOR, which beats FORCE_COLOR. */
export function supportOf(env: Env, color: string): Support {
  const wanted = env.RMTOP_THEME;
  const theme =
    wanted === 'dark' || wanted === 'light' || wanted === 'mono' ? wanted : backgroundOf(env);
  return { depth: depthOf(env, color), unicode: isUtf8(env), theme };
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
function backgroundOf(env: Env): ThemeName | 'auto' {
  const background = /;(\d+)$/.exec(env.COLORFGBG ?? '')?.[1];
  if (background === undefined) return 'auto';
  return Number(background) === 7 || Number(background) === 15 ? 'light' : 'dark';
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
