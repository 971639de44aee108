/** The Hex and RESP tabs: the bytes of a request and its reply as they were on the wire, or what was kept of them. */
import type { Facts, Kept } from 'rmtop';
import type { Look } from '../look.js';
import { count } from '../text/figures.js';
import { wrap } from '../text/fit.js';
import { printable } from '../text/printable.js';

/** How much of a request or a reply is shown. */
const MAX_BYTES = 64 * 1024;

type Draw = (bytes: Buffer, look: Look, width: number) => string[];

export function hexLines(facts: Facts, look: Look, width: number): string[] {
  return bothLines(facts, look, width, hex);
}

export function respLines(facts: Facts, look: Look, width: number): string[] {
  return bothLines(facts, look, width, resp);
}

function bothLines(facts: Facts, look: Look, width: number, draw: Draw): string[] {
  const { event } = facts;
  if (event === null) return [' It has not finished: its bytes come with its event.'];
  return [
    ...part('request', event.request, look, width, draw),
    '',
    ...part('reply', event.reply, look, width, draw),
  ];
}

function part(name: string, kept: Kept, look: Look, width: number, draw: Draw): string[] {
  const { bytes, total, condensed } = kept;
  const shown = bytes.subarray(0, MAX_BYTES);
  const note = condensed
    ? ', secrets and large values left out'
    : shown.length < total
      ? `, the first ${count(shown.length)} shown`
      : '';
  return [
    ` ${look.theme.bold(name)}  ${count(total)} bytes on the wire${note}`,
    ...draw(shown, look, width),
  ];
}

/** `00000010  24 33 0d 0a 47 45 54 0d  0a 24 33 0d 0a 66 6f 6f  |$3..GET..$3..foo|`: 16 bytes a line, 8 where it is narrow. */
function hex(bytes: Buffer, look: Look, width: number): string[] {
  const perLine = width >= 78 ? 16 : 8;
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += perLine) {
    const row = bytes.subarray(at, at + perLine);
    const digits = Array.from({ length: perLine }, (_, i) => {
      const byte = row[i];
      const gap = i === 8 ? ' ' : '';
      return `${gap}${byte === undefined ? '  ' : byte.toString(16).padStart(2, '0')}`;
    }).join(' ');
    const text = row.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    lines.push(
      ` ${look.theme.paint('dim', at.toString(16).padStart(8, '0'))}  ${digits}  |${text}|`,
    );
  }
  return lines;
}

/** The bytes escaped, a line of the screen for each line of RESP. */
function resp(bytes: Buffer, look: Look, width: number): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n', at);
    const next = end === -1 ? bytes.length : end + 2;
    const text = printable(bytes.subarray(at, next), look);
    lines.push(...wrap(text, Math.max(10, width - 2)).map((line) => ` ${line}`));
    at = next;
  }
  return lines;
}
