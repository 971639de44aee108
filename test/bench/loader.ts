/**
 * A load of so many commands a second: `loader.js PORT[,PORT …] RATE SECONDS [TURNS] [SHARE]`. Several ports take turns, each for so many
 * seconds, in changing order: a machine that is slow for a minute is so for all. During those of the last port a process of the lowest
 * priority takes SHARE of a processor, if that is given. Prints for each port what was sent in each turn, and how long it took.
 */
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { rotated } from './load.js';

const [ports = '', ...figures] = process.argv.slice(2);
const [rate = 0, seconds = 0, turns = 1, share = 0] = figures.map(Number);

const CLIENTS = 10;
const KEYS = 20_000;
const TICK_MS = 4;
/** How often the process beside does something: as often as a block is recorded at 50,000 commands a second. */
const BESIDE_MS = 20;
const REST_MS = 150;
const VALUE = 'v'.repeat(64);
/** Replies have known lengths, so that counting bytes is enough. */
const GOT = `$64\r\n${VALUE}\r\n`.length;
const DONE = '+OK\r\n'.length;

type Batch = { left: number; readonly sentMs: number };

/** One connection, with the batches it waits for. */
class Client {
  readonly took: number[] = [];
  private readonly socket: Socket;
  private readonly batches: Batch[] = [];

  constructor(to: number) {
    this.socket = connect({ port: to, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => this.hear(chunk.length));
  }

  get waiting(): number {
    return this.batches.length;
  }

  send(text: string, bytes: number): void {
    this.batches.push({ left: bytes, sentMs: performance.now() });
    this.socket.write(text);
  }

  private hear(length: number): void {
    let left = length;
    while (left > 0) {
      const [first] = this.batches;
      if (first === undefined) throw new TypeError('more replies than requests');
      const own = Math.min(left, first.left);
      first.left -= own;
      left -= own;
      if (first.left > 0) return;
      this.took.push(performance.now() - first.sentMs);
      this.batches.shift();
    }
  }

  close(): void {
    this.socket.end();
  }
}

const request = (...argv: string[]): string =>
  `*${argv.length}\r\n${argv.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
const key = (n: number): string => `user:${n % KEYS}:profile`;
const sets = Array.from({ length: KEYS }, (_, n) => request('SET', key(n), VALUE));
const gets = Array.from({ length: KEYS }, (_, n) => request('GET', key(n)));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The clients of one port. */
class Load {
  readonly results: { sent: number; p50Ms: number; p99Ms: number }[] = [];
  private readonly clients: readonly Client[];
  private next = 0;

  constructor(port: number) {
    this.clients = Array.from({ length: CLIENTS }, () => new Client(port));
  }

  private async settled(): Promise<void> {
    while (this.clients.some((client) => client.waiting > 0)) await sleep(5);
  }

  /** Every key gets its value. */
  async fill(): Promise<void> {
    for (let n = 0; n < KEYS; n += 100)
      this.clients[(n / 100) % CLIENTS]?.send(sets.slice(n, n + 100).join(''), 100 * DONE);
    await this.settled();
  }

  async run(): Promise<void> {
    const { clients } = this;
    for (const client of clients) client.took.length = 0;
    const startMs = performance.now();
    let sent = 0;
    let turn = 0;
    while (performance.now() - startMs < seconds * 1000) {
      await sleep(TICK_MS);
      let due = Math.floor(((performance.now() - startMs) / 1000) * rate) - sent;
      // What is not answered yet is not piled up on: a machine that cannot keep up gives what it can.
      while (due > 0) {
        const client = clients[turn++ % CLIENTS];
        if (client === undefined || clients.every(({ waiting }) => waiting > 8)) break;
        if (client.waiting > 8) continue;
        const many = Math.min(16, due);
        this.burst(client, many);
        sent += many;
        due -= many;
      }
    }
    await this.settled();
    const took = clients.flatMap((client) => client.took).sort((a, b) => a - b);
    const at = (part: number): number =>
      Math.round((took[Math.floor(part * took.length)] ?? 0) * 100) / 100;
    this.results.push({ sent, p50Ms: at(0.5), p99Ms: at(0.99) });
  }

  /** One write for each four reads. */
  private burst(client: Client, many: number): void {
    let text = '';
    let bytes = 0;
    for (let i = 0; i < many; i++) {
      const n = this.next++ % KEYS;
      const isSet = n % 5 === 0;
      text += (isSet ? sets : gets)[n];
      bytes += isSet ? DONE : GOT;
    }
    client.send(text, bytes);
  }

  close(): void {
    for (const client of this.clients) client.close();
  }
}

/** A process that takes a part of a processor's time and gives way to everybody; says how to switch it. */
function startBeside(): { set(isOn: boolean): void; stop(): void } {
  const spin = `
    let isOn = false;
    process.stdin.on('data', (text) => { isOn = String(text).endsWith('1'); });
    process.stdin.on('end', () => process.exit());
    setInterval(() => {
      const end = performance.now() + ${BESIDE_MS * share};
      while (isOn && performance.now() < end);
    }, ${BESIDE_MS});`;
  const child = spawn(process.execPath, ['-e', spin], { stdio: ['pipe', 'ignore', 'ignore'] });
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  return {
    set: (isOn) => void child.stdin.write(isOn ? '1' : '0'),
    stop: () => void child.stdin.end(),
  };
}

const loads = ports.split(',').map((port) => new Load(Number(port)));
const last = loads.at(-1);
const beside = share > 0 ? startBeside() : null;
await loads[0]?.fill();
for (let turn = 0; turn < turns; turn++) {
  const order = rotated(loads, turn);
  for (const load of turn % 2 === 0 ? order : order.toReversed()) {
    beside?.set(load === last);
    // What the one before has left to do is done by then.
    if (turns > 1) await sleep(REST_MS);
    await load.run();
  }
}
beside?.stop();
process.stdout.write(JSON.stringify(loads.map(({ results }) => results)));
for (const load of loads) load.close();
