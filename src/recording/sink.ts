/**
 * Where lines go: a descriptor, or files of mode 0600 that only ever grow, plain, or in gzip members or zstd frames. Only whole lines are written, and
 * each part of a rotated recording is a file that stands alone.
 */
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  openSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { messageOf, RmtopError, systemCode } from '../errors.js';
import { zstdOfNode } from './zstd.js';

/** Where a recording goes, and how much of it there may be. Sizes in bytes of the file, times in ms. */
export type SinkOptions =
  | { readonly kind: 'fd'; readonly fd: number }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly sync: 'never' | 'check' | 'line';
      /** The recording ends at this size; null: when the disk is nearly full. */
      readonly maxBytes: number | null;
      readonly rotateBytes: number | null;
      readonly rotateMs: number | null;
      /** Older parts are deleted; null: none is. */
      readonly keepParts: number | null;
    };

/** What a gzip member, or a zstd frame, holds at most, and for how long lines wait for one. */
const MEMBER_BYTES = 1024 * 1024;
const MEMBER_MS = 1000;
/** What is left free of a disk, whichever is less. */
const FREE_BYTES = 1024 ** 3;
const FREE_SHARE = 0.05;

/** Fails early, before anything is started: whether `file` can become a recording. Throws USAGE, OUTPUT_EXISTS or OUTPUT_FAILED. */
export function checkOutput(file: string, force: boolean): void {
  packerOf(file);
  if (existsSync(file) && !force)
    throw new RmtopError('OUTPUT_EXISTS', `${file} exists already`, {
      next: ['choose another name with -o', 'add --force to replace it'],
    });
  try {
    closeSync(openSync(file, 'w', 0o600));
  } catch (error) {
    throw new RmtopError('OUTPUT_FAILED', `cannot write ${file}`, { why: messageOf(error) });
  }
}

/**
 * Opens what is there at `file` and is no file: a pipe (`>(zstd)`), a device. It is written to as it is, never replaced. Null where there is
 * a file, a folder or nothing. Throws OUTPUT_FAILED, also for a pipe that nobody reads: waiting for a reader would stop everything.
 */
export function openStream(file: string): number | null {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there === undefined || there.isFile() || there.isDirectory()) return null;
  try {
    return openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    const isUnread = systemCode(error) === 'ENXIO';
    throw new RmtopError('OUTPUT_FAILED', `cannot write ${file}`, {
      why: isUnread ? 'nobody reads this pipe' : messageOf(error),
      next: isUnread ? [`cat ${file} > FILE.rmtop        in another terminal, first`] : [],
    });
  }
}

/** The file of part `n`: `a.rmtop`, `a-0002.rmtop`, `a-0003.rmtop.gz`. */
export function partPath(file: string, part: number): string {
  if (part === 1) return file;
  const [, stem = file, ending = ''] = /^(.*?)((?:\.rmtop)?(?:\.gz|\.zst)?)$/s.exec(file) ?? [];
  return `${stem}-${String(part).padStart(4, '0')}${ending}`;
}

/** How a file of that name is packed; null: it is not. Throws USAGE where this Node cannot. */
function packerOf(file: string): ((lines: Buffer) => Buffer) | null {
  if (file.endsWith('.gz')) return (lines) => gzipSync(lines, { level: 1 });
  return file.endsWith('.zst') ? packerOfZstd(file) : null;
}

function packerOfZstd(file: string): (lines: Buffer) => Buffer {
  const zstd = zstdOfNode();
  if (zstd !== null) return (lines) => zstd.zstdCompressSync(lines);
  throw new RmtopError('USAGE', `cannot write ${file}: Node ${process.versions.node} has no zstd`, {
    why: 'it is there from Node 22.15 on',
    next: [`-o ${file.replace(/zst$/, 'gz')}`],
  });
}

/** Writes lines. Everything here blocks: it belongs into the writer's thread. */
export class Sink {
  /** Bytes of text in all parts, and of this part's file. */
  textBytes = 0;
  fileBytes = 0;
  part = 1;
  private fd: number;
  private readonly options: SinkOptions;
  /** Makes a member of lines; null: they are written as they are. */
  private readonly pack: ((lines: Buffer) => Buffer) | null;
  private member: Buffer[] = [];
  private memberBytes = 0;
  private memberSince = 0;
  private partSince: number;

