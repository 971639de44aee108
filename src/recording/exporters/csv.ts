/** The columns of `flat` as CSV (RFC 4180). */
import type { Exporter } from '../exporters.js';
import { commandOf } from './command-of.js';
import { columnsOf } from './flat.js';

const COLUMNS =
  'n,t,ms,client,command,key,args,slot,route,node,why,role,policy,redirects,refused,flags,ended,reply,request_bytes,reply_bytes';

function field(value: string | number | null): string {
  if (value === null) return '';
  const text = String(value);
  // A leading = + - @ would be a formula in a spreadsheet.
  const safe = typeof value === 'string' && /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csv: Exporter = {
  name: 'csv',
  help: 'the same as CSV',
  head: `${COLUMNS}\r\n`,
  entry(entry) {
    const event = commandOf(entry);
    if (event === null) return null;
    return `${Object.values(columnsOf(entry, event)).map(field).join(',')}\r\n`;
  },
};
