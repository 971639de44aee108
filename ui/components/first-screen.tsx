/** What is shown before the first command: whether everything is in place, and what to type. `ux.md` b.1. */

import type { ReactNode } from 'react';
import { aliasOf, coveredSlots, SLOTS } from 'rmtop';
import { urlLine } from '../actions/copy.js';
import { Box, Text } from '../ink.js';
import type { Model } from '../model.js';
import { count, plural } from '../text/figures.js';
import { fit } from '../text/fit.js';
import { printableText } from '../text/printable.js';

/** One line of the list: in order, something to know, or still being found out. */
export type Check = {
  readonly state: 'ok' | 'bad' | 'waiting';
  readonly what: string;
  readonly result: string;
};

export type FirstScreenProps = {
  readonly listening: string;
  readonly checks: readonly Check[];
  readonly advice: readonly string[];
  readonly url: string;
  readonly port: number;
  readonly warning: string | null;
};

const SIGNS: Readonly<Record<Check['state'], string>> = {
  ok: '[ok]',
  bad: '[!] ',
  waiting: '[..]',
};

/** What the first screen says now. */
export function firstScreenProps(model: Model): FirstScreenProps {
  const { host, port } = model.subject.listen;
  const isOpen = host !== '127.0.0.1' && host !== '::1';
  const problem = model.feed.journal.list.findLast((entry) => entry.level === 'error');
  const advice =
    problem === undefined ? [] : [problem.text, ...(problem.next === null ? [] : [problem.next])];
  return {
    listening: `${host}:${port}`,
    checks: [...upstreamChecks(model), ...nodeChecks(model)],
    advice: advice.map((line) => printableText(line, model.look)),
    url: urlLine(model),
    port,
    warning: isOpen ? `whoever can reach ${host}:${port} can use the servers behind it` : null,
  };
}

function upstreamChecks(model: Model): Check[] {
  const { feed, subject, look } = model;
  const { topology } = feed.context.latest;
  return Object.entries(feed.topologyEvent?.upstreams ?? {}).map(([name, state]): Check => {
    const what = `upstream ${printableText(subject.label, look)}`;
    const hasFailed = feed.journal.list.some((entry) => entry.level === 'error');
    if (state.kind === 'unknown')
      return hasFailed
        ? { state: 'bad', what, result: 'not found; rmtop goes on looking' }
        : { state: 'waiting', what, result: 'asking for its slots' };
    if (state.kind === 'single')
      return { state: 'ok', what, result: 'one server, no Redis Cluster' };
    const placement = topology?.upstreams[name];
    const covered = placement === undefined ? 0 : coveredSlots(placement);
    const shards = plural(placement?.shards.length ?? 0, 'shard');
    return {
      state: covered === SLOTS ? 'ok' : 'bad',
      what,
      result: `${shards}, ${plural(state.servers.length, 'node')}, ${covered}/${SLOTS} slots`,
    };
  });
}

const NODES_SHOWN = 4;

function nodeChecks(model: Model): Check[] {
  const { feed, look } = model;
  const { topology } = feed.context.latest;
  const bad = Object.entries(feed.topologyEvent?.upstreams ?? {}).flatMap(([name, state]) =>
    state.servers
      .filter((server) => server.reachable === false || !server.healthy)
      .map((server): Check => {
        const alias = topology === undefined ? '' : aliasOf(topology, name, server.address);
        const shown = alias === server.address ? '' : `${alias} `;
        const why =
          server.reachable === false ? `not reachable: ${server.error ?? ''}` : 'unhealthy';
        return {
          state: 'bad',
          what: printableText(`${shown}${server.address}`, look),
          result: printableText(why, look),
        };
      }),
  );
  const more = bad.length - NODES_SHOWN;
  return more <= 0
    ? bad
    : [
        ...bad.slice(0, NODES_SHOWN),
        {
          state: 'bad',
          what: `${count(more)} more`,
          result: `${model.keyOf('show-slots')} lists them`,
        },
      ];
}

/** Draws it. */
export function FirstScreen({
  model,
  props,
  width,
}: {
  readonly model: Model;
  readonly props: FirstScreenProps;
  readonly width: number;
}): ReactNode {
  const { theme } = model.look;
  const sign = { ok: 'good', bad: 'error', waiting: 'dim' } as const;
  const line = (key: string, text: string): ReactNode => (
    <Text key={key} wrap="truncate">
      {text === '' ? ' ' : fit(text, width - 4).trimEnd()}
    </Text>
  );
  return (
    <Box flexDirection="column" paddingLeft={3} paddingTop={1}>
      {line('listening', `Listening on ${props.listening}. Waiting for the first command.`)}
      {props.warning === null ? null : (
        <Text wrap="truncate">{theme.paint('slow', props.warning)}</Text>
      )}
      <Text> </Text>
      {props.checks.map((check) => (
        <Text key={`${check.what} ${check.result}`} wrap="truncate">
          {`${theme.paint(sign[check.state], SIGNS[check.state])} ${fit(`${fit(check.what, 34)} ${check.result}`, width - 9).trimEnd()}`}
        </Text>
      ))}
      {props.advice.length === 0 ? null : (
        <Box flexDirection="column" paddingTop={1}>
          {props.advice.map((text, i) => (
            <Text key={text} wrap="truncate">
              {i === 0
                ? theme.paint('error', fit(text, width - 4).trimEnd())
                : fit(`next: ${text}`, width - 4).trimEnd()}
            </Text>
          ))}
        </Box>
      )}
      <Text> </Text>
      {line('point', 'Point your application here:')}
      <Text wrap="truncate">{`  ${theme.bold(props.url)}     (${model.keyOf('copy')} copies this line)`}</Text>
      <Text> </Text>
      {line('try', 'Or try it from another shell:')}
      {line('cli', `  redis-cli -p ${props.port} set hello world`)}
      <Text> </Text>
      {line('demo', 'No Redis at hand?  rmtop demo  starts a cluster with traffic of its own.')}
      {line(
        'forward',
        'kubectl port-forward reaches one node only?  --map FROM=TO gives each a way.',
      )}
    </Box>
  );
}
