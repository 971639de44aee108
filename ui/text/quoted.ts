/** Values in the filter language. */

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
