/** The faults of a normalised RedisProxy, and Envoy's way to write shares (mesh page, 8). */
import type { Fraction, MeshFault } from '../mesh/config.js';
import { get, items, type MapNode, type Node, num, placeOf, str, strings } from './node.js';
import type { World } from './shape.js';

const DENOMINATORS: Readonly<Record<string, Fraction['of']>> = {
  HUNDRED: 100,
  TEN_THOUSAND: 10_000,
  MILLION: 1_000_000,
};

/** A RuntimeFractionalPercent; the runtime key has no value here, so its default counts, and 0 where there is none. */
export function readFraction(node: Node): Fraction {
  const value = get(node, 'default_value');
  return {
    numerator: num(value, 'numerator') ?? 0,
    of: DENOMINATORS[str(value, 'denominator') ?? 'HUNDRED'] ?? 100,
  };
}

/** The faults, as Envoy prepares them: whole percents, commands in lower case. */
export function readFaults(proxy: MapNode, world: World): MeshFault[] {
  const faults = items(proxy, 'faults').flatMap((node, i): MeshFault[] => {
    const id = `m${i + 1}`;
    const enabled = get(node, 'fault_enabled');
    const delayMs = num(node, 'delay') ?? 0;
    const isError = str(node, 'fault_type') === 'ERROR';
    if (enabled === undefined) {
      world.findings.say('ENVOY-REQUIRED', node.at, `fault ${id} without fault_enabled`, {
        consequence: 'Envoy refuses the configuration; it is left out here',
        advice: 'add fault_enabled: {default_value: {numerator: 10, denominator: HUNDRED}}',
      });
      return [];
    }
    const { numerator, of } = readFraction(enabled);
    const percent = Math.floor((numerator * 100) / of);
    if (percent * of !== numerator * 100) {
      const exact = (numerator * 100) / of;
      world.findings.say(
        'FAULT-SUBPERCENT',
        enabled.at,
        `fault ${id} is asked for at ${exact} percent`,
        {
          consequence:
            percent === 0
              ? 'Envoy cuts it to whole percents: it never fires'
              : `Envoy cuts it to whole percents: it fires at ${percent} percent`,
          advice: 'write a whole number of percent',
        },
      );
      world.findings.withoutEffect(enabled.at, `fault ${id}: ${exact}%`, `${percent}%`);
    }
    if (!isError && delayMs === 0)
      world.findings.say('FAULT-NODELAY', node.at, `fault ${id} is a DELAY without a delay`, {
        consequence: 'nothing happens when it fires',
        advice: 'add delay: 0.1s',
      });
    const action = isError
      ? ({ kind: 'error', text: 'Fault Injected: Error', delayMs, at: 'request' } as const)
      : ({ kind: 'delay', ms: delayMs, jitterMs: 0, at: 'reply' } as const);
    return [
      {
        id,
        on: true,
        percent,
        commands: strings(node, 'commands').map((name) => name.toLowerCase()),
        action,
      },
    ];
  });
  saySums(proxy, faults, world);
  return faults;
}

/** One number is drawn for all faults of a command: past 100 percent the later ones never get their share. */
function saySums(proxy: MapNode, faults: readonly MeshFault[], world: World): void {
  const general = faults.filter((fault) => fault.commands.length === 0);
  const names = new Set(faults.flatMap((fault) => fault.commands));
  const over = [...names, null].filter((name) => {
    const list = [
      ...(name === null ? [] : faults.filter((fault) => fault.commands.includes(name))),
      ...general,
    ];
    return list.reduce((sum, fault) => sum + fault.percent, 0) > 100;
  });
  if (over.length === 0) return;
  world.findings.say(
    'FAULT-SUM',
    placeOf(proxy, 'faults'),
    `the faults of ${over.map((name) => name ?? 'commands that no fault names').join(', ')} add up to more than 100 percent`,
    {
      consequence: 'every such command is hit, and the last faults fire less often than written',
      advice: 'keep the sum for a command at 100 or below',
    },
  );
}
