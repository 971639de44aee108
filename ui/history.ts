/**
 * What `u` takes back and `ctrl-r` does again: the last changes of rules, filter and options, in one history. Nobody has to tell of a
 * change: what can change is looked at before and after each input, so that whatever a key, a list or a line of the palette does to it
 * is there, and what time did, too.
 */
import type { FaultRule } from 'rmtop';
import { putKeys } from './commands/keys.js';
import type { Model } from './model.js';
import { printableText } from './text/printable.js';

const KEPT = 100;

/** Undone or done again, for the toast. */
type Word = 'undone' | 'redone';

/** One change; each way says what it did. */
type Change = {
  readonly undo: (model: Model) => void;
  readonly redo: (model: Model) => void;
};

/** Gives what has changed since it was asked last; null: nothing. */
type Watch = (model: Model) => Change | null;

type Field<T> = {
  readonly read: (model: Model) => T;
  /** Makes it `value`, and says so, beginning with `word`; `before` is what it was. */
  readonly write: (model: Model, value: T, word: Word, before: T) => void;
  readonly same?: (a: T, b: T) => boolean;
};

function watch<T>({ read, write, same = Object.is }: Field<T>): Watch {
  let known: { value: T } | null = null;
  const go = (model: Model, to: T, from: T, word: Word): void => {
    write(model, to, word, from);
    known = { value: read(model) };
  };
  return (model) => {
    const value = read(model);
    const before = known;
    known = { value };
    if (before === null || same(before.value, value)) return null;
    return {
      undo: (on) => go(on, before.value, value, 'undone'),
      redo: (on) => go(on, value, before.value, 'redone'),
    };
  };
}

/** A field whose change is there at once, and is said by `text`. */
function option<T>(
  read: (model: Model) => T,
  put: (model: Model, value: T) => void,
  text: (value: T) => string,
  same?: (a: T, b: T) => boolean,
): Watch {
  const write: Field<T>['write'] = (model, value, word) => {
    put(model, value);
    model.toasts.answer(`${word}: ${printableText(text(value), model.look)}${way(model, word)}`);
  };
  return watch(same === undefined ? { read, write } : { read, write, same });
}

/** The key that takes this back again. */
function way(model: Model, word: Word): string {
  const action = word === 'undone' ? 'redo' : 'undo';
  return `   (${model.keyOf(action)} ${action})`;
}

const NO_RULES: readonly FaultRule[] = [];

const onOff = (is: boolean): string => (is ? 'on' : 'off');

/** Everything that can be taken back. What only shows something else, such as a pane or an order, is not in it. */
function everything(): readonly Watch[] {
  return [
    watch<readonly FaultRule[]>({
      // The rules of a recording change by being played.
      read: ({ playback, desk }) => (playback === null ? desk.rules : NO_RULES),
      write: (model, rules, word, before) =>
        void model.desk.put(
          rules,
          `${word}: ${model.desk.difference(before, rules)}${way(model, word)}`,
        ),
    }),
    option(
      ({ filterBar }) => filterBar.settled,
      ({ filterBar }, value) => filterBar.restore(value),
      ({ filter, isOn }) => {
        if (filter.text.trim() === '') return 'no filter';
        return isOn ? `filter ${filter.text}` : `filter off: ${filter.text}`;
      },
      (a, b) => a.isOn === b.isOn && a.filter.text === b.filter.text,
    ),
    option(
      ({ onlyMarked }) => onlyMarked,
      (model, value) => {
        model.onlyMarked = value;
        model.sift();
      },
      (value) => (value ? 'only marked rows are shown' : 'rows without a mark are shown, too'),
    ),
    ...options(),
  ];
}

/** What `O`, `c`, `K` and `H` set. */
function options(): readonly Watch[] {
  return [
    option(
      ({ styling }) => styling.theme,
      (model, theme) => model.restyle({ theme }),
      (theme) => `theme ${theme}`,
    ),
    option(
      ({ styling }) => styling.symbols,
      (model, symbols) => model.restyle({ symbols }),
      (symbols) => `symbols ${symbols}`,
    ),
    option(
      ({ mouse }) => mouse,
      (model, value) => {
        model.mouse = value;
        model.effects.mouse(value);
      },
      (value) => `mouse ${onOff(value)}`,
    ),
    option(
      ({ time }) => time,
      (model, value) => {
        model.time = value;
      },
      (value) => `time ${value}`,
    ),
    option(
      ({ columns }) => columns,
      (model, value) => {
        model.columns = value;
      },
      (value) => `columns ${value?.join(',') ?? 'auto'}`,
      (a, b) => a?.join() === b?.join(),
    ),
    option(
      ({ codec }) => codec,
      (model, value) => {
        model.codec = value;
      },
      (value) => `values are decoded as ${value ?? 'what they look like'}`,
    ),
    option(
      ({ keyLine }) => keyLine,
      (model, value) => {
        model.keyLine = value;
      },
      (value) => `line of keys ${onOff(value)}`,
    ),
    option(
      ({ feed }) => feed.tallies.keys.delimiter,
      ({ feed }, value) => {
        feed.tallies.keys.delimiter = value;
      },
      (value) => `prefixes end at ${value}`,
    ),
    option(
      ({ keyChoices }) => keyChoices,
      putKeys,
      () => 'the change of keys',
    ),
  ];
}

export class History {
  private readonly watches: readonly Watch[] = everything();
  private readonly past: Change[] = [];
  private future: Change[] = [];

  /** Takes in what has changed since the last look. */
  look(model: Model): void {
    for (const each of this.watches) {
      const change = each(model);
      if (change === null) continue;
      this.past.push(change);
      if (this.past.length > KEPT) this.past.shift();
      this.future = [];
    }
  }

  /** `u`; the toast says what was taken back. Gives why nothing was. */
  undo(model: Model): string | null {
    this.look(model);
    const change = this.past.pop();
    if (change === undefined) return 'nothing to undo';
    this.future.push(change);
    change.undo(model);
    return null;
  }

  /** `ctrl-r`. */
  redo(model: Model): string | null {
    this.look(model);
    const change = this.future.pop();
    if (change === undefined) return 'nothing to redo';
    this.past.push(change);
    change.redo(model);
    return null;
  }
}
