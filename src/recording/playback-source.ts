/** The events of a playback, as the handle of a live proxy has them: who reads one reads the other. */
import { RmtopError } from '../errors.js';
import { type Consumer, EventBus } from '../events/bus.js';
import type { OtherEvent } from '../events/event.js';
import { addTo, Stats, type Totals } from '../events/stats.js';
import type { MeshConfig } from '../mesh/config.js';
import { isNilReply } from '../resp/bytes.js';
import { RecordedCommand } from './command.js';
import { noteOf } from './note.js';
import type { Entry, RecordingHeader } from './reader.js';

const ERROR = 0x2d; // '-'
const BULK_ERROR = 0x21; // '!'

function unchangeable(): RmtopError {
  return new RmtopError('USAGE', 'a recording cannot be changed', {
    next: ['rmtop replay FILE --mesh NEW.yaml --decide-only        what another mesh would do'],
  });
}

/** Hands recorded entries out. It has the shape of a ProxyHandle; nothing can be changed by it. */
export class PlaybackSource {
  readonly address: { readonly host: string; readonly port: number };
  readonly startedAt: string;
  readonly died: Promise<Error> = new Promise(() => {});
  config: MeshConfig;
  private readonly bus = new EventBus();
  private readonly stats = new Stats();
  private readonly upstreamOf = new Map<string, string>();
  /** The moment that is played, in µs since the stream began. */
  readonly momentUs: () => number;

  constructor(header: RecordingHeader, config: MeshConfig, nowUs: () => number) {
    const [listen] = Array.isArray(header.listen) ? (header.listen as readonly unknown[]) : [];
    const [, host = '', port = '0'] = /^(.*):(\d+)$/.exec(String(listen ?? '')) ?? [];
    this.address = { host, port: Number(port) };
    this.startedAt = typeof header.t0 === 'string' ? header.t0 : '1970-01-01T00:00:00Z';
    this.config = config;
    this.momentUs = nowUs;
  }

  /** Whether a reader that must not lose anything is behind. */
  get congested(): boolean {
    return this.bus.congested;
  }

  subscribe(consumer: Consumer): () => void {
    return this.bus.subscribe(consumer);
  }

  /** Of what has been handed out. */
  totals(): Promise<Totals> {
    return Promise.resolve(this.stats.totals(this.momentUs()));
  }

  /** Nobody is connected to a recording. */
  clients(): Promise<readonly []> {
    return Promise.resolve([]);
  }

  /** Rejects with USAGE: what is recorded has happened. */
  reconfigure(): Promise<void> {
    return Promise.reject(unchangeable());
  }

  /** Rejects as `reconfigure` does. */
  closeClient(): Promise<boolean> {
    return Promise.reject(unchangeable());
  }

  note(level: 'info' | 'warning' | 'error', text: string, next: string | null): void {
    this.bus.other({ type: 'log', atUs: this.momentUs(), level, text, next });
  }

  /** There is nothing to close: the playback has the file. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  flush(): void {
    this.bus.flush();
  }

  /** Hands out what an entry holds. */
  hand({ event }: Entry): void {
    if (event === null) return;
    if (event.type !== 'command') this.other(event);
    else if (event instanceof RecordedCommand) {
      this.bus.command(noteOf(event), event.durationUs);
      this.count(event);
    }
  }

  private other(event: OtherEvent): void {
    const { stats } = this;
    if (event.type === 'config') this.config = event.config;
    else if (event.type === 'topology') {
      for (const [name, { servers }] of Object.entries(event.upstreams))
        for (const { address } of servers) this.upstreamOf.set(address, name);
    }
    if (event.type === 'session' && event.state === 'opened') {
      stats.clients++;
      stats.clientsTotal++;
    } else if (event.type === 'session-closed') stats.clients--;
    else if (event.type === 'mirror')
      stats.mirror(event.upstream).count(event.state, event.lagUs ?? 0, event.lagUs !== null);
    this.bus.other(event);
  }

  /** By the fields of its line, so that nothing has to be decided again: that takes as long as all else here. */
  private count(event: RecordedCommand): void {
    const { stats } = this;
    const { command, reply, request, durationUs, outcome, json } = event;
    const first = reply.bytes[0];
    const isError = first === ERROR || first === BULK_ERROR;
    const isNil = isNilReply(reply.bytes, 0, reply.bytes.length);
    stats.command(command.spec, durationUs, request.total, reply.total, isError, isNil);
    const letters = typeof json.x === 'string' ? json.x : '';
    const faults = Array.isArray(json.f) ? (json.f as readonly { readonly id: string }[]) : [];
    if (json.rf !== undefined) stats.refused++;
    else if (letters.includes('L') && faults.length === 0) stats.answered++;
    else if (command.spec?.envoyWrite) stats.writes++;
    else stats.reads++;
    if (letters.includes('O')) stats.opened++;
    if (outcome.kind === 'reply' && outcome.cause !== null) stats.failed++;
    if (Array.isArray(json.hp)) stats.redirects += json.hp.length;
    for (const { id } of faults) stats.fault(id).hits++;
    this.countNodes(event, isError);
  }
  /** Requests that were sent, by their server; whose error it was is known where there was one. */
  private countNodes(event: RecordedCommand, isError: boolean): void {
    const { attempts } = event;
    for (const { address, sentUs, doneUs } of attempts) {
      if (sentUs < 0) continue;
      const tally = this.stats.node(address, this.upstreamOf.get(address) ?? '');
      const us = Math.max(0, doneUs - sentUs);
      addTo(tally, us, 0, 0, isError && attempts.length === 1);
    }
  }
}
