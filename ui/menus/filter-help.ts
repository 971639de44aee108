/** The filter language as a list: how it is written, then every field and flag as the compiler knows them. */
import { FIELDS, FLAGS } from 'rmtop';
import type { MenuEntry } from '../menu.js';

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

/** All of it. */
export function filterHelp(): readonly MenuEntry[] {
  const entry = (section: string, left: string, right: string): MenuEntry => ({
    section,
    left,
    right,
    run: null,
  });
  return [
    ...SYNTAX.map(([left, right]) => entry('Written', left, right)),
    ...Object.entries(FIELDS).map(([name, field]) =>
      entry('Field', field.example.startsWith(name) ? field.example : name, field.help),
    ),
    ...Object.entries(FLAGS).map(([name, flag]) => entry('Flag', name, flag.help)),
  ];
}
