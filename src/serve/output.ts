/** Replies to one client, in the order of its requests: each may have to wait for its time, or for somebody else to give it. */
import type { Socket } from 'node:net';

type Slot = { bytes: Buffer | null; readonly dueMs: number; readonly isLast: boolean };

/** Writes them. `nowMs` is a monotonic clock. */
export class Output {
  private readonly socket: Socket;
  private readonly nowMs: () => number;
  private readonly slots: Slot[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(socket: Socket, nowMs: () => number) {
    this.socket = socket;
    this.nowMs = nowMs;
  }

  /** A reply, `delayMs` from now at the earliest. */
  add(bytes: Buffer, delayMs = 0): void {
    this.put({ bytes, dueMs: delayMs > 0 ? this.nowMs() + delayMs : 0, isLast: false });
  }

  /** The place of a reply that somebody gives later, or never. */
  reserve(): (bytes: Buffer) => void {
    const slot: Slot = { bytes: null, dueMs: 0, isLast: false };
    this.put(slot);
    return (bytes) => {
      slot.bytes = bytes;
      this.flush();
    };
  }

  /** Closes the connection, after the replies before. */
  end(bytes: Buffer, delayMs = 0): void {
    this.put({ bytes, dueMs: delayMs > 0 ? this.nowMs() + delayMs : 0, isLast: true });
  }

  private put(slot: Slot): void {
    this.slots.push(slot);
    if (this.slots.length === 1) this.flush();
  }

  private flush(): void {
    for (let slot = this.slots[0]; slot !== undefined; slot = this.slots[0]) {
      if (slot.bytes === null) return;
      const waitMs = slot.dueMs === 0 ? 0 : slot.dueMs - this.nowMs();
      if (waitMs > 0) {
        this.timer ??= setTimeout(() => {
          this.timer = null;
          this.flush();
        }, waitMs);
        return;
      }
      this.slots.shift();
      if (slot.bytes.length > 0) this.socket.write(slot.bytes);
      if (slot.isLast) {
        this.stop();
        this.socket.end();
        return;
      }
    }
  }

  /** Nothing more is written. */
  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.slots.length = 0;
  }
}
