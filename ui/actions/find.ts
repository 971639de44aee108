/** The filter: typed, switched, and made of what is under the cursor. */
import { type Facts, parseFilter } from 'rmtop';
import type { Model } from '../model.js';
import { isLinesPane, isTextPane, paneOf } from '../panes.js';
import type { ColumnId } from '../stream/columns.js';
import { quoted } from '../text/quoted.js';
import { askFind } from './seek.js';

/** `/`: what the stream shows; in a pane of text, what is looked for there. */
export function editFilter(model: Model): void {
  if (isTextPane(model.pane)) {
    askFind(model);
    return;
  }
  model.show('stream');
  model.filterBar.begin();
}

export function toggleFilter(model: Model): void {
  if (model.filterBar.isEmpty)
    model.toasts.answer(`there is no filter: ${model.keyOf('filter')} begins one`);
  else {
    model.filterBar.toggle();
    model.did(`filter ${model.filterBar.isOn ? 'on' : 'off'}`);
  }
}

/** `*` shows only commands like the focused one in the chosen column, `#` hides them. */
export function addCell(isWanted: boolean): (model: Model) => void {
  return (model) => {
    const condition = conditionHere(model);
    if (condition === null) {
      model.toasts.answer(
        model.pane === 'stream'
          ? `nothing to filter by in this ${model.cell}: h and l choose another column`
          : 'nothing to filter by here',
      );
      return;
    }
    if (model.filterBar.add(isWanted ? condition : `!${condition}`))
      model.toasts.answer(`filter: ${model.filterBar.text}   (${waysOn(model)})`);
  };
}

/** How to go on with a filter. */
function waysOn(model: Model): string {
  return `${model.keyOf('filter')} edits, ${model.keyOf('filter-toggle')} switches it off`;
}

/** Enter on an item of a list: the stream, with its commands only. The filter that was there is in the history. */
export function showInStream(model: Model): void {
  const pane = paneOf(model.pane);
  const condition = isLinesPane(pane) ? (pane.condition?.(model) ?? null) : null;
  const filter = condition === null ? null : parseFilter(condition);
  if (filter?.kind !== 'filter') return;
  model.show('stream');
  model.filterBar.set(filter);
  model.filterBar.accepted(filter.text);
  model.toasts.answer(`only ${filter.text}   (${waysOn(model)})`);
}

/** What the cell, or the item, in focus says. */
function conditionHere(model: Model): string | null {
  const pane = paneOf(model.pane);
  if (isLinesPane(pane) && pane.condition !== undefined) return pane.condition(model);
  const facts = model.focusedFacts();
  return facts === null ? null : conditionFor(facts, model.cell);
}

function conditionFor(facts: Facts, cell: ColumnId): string | null {
  switch (cell) {
    case 'client':
      return facts.client?.name
        ? `client.name=${quoted(utf8(facts.client.name))}`
        : `conn=${facts.connection}`;
    case 'command':
      return `cmd=${quoted(facts.name)}`;
    case 'key':
      return facts.keys[0] === undefined ? null : `key=${quoted(facts.keys[0])}`;
    case 'slot':
      return facts.slots[0] === undefined ? null : `slot=${facts.slots[0]}`;
    case 'node':
      return facts.nodes[0] === undefined ? null : `node=${quoted(facts.nodes[0].alias)}`;
    case 'p':
      return facts.why === null ? null : `why=${facts.why}`;
    case 'm':
      return facts.mirrors[0] === undefined
        ? facts.isMirrored
          ? 'mirrored'
          : null
        : `mirror.state=${facts.mirrors[0].state}`;
    case 'f':
      return facts.fault === null ? null : `fault.id=${quoted(facts.fault.id)}`;
    case 'ms':
      return facts.durationUs === null ? null : `rtt>=${Math.floor(facts.durationUs)}us`;
    case 'size':
      return facts.event === null ? null : `rep.size>=${facts.event.reply.total}B`;
    case 'reply':
      return facts.isError
        ? 'err'
        : facts.replyType === null
          ? null
          : `rep.type=${facts.replyType}`;
    default:
      return null;
  }
}

function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}
