/** Settings in the place of flags that were not given. The order: flag, environment, project's file, user's file, built in. */
import type { Command } from 'commander';
import type { ToleranceSource } from 'rmtop';
import { readSettings, type Settings } from './read.js';
import { attributeOf, SETTINGS } from './table.js';

/** What commander gives for the flags that `withSettings` adds, and what was found. */
export type SettingsFlags = {
  readonly config?: string | boolean;
  /** What the files say; missing where the command has no settings. */
  readonly settings?: Settings;
};

/** What proxies are told of the files' tolerances: nothing where there are none, for then it is as it was built in. */
export function mirrorTolerances({ settings }: SettingsFlags): { tolerances?: ToleranceSource } {
  const tolerances = settings?.tolerances ?? [];
  return tolerances.length === 0 ? {} : { tolerances };
}

/** Makes `command` heed settings: those `of` the kinds that it has flags for. */
export function withSettings(command: Command, of: readonly ('proxy' | 'screen')[]): Command {
  return command
    .option('--config <file>', 'settings from this file only (default: $RMTOP_CONFIG, rmtop.yaml)')
    .option('--no-config', 'no settings files')
    .hook('preAction', (_, acting) => {
      // The plain command's hook hears of its subcommands, too.
      if (acting === command) apply(command, of, process.env, process.cwd());
    });
}

function apply(
  command: Command,
  of: readonly ('proxy' | 'screen')[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): void {
  const settings = readSettings(command.opts(), env, cwd);
  for (const setting of SETTINGS) {
    const said = settings.values.get(setting.name);
    if (said === undefined || setting.of === 'ui' || !of.includes(setting.of)) continue;
    const attribute = attributeOf(setting.name);
    const isGiven = !['default', undefined].includes(command.getOptionValueSource(attribute));
    const isInEnv = setting.env.some((name) => env[name]);
    const isKnown = command.options.some((option) => option.attributeName() === attribute);
    if (isKnown && !isGiven && !isInEnv)
      command.setOptionValueWithSource(attribute, said.value, 'config');
  }
  command.setOptionValueWithSource('settings', settings, 'config');
}
