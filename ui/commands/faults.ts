/** Fault rules by text: `ux.md` c.3. */
import { exportFaults, parseRule, serviceHost } from 'rmtop';
import { writeNew } from '../actions/copy.js';
import type { Command } from '../commands.js';
import type { Model } from '../model.js';
import { UNCHANGEABLE } from '../transport.js';

const EXPORT_FILE = 'rmtop-faults.yaml';

/** `:fault export`: rules that are on, as an Aeraki RedisService; what the mesh cannot do is said. */
function exportRules(model: Model, file: string): string | null {
  const { config, label } = model.subject;
  const { rules } = model.desk;
  const { host } = serviceHost(label);
  const { yaml, left } = exportFaults({ host, faults: config.faults, rules });
  const omitted = left.map(({ id, why }) => `${id} is left out: ${why}`);
  if (yaml === '') return omitted[0] ?? 'no rule is on: what is on is exported';
  const problem = writeNew(model, file, [...omitted.map((each) => `# ${each}`), yaml].join('\n'));
  if (problem === null && omitted.length > 0)
    model.toasts.answer(`${file} is written; ${omitted.join('; ')}`);
  return problem;
}

function fault(model: Model, rest: string): string | null {
  if (/^export\b/.test(rest))
    return exportRules(model, rest.slice('export'.length).trim() || EXPORT_FILE);
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
  const rule = desk.rules.find(({ id }) => id === word);
  if (rule === undefined)
    return `add RULE, off, or one of ${desk.rules.map(({ id }) => id).join(' ')}`;
  if (what === 'remove') void desk.remove(rule.id);
  else if (what === 'on' || what === 'off') {
    if (rule.on !== (what === 'on')) void desk.toggle(rule.id);
  } else return `${word} on, off or remove`;
  return null;
}

export const faultCommands: readonly Command[] = [
  {
    name: 'fault',
    usage: 'add RULE | tN on|off|remove | off | export [FILE]',
    help: 'fault rules: error 20% if cmd=SET',
    alone: false,
    options: (model) => [
      ...model.desk.rules.map(({ id, on }) => `${id} ${on ? 'off' : 'on'}`),
      'off',
      'export rmtop-faults.yaml',
      'add error 20% if ',
      'add delay 50ms 100% if ',
    ],
    run: fault,
  },
];
