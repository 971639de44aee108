/** Filters as options of the library. */
import { RmtopError } from '../errors.js';
import { type Filter, parseFilter } from '../filter/filter.js';

/** Reads a filter; null for an empty one, which lets all through. Throws FILTER. */
export function readFilter(text: string): Filter | null {
  if (text === '') return null;
  const filter = parseFilter(text);
  if (filter.kind === 'filter') return filter;
  throw new RmtopError('FILTER', `'${text}': ${filter.message} at column ${filter.column}`, {
    why: filter.hint,
  });
}
