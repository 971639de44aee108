/** When a fault or rule was on: of the configurations as the core took them. */
import type { MeshConfig, OtherEvent } from 'rmtop';

/** A stretch of time with faults on, µs since the stream began; `toUs` null: they still are. `ids` are those on at its end. */
export type FaultTime = {
  readonly fromUs: number;
  readonly toUs: number | null;
  readonly ids: readonly string[];
};

const KEPT = 500;

export class FaultTimes {
  private readonly times: FaultTime[] = [];

  get list(): readonly FaultTime[] {
    return this.times;
  }

  hear({ config, atUs }: Extract<OtherEvent, { type: 'config' }>): void {
    const ids = idsOn(config);
    const last = this.times.at(-1);
    if (last !== undefined && last.toUs === null) {
      if (last.ids.join() === ids.join()) return;
      this.times[this.times.length - 1] = { ...last, toUs: atUs };
    }
    if (ids.length > 0) this.times.push({ fromUs: atUs, toUs: null, ids });
    if (this.times.length > KEPT) this.times.shift();
  }

  /** What was on at some time between these two moments. */
  between(fromUs: number, toUs: number): readonly string[] {
    return this.times
      .filter((time) => time.fromUs < toUs && (time.toUs === null || time.toUs > fromUs))
      .flatMap((time) => time.ids);
  }
}

function idsOn({ rules, faults }: MeshConfig): readonly string[] {
  return [...rules, ...faults].filter((each) => each.on).map((each) => each.id);
}
