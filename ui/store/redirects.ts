/** Where servers sent commands on to: how often, the last one, and the slots that are on their way to another server. */
import type { Facts } from 'rmtop';

/** One redirect, between announced addresses. */
export type Redirect = {
  readonly kind: 'MOVED' | 'ASK';
  /** Null where it is not known. */
  readonly slot: number | null;
  readonly from: string;
  readonly to: string;
  /** The command's first key. */
  readonly key: string | null;
  readonly atUs: number;
};

/** ASK is answered for keys that have left already: without one for so long, nothing is known of the slot. */
const MIGRATING_US = 60e6;
const ERROR = /^(MOVED|ASK) (\d+) (\S+:\d+)/;

export class Redirects {
  /** Followed by the proxy. */
  moved = 0;
  asked = 0;
  last: Redirect | null = null;
  private readonly bySlot = new Map<number, Redirect>();

  /** A command of which redirects were followed. */
  followed(facts: Facts): void {
    const { attempts, parts, atUs } = facts;
    const key = facts.keys[0] ?? null;
    for (const [i, { kind, part, address }] of attempts.entries()) {
      if (kind === 'decided') continue;
      if (kind === 'MOVED') this.moved++;
      else this.asked++;
      const before = attempts.slice(0, i).findLast((each) => each.part === part);
      const to = parts[part]?.to ?? null;
      const from = before?.address ?? to?.address ?? '?';
      this.note({ kind, slot: to?.slot ?? null, from, to: address, key, atUs });
    }
  }

  /** A redirect that was handed on to the client. */
  handedOn(facts: Facts, text: string): void {
    const [, kind, slot, to] = ERROR.exec(text) ?? [];
    if (kind === undefined || to === undefined) return;
    const from = facts.parts[0]?.to?.address ?? '?';
    this.note({
      kind: kind === 'ASK' ? 'ASK' : 'MOVED',
      slot: Number(slot),
      from,
      to,
      key: facts.keys[0] ?? null,
      atUs: facts.atUs,
    });
  }

  private note(redirect: Redirect): void {
    this.last = redirect;
    const { slot } = redirect;
    if (slot === null) return;
    if (redirect.kind === 'ASK') this.bySlot.set(slot, redirect);
    else this.bySlot.delete(slot);
  }

  /** The slots on their way to another server, as far as ASK said so in the last minute; `ownerOf` gives whose a slot is now. */
  migrating(nowUs: number, ownerOf: (slot: number) => string | null): readonly Redirect[] {
    return [...this.bySlot.values()]
      .filter(
        ({ slot, to, atUs }) =>
          nowUs - atUs < MIGRATING_US && slot !== null && ownerOf(slot) !== to,
      )
      .sort((a, b) => (a.slot ?? 0) - (b.slot ?? 0));
  }
}
