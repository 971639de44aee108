/** Rules for arguments that need not be the recorded ones, for `--match loose`: `SET 2 ignore`, `SET 2 glob sess-*`, `SET 2 json`. */
import { isDeepStrictEqual } from 'node:util';
import type { Command } from '../commands/command.js';
import { RmtopError } from '../errors.js';
import { matchesGlob } from '../filter/glob.js';
import { fitsArgument } from './arguments.js';
import type { Line } from './spoken.js';

/** How argument `at` of the command `name` is compared. A glob must fit both what came and what was recorded. */
export type ArgumentRule = {
  readonly name: string;
  readonly at: number;
  readonly how: 'ignore' | 'json' | 'glob';
  readonly glob: string;
};

/** Reads `NAME POSITION ignore|json|glob PATTERN`. Throws USAGE. */
export function parseArgumentRule(text: string): ArgumentRule {
  const [, name, at, how, glob = ''] =
    /^\s*(\S+(?: [A-Za-z]\S*)?)\s+(\d+)\s+(ignore|json|glob)(?:\s+(\S.*?))?\s*$/.exec(text) ?? [];
  const isWhole = (how === 'glob') === (glob !== '');
  if (name === undefined || !isWhole || Number(at) < 1)
    throw new RmtopError('USAGE', `--argument '${text}' is not understood`, {
      why: "wanted: NAME POSITION and ignore, json or glob PATTERN, such as 'SET 2 glob session-*'",
      next: ['rmtop serve --help'],
    });
  return {
    name: name.toUpperCase(),
    at: Number(at),
    how: how as ArgumentRule['how'],
    glob,
  };
}

/**
 * Whether `asked`, which has the name and the keys of the recorded `line`, counts as the same. A command that no rule names may have
 * any other arguments; one that has rules must be the same in all arguments that none of them names.
 */
export function fitsLoosely(asked: Command, line: Line, rules: readonly ArgumentRule[]): boolean {
  const of = rules.filter(({ name }) => name === asked.name);
  if (of.length === 0) return true;
  if (asked.argc !== line.command.argc) return false;
  for (let i = 1; i < asked.argc; i++) {
    const rule = of.find(({ at }) => at === i);
    const isSame =
      rule === undefined
        ? fitsArgument(asked, line, i, '')
        : follows(asked.arg(i), line.command.arg(i), rule);
    if (!isSame) return false;
  }
  return true;
}

function follows(came: Buffer, recorded: Buffer, { how, glob }: ArgumentRule): boolean {
  switch (how) {
    case 'ignore':
      return true;
    case 'glob':
      return [came, recorded].every((bytes) => matchesGlob(glob, bytes.toString('latin1')));
    case 'json':
      try {
        return isDeepStrictEqual(JSON.parse(came.toString()), JSON.parse(recorded.toString()));
      } catch {
        return came.equals(recorded);
      }
  }
}
