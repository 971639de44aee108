/** The commands of a replay as rows of figures, their lines as bytes: a recording has more of them than fit into memory as objects. */
import { CommandStore, NumberList, type RecordedCommand, type ReplayItem } from 'rmtop';

/** Number of a command, in the order they were added in. */
export type Row = number;

/** What is known of each command without reading its line again. */
export class Rows {
  private readonly commands = new CommandStore();
  private readonly seqs = new NumberList();
  private readonly ats = new NumberList();
  /** -1: never; -2: it is not sent. */
  private readonly dones = new NumberList();
  private readonly connections = new NumberList();

  get length(): number {
    return this.commands.length;
  }

  /** Keeps a command, `text` being its line; `item` is null when it is not sent. */
  add(event: RecordedCommand, text: string, item: ReplayItem | null): void {
    this.commands.add(event, text);
    this.seqs.push(event.seq);
    this.ats.push(event.atUs);
    this.dones.push(item === null ? -2 : (item.doneUs ?? -1));
    this.connections.push(event.connection);
  }

  seq(row: Row): number {
    return this.seqs.at(row);
  }

  atUs(row: Row): number {
    return this.ats.at(row);
  }

  /** -1: there was never a reply. */
  doneUs(row: Row): number {
    return Math.max(-1, this.dones.at(row));
  }

  isSent(row: Row): boolean {
    return this.dones.at(row) !== -2;
  }

  connection(row: Row): number {
    return this.connections.at(row);
  }

  /** Puts a command on another connection. */
  fold(row: Row, connection: number): void {
    this.connections.set(row, connection);
  }

  /** Moves a command to the time of another. */
  moveTo(row: Row, other: Row): void {
    this.ats.set(row, this.atUs(other));
    this.dones.set(row, this.doneUs(other));
  }

  /** The command, read again. */
  event(row: Row): RecordedCommand {
    return this.commands.event(row);
  }

  /** All rows, in the order of their arrival. */
  sorted(): Int32Array {
    const rows = Int32Array.from({ length: this.length }, (_, row) => row);
    return rows.sort((a, b) => this.seq(a) - this.seq(b));
  }
}
