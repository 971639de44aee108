/** What was done with keys and commands, each as the line of the palette that does it again: the command log. */

const KEPT = 500;

/** `atUs` counts from the start of the stream. */
export type Did = { readonly atUs: number; readonly line: string };

export class Diary {
  private readonly entries: Did[] = [];

  get list(): readonly Did[] {
    return this.entries;
  }

  add(did: Did): void {
    this.entries.push(did);
    if (this.entries.length > KEPT) this.entries.shift();
  }
}
