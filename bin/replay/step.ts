/** `rmtop replay --step`: one command for each line of stdin, and what came of it, on stderr. */
import { createInterface, type Interface } from 'node:readline';
import type { Replay, ReplayItem, ReplayItems, ReplayResult } from 'rmtop';
import { say } from '../recording-files.js';

/** Asks for steps until all is sent, or nobody asks any more. */
export class Stepper {
  private readonly items: ReplayItems;
  private readonly textOf: (item: ReplayItem) => string;
  private replay: Replay | null = null;
  private lines: Interface | null = null;
  /** How many were asked for. */
  private asked = 0;
  private answers = 0;
  private isClosed = false;

  constructor(items: ReplayItems, textOf: (item: ReplayItem) => string) {
    this.items = items;
    this.textOf = textOf;
  }

  /** Listens to stdin until `end`. */
  begin(replay: Replay): void {
    this.replay = replay;
    say('rmtop: Enter sends a command, a number so many, c all the rest, q no more');
    this.sayNext();
    this.lines = createInterface({ input: process.stdin });
    this.lines.on('line', (line) => this.line(line.trim()));
    this.lines.on('close', () => {
      this.isClosed = true;
      this.stopWhenDone();
    });
  }

  /** Says what came of a command. */
  answered({ item, comparison, reply }: ReplayResult, text: string): void {
    this.answers++;
    say(`#${item.seq} ${text}   ${outcomeOf(comparison, reply)}`);
    if (this.answers >= this.asked) this.sayNext();
    this.stopWhenDone();
  }

  end(): void {
    this.lines?.close();
    process.stdin.unref?.();
  }

  private line(line: string): void {
    const count = line === '' ? 1 : line === 'c' ? this.items.length : Number(line);
    if (line === 'q') this.replay?.stop();
    else if (Number.isInteger(count) && count > 0) {
      this.asked = Math.min(this.items.length, this.asked + count);
      this.replay?.allow(count);
    } else say('rmtop: Enter, a number, c or q');
  }

  private sayNext(): void {
    if (this.asked >= this.items.length || this.isClosed) return;
    const item = this.items.load(this.asked);
    say(`next: #${item.seq} ${this.textOf(item)}`);
  }

  private stopWhenDone(): void {
    if (this.isClosed && this.answers >= this.asked) this.replay?.stop();
  }
}

function outcomeOf(comparison: ReplayResult['comparison'], reply: Buffer | null): string {
  switch (comparison?.kind) {
    case undefined:
      return reply === null ? 'no reply' : 'not compared';
    case 'same':
      return 'same';
    case 'tolerated':
      return `same within ${comparison.by.join(', ')}`;
    case 'diff':
      return `DIFFERENT ${comparison.path === '' ? '' : `${comparison.path}: `}${comparison.a}  >  ${comparison.b}`;
    case 'missing':
      return 'DIFFERENT: no reply any more';
    case 'extra':
      return 'DIFFERENT: a reply where there was none';
  }
}
