/** The filter: typed, switched, and made of what is under the cursor. */
import type { Facts } from 'rmtop';
import type { Model } from '../model.js';
import type { ColumnId } from '../stream/columns.js';

export function editFilter(model: Model): void {
  model.show('stream');
  model.filterBar.begin();
}

export function toggleFilter(model: Model): void {
  if (model.filterBar.isEmpty) model.toasts.answer('there is no filter: / begins one');
  else model.filterBar.toggle();
}

/** `*` shows only commands like the focused one in the chosen column, `#` hides them. */
export function addCell(isWanted: boolean): (model: Model) => void {
  return (model) => {
    const facts = model.focusedFacts();
    const condition = facts === null ? null : conditionFor(facts, model.cell);
    if (condition === null) {
      model.toasts.answer(
        `nothing to filter by in this ${model.cell}: h and l choose another column`,
      );
      return;
    }
    if (model.filterBar.add(isWanted ? condition : `!${condition}`))
      model.toasts.answer(`filter: ${model.filterBar.text}   (/ edits, ! switches it off)`);
  };
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

/** Bytes as a value of the filter language: bare where that is the same, else a string. */
export function quoted(bytes: string): string {
  if (/^[A-Za-z0-9_:.{}@+-]+$/.test(bytes) && !bytes.startsWith('{')) return bytes;
  const escaped = bytes.replace(/[\\"]|[^\x20-\x7e]/g, (char) =>
    char === '\\' || char === '"'
      ? `\\${char}`
      : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${escaped}"`;
}
