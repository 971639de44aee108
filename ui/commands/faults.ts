/** Fault rules by text: `ux.md` c.3. */
import { parseRule } from 'rmtop';
import type { Command } from '../commands.js';
import type { Model } from '../model.js';
import { UNCHANGEABLE } from '../transport.js';

function fault(model: Model, rest: string): string | null {
  if (model.playback !== null) return UNCHANGEABLE;
  const { desk } = model;
  const [word = '', what = ''] = rest.split(/\s+/);
  if (word === 'add') {
    const rule = parseRule(rest.slice('add'.length).trim());
    return rule.kind === 'problem' ? rule.message : desk.add(rule);
  }
  if (word === 'off') {
    void desk.allOff();
    return null;
  }
  if (word === 'undo' || word === 'redo') {
    desk.undo(word === 'redo');
    return null;
  }
  const rule = desk.rules.find(({ id }) => id === word);
  if (rule === undefined)
    return `add RULE, off, undo, redo, or one of ${desk.rules.map(({ id }) => id).join(' ')}`;
  if (what === 'remove') void desk.remove(rule.id);
  else if (what === 'on' || what === 'off') {
    if (rule.on !== (what === 'on')) void desk.toggle(rule.id);
  } else return `${word} on, off or remove`;
  return null;
}

export const faultCommands: readonly Command[] = [
  {
    name: 'fault',
    usage: 'add RULE | tN on|off|remove | off | undo | redo',
    help: 'fault rules: error 20% if cmd=SET',
    alone: false,
    options: (model) => [
      ...model.desk.rules.map(({ id, on }) => `${id} ${on ? 'off' : 'on'}`),
      'off',
      'undo',
      'redo',
      'add error 20% if ',
      'add delay 50ms 100% if ',
    ],
    run: fault,
  },
];
