/** A line that was scanned and not parsed, for who needs no more of a command than to decide it. */
import type { Command } from '../commands/command.js';
import type { StreamContext } from '../events/reader.js';
import { RecordedCommand } from './command.js';
import type { CommandScanner } from './scan.js';
import type { JsonObject } from './values.js';

/** A command that was only scanned: what it takes to decide it. Its `command` is another's as soon as the next line is read. */
export class ScannedCommand {
  private readonly scanner: CommandScanner;
  private readonly context: StreamContext;
  private readonly versions: () => readonly [topology: number, config: number];

  constructor(
    scanner: CommandScanner,
    context: StreamContext,
    versions: () => readonly [topology: number, config: number],
  ) {
    this.scanner = scanner;
    this.context = context;
    this.versions = versions;
  }

  /** Takes over what the scanner has found. */
  load(): void {
    this.scanner.load(this.context.peer(this.scanner.connection));
  }

  get seq(): number {
    return this.scanner.seq;
  }

  get atUs(): number {
    return this.scanner.atUs;
  }

  get command(): Command {
    return this.scanner.command;
  }

  get draws(): readonly number[] {
    return this.scanner.draws;
  }

  get decidedBy(): readonly [topology: number, config: number] {
    return this.versions();
  }

  /** All that the line says. */
  event(): RecordedCommand {
    return new RecordedCommand(
      JSON.parse(this.scanner.text) as JsonObject,
      this.context,
      this.versions(),
    );
  }
}