  /** `nowMs` is a monotonic clock. Throws what opening throws. */
  constructor(options: SinkOptions, nowMs: number) {
    this.options = options;
    this.pack = options.kind === 'file' ? packerOf(options.path) : null;
    this.partSince = nowMs;
    this.fd = options.kind === 'fd' ? options.fd : openPart(options.path, 1);
  }

  /** Whether this is a file, which gets what only files need. */
  get isFile(): boolean {
    return this.options.kind === 'file';
  }

  /** The name of the file that is written now. */
  get fileName(): string {
    return this.options.kind === 'file'
      ? path.basename(partPath(this.options.path, this.part))
      : '-';
  }

  /** Writes whole lines. Throws what writing throws. */
  write(lines: Buffer, nowMs: number): void {
    if (lines.length === 0) return;
    this.textBytes += lines.length;
    if (this.pack === null) {
      this.writeAll(lines);
    } else {
      if (this.memberBytes === 0) this.memberSince = nowMs;
      this.member.push(Buffer.from(lines));
      this.memberBytes += lines.length;
      if (this.memberBytes >= MEMBER_BYTES) this.flush();
    }
    if (this.options.kind === 'file' && this.options.sync === 'line') this.sync();
  }

  /** Writes what has waited long enough for its member to fill. */
  tick(nowMs: number): void {
    if (this.memberBytes > 0 && nowMs - this.memberSince >= MEMBER_MS) this.flush();
  }

  private flush(): void {
    if (this.memberBytes === 0 || this.pack === null) return;
    const member = this.pack(Buffer.concat(this.member));
    this.member = [];
    this.memberBytes = 0;
    this.writeAll(member);
  }

  private writeAll(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.fd, bytes, at);
      } catch (error) {
        if (systemCode(error) !== 'EAGAIN') throw error;
        Atomics.wait(NAP, 0, 0, 5); // a pipe that is full
      }
    }
    this.fileBytes += bytes.length;
  }

  /** At a check record: to the disk, when that is wanted. */
  check(): void {
    if (this.options.kind !== 'file' || this.options.sync === 'never') return;
    this.flush();
    this.sync();
  }

  private sync(): void {
    this.flush();
    fdatasyncSync(this.fd);
  }

  /** Why no more may be written; null while there is room. */
  limit(): string | null {
    const { options } = this;
    if (options.kind !== 'file') return null;
    if (options.maxBytes !== null && this.fileBytes + this.memberBytes >= options.maxBytes)
      return `--max-size is reached`;
    return isDiskFull(options.path) ? 'the disk is nearly full' : null;
  }

  /** Whether the next lines belong into a new part. */
  wantsRotation(nowMs: number): boolean {
    const { options } = this;
    if (options.kind !== 'file') return false;
    return (
      (options.rotateBytes !== null && this.fileBytes + this.memberBytes >= options.rotateBytes) ||
      (options.rotateMs !== null && nowMs - this.partSince >= options.rotateMs)
    );
  }

  /** Ends this part and begins the next; the oldest goes when there are too many. */
  rotate(nowMs: number): void {
    const { options } = this;
    if (options.kind !== 'file') return;
    this.close();
    this.part++;
    this.fd = openPart(options.path, this.part);
    this.fileBytes = 0;
    this.partSince = nowMs;
    const oldest = options.keepParts === null ? 0 : this.part - options.keepParts;
    if (oldest >= 1) unlinkSync(partPath(options.path, oldest));
  }

  close(): void {
    this.flush();
    if (this.options.kind !== 'file') return;
    if (this.options.sync !== 'never') fdatasyncSync(this.fd);
    closeSync(this.fd);
  }
}

/** A cell nobody wakes: how a thread waits a little. */
const NAP = new Int32Array(new SharedArrayBuffer(4));

function openPart(file: string, part: number): number {
  const name = partPath(file, part);
  // A part left by an earlier recording of the same name would be appended to.
  closeSync(openSync(name, 'w', 0o600));
  return openSync(name, 'a', 0o600);
}

function isDiskFull(file: string): boolean {
  const { bavail, blocks, bsize } = statfsSync(path.dirname(file));
  return bavail * bsize < Math.min(FREE_BYTES, FREE_SHARE * blocks * bsize);
}
