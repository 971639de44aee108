/** What the help lists: the keys as they are bound, or the filter language as it is read. */
import { FIELDS, FLAGS } from 'rmtop';
import { KEYS, shownKey } from './keys.js';
import type { Dialog, Model } from './model.js';

/** One line of the help; `run` does what it says, where that can be done. */
export type HelpEntry = {
  readonly section: string;
  readonly left: string;
  readonly right: string;
  readonly run: ((model: Model) => void) | null;
};

const KEY_ENTRIES: readonly HelpEntry[] = KEYS.map(({ section, keys, help, run }) => ({
  section,
  left: keys.map(shownKey).join(' '),
  right: help,
  run,
}));

const SYNTAX: readonly (readonly [string, string])[] = [
  ['get', 'commands by name'],
  ['user:42', 'key or argument contains it'],
  ['cart:*  key=cart:{42}:*', "keys by Redis's glob"],
  ['key=~/^user:\\d+$/  /re/i', 'regular expression; i ignores case'],
  ['cmd in {GET, MGET}', 'one of several'],
  ['slot in {0..5460, 12000}', 'ranges'],
  ['rtt>2ms  rep.size>=64KiB', 'durations us ms s m h; sizes B k M G KiB MiB GiB'],
  ['err  !nil  not get', 'flags; ! or not negates'],
  ['err & key=user:*  a b', 'and: &, and, or a space'],
  ['(set or del) key=lock:*', 'or: |, or'],
  ['"err"  "\\x00\\xff"', 'quoted text is taken as it is'],
  ['~m get ~k user ~e', "mitmproxy's short forms; values are regular expressions"],
];

const FILTER_ENTRIES: readonly HelpEntry[] = [
  ...SYNTAX.map(([left, right]) => ({ section: 'How it is written', left, right, run: null })),
  ...Object.entries(FIELDS).map(([name, field]) => ({
    section: 'Fields',
    left: field.example.startsWith(name) ? field.example : name,
    right: field.help,
    run: null,
  })),
  ...Object.entries(FLAGS).map(([name, flag]) => ({
    section: 'Flags',
    left: name,
    right: flag.help,
    run: null,
  })),
];

/** The entries that fit what is typed. */
export function helpEntries(dialog: Extract<Dialog, { kind: 'help' }>): readonly HelpEntry[] {
  const all = dialog.topic === 'keys' ? KEY_ENTRIES : FILTER_ENTRIES;
  const words = dialog.query.text.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter(({ section, left, right }) => {
    const text = `${section} ${left} ${right}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
