/** `rmtop config`: which settings are in force, and where each comes from. */
import { Command } from 'commander';
import { shownKey } from '../../ui/key-table.js';
import { readSettings, type Settings, userFile } from '../settings/read.js';
import { SETTINGS, type Setting, settingsSchema } from '../settings/table.js';

type ConfigFlags = { readonly config?: string | boolean; readonly schema?: boolean };

/** The subcommand. */
export function configCommand(): Command {
  return new Command('config')
    .description('the settings in force, and where each comes from')
    .option('--config <file>', 'of this file only')
    .option('--no-config', 'of no file')
    .option('--schema', "the file's JSON Schema, for editors")
    .addHelpText(
      'after',
      `
A flag comes before the environment, that before rmtop.yaml (looked for upward from here), that before your own file:
  ${userFile(process.env)}`,
    )
    .action((flags: ConfigFlags) => {
      const lines = flags.schema
        ? [JSON.stringify(settingsSchema(), null, 2)]
        : settingLines(readSettings(flags, process.env, process.cwd()), process.env);
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}

/** A line for each setting that is not as it is built in; as YAML, the origin as its comment. */
function settingLines(settings: Settings, env: NodeJS.ProcessEnv): string[] {
  const lines = SETTINGS.flatMap((setting) => {
    const [value, origin] = valueAndOrigin(setting, settings, env) ?? [];
    return value === undefined
      ? []
      : [`${setting.name}: ${value}`.padEnd(48).concat(` # ${origin}`)];
  });
  const filters = Object.entries(settings.filters).map(
    ([name, text]) => `  ${name}: ${JSON.stringify(text)}`,
  );
  const files = settings.files.length === 0 ? ['none'] : settings.files;
  const keys = [...settings.keys].map(
    ([action, names]) => `  ${action}: ${JSON.stringify(names.map(shownKey))}`,
  );
  const redaction = settings.redaction.map((each) => `  - ${JSON.stringify(each)}`);
  const tolerances = settings.tolerances.map((each) => `  - ${JSON.stringify(each)}`);
  return [
    `# files: ${files.join(', ')}`,
    ...(lines.length + filters.length + keys.length + tolerances.length + redaction.length === 0
      ? ['# everything is as it is built in']
      : lines),
    ...(filters.length === 0 ? [] : ['filters:', ...filters]),
    ...(tolerances.length === 0 ? [] : ['tolerances:', ...tolerances]),
    ...(redaction.length === 0 ? [] : ['redaction:', ...redaction]),
    ...(keys.length === 0 ? [] : ['keys:', ...keys]),
  ];
}

function valueAndOrigin(
  setting: Setting,
  settings: Settings,
  env: NodeJS.ProcessEnv,
): readonly [value: string, origin: string] | null {
  const variable = setting.env.find((name) => env[name]);
  if (variable !== undefined)
    // An address may have a password in it.
    return [String(env[variable]).replace(/\/\/[^@/]*@/, '//***@'), `$${variable}`];
  const said = settings.values.get(setting.name);
  return said === undefined ? null : [JSON.stringify(said.value), `${said.file}:${said.line}`];
}
