/** `t` and the key after it, and what can be done with the rule in focus. `ux.md` c.3. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { FaultRule } from 'rmtop';
import { parseLimited } from '../faults/limit.js';
import type { Model } from '../model.js';
import { count } from '../text/figures.js';
import { UNCHANGEABLE } from '../transport.js';
import { ask } from './prompt.js';

/** Whether the rules are those of a recording, which is said. */
function isUnchangeable(model: Model): boolean {
  if (model.playback !== null) model.toasts.answer(UNCHANGEABLE);
  return model.playback !== null;
}

/** `t`: the next key says what. */
export function startFaults(model: Model): void {
  if (isUnchangeable(model)) return;
  model.dialog = { kind: 'fault' };
}

/** The rules in a line: `1[x]error 20%  2[ ]delay 100%`. */
export function faultsInALine(model: Model): string {
  const rules = model.desk.rules.map(
    (rule) => `${rule.id.slice(1)}[${rule.on ? 'x' : ' '}]${rule.action.kind} ${rule.percent}%`,
  );
  return `${rules.join('  ')}  0 all off  n new  l load  s save  Esc`;
}

/** The key after `t`. */
export function pickFault(model: Model, key: string): void {
  const { desk } = model;
  model.dialog = null;
  if (/^[1-9]$/.test(key)) toggle(model, `t${key}`);
  else if (key === '0') allOff(model);
  else if (key === 't') toggle(model, desk.last ?? desk.rules[0]?.id ?? 't1');
  else if (key === '.') toggle(model, focused(model)?.id ?? '');
  else if (key === 'n') askRule(model, 'error 20% if ');
  else if (key === 'e') editRule(model);
  else if (key === 'l') askLoad(model);
  else if (key === 's') askSave(model);
}

function toggle(model: Model, id: string): void {
  const rule = model.desk.rules.find((each) => each.id === id);
  if (rule !== undefined) model.did(`fault ${id} ${rule.on ? 'off' : 'on'}`);
  void model.desk.toggle(id);
}

function allOff(model: Model): void {
  model.did('fault off');
  void model.desk.allOff();
}

function focused(model: Model): FaultRule | undefined {
  const { rules } = model.desk;
  return rules[model.cursorOf('faults', rules.length)];
}

/** What is wrong with a rule being typed, or what it would have hit. */
function about(model: Model): (text: string) => string {
  return (text) => {
    const rule = parseLimited(text);
    if (rule.kind === 'problem') return rule.message;
    const { fits, of } = model.previewOf(rule.scope);
    return `fits ${count(fits)} of the last ${count(of)}`;
  };
}

function askRule(model: Model, text: string): void {
  ask(model, 'new fault', text, about(model), (typed) => {
    const rule = parseLimited(typed);
    return rule.kind === 'problem' ? rule.message : model.desk.add(rule);
  });
}

/** `e`, `t e`: the rule in focus as text. */
export function editRule(model: Model): void {
  if (isUnchangeable(model)) return;
  const rule =
    model.pane === 'faults'
      ? focused(model)
      : model.desk.rules.find(({ id }) => id === model.desk.last);
  if (rule === undefined) return;
  ask(model, rule.id, model.desk.textOf(rule), about(model), (typed) => {
    const parsed = parseLimited(typed);
    if (parsed.kind === 'problem') return parsed.message;
    const { percent, scope, action, max } = parsed;
    model.desk.limits.set(rule.id, parsed.forMs);
    void model.desk.change(
      rule.id,
      { percent, scope, action, max },
      `${rule.id}: ${typed}   (${model.keyOf('undo')} undo)`,
    );
    return null;
  });
}

/** `h` and `l`: five percent less or more. */
export function changePercent(model: Model, by: number): void {
  if (isUnchangeable(model)) return;
  const rule = focused(model);
  if (rule === undefined) return;
  const percent = Math.max(0, Math.min(100, rule.percent + by));
  void model.desk.change(
    rule.id,
    { percent },
    `${rule.id}: ${percent}%   (${model.keyOf('undo')} undo)`,
  );
}

/** `d` in the Faults pane. */
export function removeRule(model: Model): void {
  if (isUnchangeable(model)) return;
  const rule = model.pane === 'faults' ? focused(model) : undefined;
  if (rule !== undefined) void model.desk.remove(rule.id);
}

/** `D` in the Faults pane: the copy is off. */
export function duplicateRule(model: Model): void {
  if (isUnchangeable(model)) return;
  const rule = model.pane === 'faults' ? focused(model) : undefined;
  if (rule === undefined) return;
  const problem = model.desk.add(
    {
      kind: 'rule',
      percent: rule.percent,
      scope: rule.scope,
      action: rule.action,
      max: rule.max,
      forMs: model.desk.limits.of(rule.id),
    },
    false,
  );
  if (problem !== null) model.toasts.answer(problem);
}

const PROFILE = 'rmtop-faults.txt';

function askLoad(model: Model): void {
  ask(
    model,
    'load faults from',
    PROFILE,
    () => 'a rule a line; + before it: on',
    (file) => {
      try {
        return model.desk.load(readFileSync(file, 'utf8'));
      } catch (error) {
        return `cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`;
      }
    },
  );
}

function askSave(model: Model): void {
  ask(
    model,
    'save faults to',
    PROFILE,
    () => 'a new file',
    (file) => {
      try {
        writeFileSync(file, model.desk.profile, { mode: 0o600, flag: 'wx' });
        model.toasts.answer(`saved ${file}`);
        return null;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return code === 'EEXIST'
          ? `${file} is there already: choose another name`
          : `cannot write ${file}: ${code}`;
      }
    },
  );
}
