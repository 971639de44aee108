/** Text that nothing can act on a terminal with. */

/** Text in which nothing can act on a terminal: control bytes, and all that is not ASCII, as `\xHH`. */
export function printable(text: string): string {
  return text.replace(
    /[^\x20-\x7e]/g,
    (char) => `\\x${(char.charCodeAt(0) & 0xff).toString(16).padStart(2, '0')}`,
  );
}

/** Bytes between quotation marks, printable; cut where they are long. */
export function quoted(bytes: Buffer): string {
  const text = bytes.toString('latin1', 0, 200).replace(/[\\"]/g, (char) => `\\${char}`);
  return `"${printable(text.length > 120 ? `${text.slice(0, 117)}...` : text)}"`;
}
