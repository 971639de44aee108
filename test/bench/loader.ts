/** A load of so many commands a second, for so many seconds: `loader.js PORT RATE SECONDS`; prints what was sent and how long it took. */
import { connect, type Socket } from 'node:net';

const [port = 0, rate = 0, seconds = 0] = process.argv.slice(2).map(Number);

const CLIENTS = 10;
const KEYS = 20_000;
const TICK_MS = 4;
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

const clients = Array.from({ length: CLIENTS }, () => new Client(port));
const request = (...argv: string[]): string =>
  `*${argv.length}\r\n${argv.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
const key = (n: number): string => `user:${n % KEYS}:profile`;
const sets = Array.from({ length: KEYS }, (_, n) => request('SET', key(n), VALUE));
const gets = Array.from({ length: KEYS }, (_, n) => request('GET', key(n)));
const settled = async (): Promise<void> => {
  while (clients.some((client) => client.waiting > 0))
    await new Promise((resolve) => setTimeout(resolve, 5));
};

let sent = 0;
for (let n = 0; n < KEYS; n += 100) {
  clients[(n / 100) % CLIENTS]?.send(sets.slice(n, n + 100).join(''), 100 * DONE);
  sent += 100;
}
await settled();
for (const client of clients) client.took.length = 0;

const startMs = performance.now();
let due = 0;
let turn = 0;
while (performance.now() - startMs < seconds * 1000) {
  await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  due = Math.floor(((performance.now() - startMs) / 1000) * rate) - (sent - KEYS);
  // What is not answered yet is not piled up on: a machine that cannot keep up gives what it can.
  while (due > 0) {
    const client = clients[turn++ % CLIENTS];
    if (client === undefined || clients.every(({ waiting }) => waiting > 8)) break;
    if (client.waiting > 8) continue;
    const many = Math.min(16, due);
    let text = '';
    let bytes = 0;
    for (let i = 0; i < many; i++) {
      const n = (sent + i) % KEYS;
      const isSet = n % 5 === 0;
      text += (isSet ? sets : gets)[n];
      bytes += isSet ? DONE : GOT;
    }
    client.send(text, bytes);
    sent += many;
    due -= many;
  }
}
await settled();
const took = clients.flatMap((client) => client.took).sort((a, b) => a - b);
const at = (share: number): number =>
  Math.round((took[Math.floor(share * took.length)] ?? 0) * 100) / 100;
process.stdout.write(JSON.stringify({ sent, p50Ms: at(0.5), p99Ms: at(0.99) }));
for (const client of clients) client.close();
