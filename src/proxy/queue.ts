/** First in, first out, in a ring that doubles when it is full: no allocation for an entry, no search for a reply's owner. */
export class Queue<T> {
  private ring: (T | undefined)[] = new Array(16);
  private head = 0;
  length = 0;

  push(entry: T): void {
    if (this.length === this.ring.length) this.grow();
    this.ring[(this.head + this.length) & (this.ring.length - 1)] = entry;
    this.length++;
  }

  peek(): T | undefined {
    return this.length === 0 ? undefined : this.ring[this.head];
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const entry = this.ring[this.head];
    this.ring[this.head] = undefined;
    this.head = (this.head + 1) & (this.ring.length - 1);
    this.length--;
    return entry;
  }

  /** The entry `i` places behind the front. */
  at(i: number): T | undefined {
    return i < this.length ? this.ring[(this.head + i) & (this.ring.length - 1)] : undefined;
  }

  private grow(): void {
    const grown: (T | undefined)[] = new Array(this.ring.length * 2);
    for (let i = 0; i < this.length; i++) grown[i] = this.at(i);
    this.ring = grown;
    this.head = 0;
  }
}
