/** Replies to one client, in the order of its requests: each may have to wait for its time, or for somebody else to give it. */
import type { Socket } from 'node:net';
import type { FaultPlan } from '../mesh/decision.js';
import { encodeError } from '../resp/encode.js';

/** What is done once the replies before are out. */
type End = 'no' | 'close' | 'reset';
type Slot = {
  bytes: Buffer | null;
  dueMs: number;
  readonly end: End;
  /** What a fault makes of the reply. */
  readonly fault: FaultPlan | null;
};

/** Writes them. `nowMs` is a monotonic clock. */
export class Output {
  private readonly socket: Socket;
  private readonly nowMs: () => number;
  private readonly slots: Slot[] = [];
  private timer: NodeJS.Timeout | null = null;
  private fault: FaultPlan | null = null;
  private isOver = false;

  constructor(socket: Socket, nowMs: () => number) {
    this.socket = socket;
    this.nowMs = nowMs;
  }

  /** What happens to the next reply: it is late, another one, cut or in pieces. */
  afflict(fault: FaultPlan): void {
    this.fault = fault;
  }

  /** A reply, `delayMs` from now at the earliest. */
  add(bytes: Buffer, delayMs = 0): void {
    this.put(bytes, delayMs, 'no');
  }

  /** The place of a reply that somebody gives later, or never. */
  reserve(): (bytes: Buffer) => void {
    const slot = this.put(null, 0, 'no');
    return (bytes) => {
      this.fill(slot, bytes);
      this.flush();
    };
  }

  /** Closes the connection, after the replies before; `reset` without a farewell. */
  end(bytes: Buffer, delayMs = 0, reset = false): void {
    this.put(bytes, delayMs, reset ? 'reset' : 'close');
  }

  private put(bytes: Buffer | null, delayMs: number, end: End): Slot {
    const { fault } = this;
    this.fault = null;
    const dueMs = delayMs > 0 ? this.nowMs() + delayMs : 0;
    const slot: Slot = { bytes: null, dueMs, end, fault };
    if (bytes !== null) this.fill(slot, bytes);
    if (!this.isOver) this.slots.push(slot);
    if (this.slots.length === 1) this.flush();
    return slot;
  }

  private fill(slot: Slot, bytes: Buffer): void {
    const { fault } = slot;
    slot.bytes = bytes;
    if (fault === null) return;
    const { kind } = fault.action;
    if (kind === 'error') slot.bytes = encodeError(fault.error ?? '');
    if (kind === 'error' || kind === 'delay')
      slot.dueMs = Math.max(slot.dueMs, this.nowMs()) + (fault.ms ?? 0);
  }

  private flush(): void {
    for (let slot = this.slots[0]; slot !== undefined; slot = this.slots[0]) {
      if (slot.bytes === null || this.timer !== null) return;
      const waitMs = slot.dueMs === 0 ? 0 : slot.dueMs - this.nowMs();
      if (waitMs > 0) {
        this.flushIn(waitMs);
        return;
      }
      const action = slot.fault?.action;
      if (action?.kind === 'drip' && slot.bytes.length > action.bytes) {
        this.socket.write(slot.bytes.subarray(0, action.bytes));
        slot.bytes = slot.bytes.subarray(action.bytes);
        this.flushIn(Math.max(1, action.pauseMs));
        return;
      }
      if (action?.kind === 'close') {
        this.finish(slot.bytes.subarray(0, action.afterBytes ?? 0), action.reset);
        return;
      }
      this.slots.shift();
      if (slot.end !== 'no') {
        this.finish(slot.bytes, slot.end === 'reset');
        return;
      }
      if (slot.bytes.length > 0) this.socket.write(slot.bytes);
    }
  }

  private flushIn(ms: number): void {
    this.timer = setTimeout(() => {
      this.timer = null;
      this.flush();
    }, ms);
  }

  /** Writes the last bytes; with them go all replies that have not been written. */
  private finish(bytes: Buffer, reset: boolean): void {
    this.isOver = true;
    this.stop();
    if (bytes.length > 0) this.socket.write(bytes);
    if (reset) this.socket.resetAndDestroy();
    else this.socket.end();
  }

  /** Nothing more is written. */
  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.slots.length = 0;
  }
}
