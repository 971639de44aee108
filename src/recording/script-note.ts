/** What a script did, as `import --lua` notes it: text, in redis-cli's syntax. */

/** The note of a command that a script ran; `of` is the number of the command that ran the script. */
export function scriptNote(of: number, line: string): string {
  return `script of #${of}: ${line}`;
}

/** `text` without its arguments where it is such a note: which of them are values cannot be told any more. */
export function withoutArguments(text: string): string {
  return text.replace(/^(script of #\d+: [^\s"]+) .*$/s, '$1 (arguments removed)');
}
