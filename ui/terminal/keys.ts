/**
 * Bytes of the terminal → keys. Several keys may come in one read, and one key in several; a lone Esc is known only by what does not
 * follow it, so whoever reads calls `flush` when nothing came for 25 ms.
 */
import { StringDecoder } from 'node:string_decoder';

/** What the user did. Answers that nobody asked for are left out, and what a mouse does besides these. */
export type Input =
  /** `a`, `G`, ` `, `enter`, `esc`, `tab`, `shift-tab`, `up`, `pgdn`, `ctrl-d`, `alt-x`; `text` is what it types, if anything. */
  | { readonly kind: 'key'; readonly name: string; readonly text: string }
  | { readonly kind: 'paste'; readonly text: string }
  /** The left button went down, or the wheel turned, over a cell; from 0. */
  | {
      readonly kind: 'mouse';
      readonly what: 'click' | 'wheel-up' | 'wheel-down';
      readonly x: number;
      readonly y: number;
    }
  | { readonly kind: 'focus'; readonly gained: boolean }
  /** The answer to an OSC question, without its frame: `11;rgb:0000/0000/0000`. */
  | { readonly kind: 'answer'; readonly osc: string };

/** How long after an Esc a sequence may still go on. */
export const ESC_TIMEOUT_MS = 25;

const PASTE_END = '\x1b[201~';
/** Nothing sane is longer; what is, is no sequence, and is thrown away. */
const MAX_SEQUENCE = 4096;
const MAX_PASTE = 65_536;

const FINALS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
  Z: 'shift-tab',
};

const TILDES: Readonly<Record<string, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pgup',
  6: 'pgdn',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
};

const CONTROLS: Readonly<Record<number, string>> = {
  8: 'backspace',
  9: 'tab',
  10: 'enter',
  13: 'enter',
  27: 'esc',
  127: 'backspace',
};

/** Takes bytes in, gives inputs out. */
export class KeyDecoder {
  private readonly utf8 = new StringDecoder('utf8');
  private rest = '';
  private paste: string | null = null;

  /** Whether an Esc, or a sequence, is begun and not ended: `flush` is to be called if nothing follows. */
  get isWaiting(): boolean {
    return this.rest !== '' && this.paste === null;
  }

  push(bytes: Buffer): Input[] {
    this.rest += this.utf8.write(bytes);
    const inputs: Input[] = [];
    while (this.rest !== '') {
      const taken = this.paste === null ? this.next(inputs) : this.takePaste(inputs);
      if (taken === 0) break;
      this.rest = this.rest.slice(taken);
    }
    return inputs;
  }

  /** Nothing followed: what is begun is what it looks like, an Esc and some letters. */
  flush(): Input[] {
    const { rest } = this;
    this.rest = '';
    if (rest === '') return [];
    // The begin of an answer or a report that was cut short is no typing.
    if (/^\x1b[[\]PO_^]./.test(rest)) return [];
    const inputs: Input[] = [key('esc')];
    if (rest.length > 1) inputs.push(...this.push(Buffer.from(rest.slice(1))));
    return inputs;
  }

  /** Decodes one input from the front; gives how many characters it took, 0 when more must come. */
  private next(inputs: Input[]): number {
    const { rest } = this;
    if (rest.charCodeAt(0) === 0x1b) return this.escape(inputs);
    const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    inputs.push(plain(char));
    return char.length;
  }

  private escape(inputs: Input[]): number {
    const { rest } = this;
    if (rest.length === 1) return 0;
    switch (rest.charAt(1)) {
      case '[':
        return this.csi(inputs);
      case 'O':
        return this.ss3(inputs);
      case ']':
        return this.framed(inputs);
      case 'P':
      case '_':
      case '^':
        return this.framed(null);
      case '\x1b':
        inputs.push(key('esc'));
        return 1;
      default: {
        const char = String.fromCodePoint(rest.codePointAt(1) ?? 0);
        const typed = plain(char);
        inputs.push(key(`alt-${typed.kind === 'key' ? typed.name : char}`));
        return 1 + char.length;
      }
    }
  }

  private csi(inputs: Input[]): number {
    const { rest } = this;
    // The console of Linux: F1 to F5 are `[[A` to `[[E`.
    if (rest.startsWith('\x1b[[')) {
      const at = 'ABCDE'.indexOf(rest.charAt(3)) + 1;
      if (rest.length > 3 && at > 0) inputs.push(key(`f${at}`));
      return rest.length < 4 ? 0 : 4;
    }
    // The oldest mouse reports have three raw bytes after `M`.
    if (rest.startsWith('\x1b[M')) return rest.length < 6 ? 0 : 6;
    const match = /^\x1b\[([\x30-\x3f]*)([\x20-\x2f]*)([\x40-\x7e])/.exec(rest);
    if (match === null) {
      const isWhole = /^\x1b\[[\x20-\x3f]*$/.test(rest) && rest.length < MAX_SEQUENCE;
      return isWhole ? 0 : Math.max(2, rest.search(/[^\x1b[\x20-\x3f]/));
    }
    const [all, parameters = '', , final = ''] = match;
    const input = this.csiInput(parameters, final);
    if (input !== null) inputs.push(input);
    return all.length;
  }

  private csiInput(parameters: string, final: string): Input | null {
    if (parameters === '' && (final === 'I' || final === 'O'))
      return { kind: 'focus', gained: final === 'I' };
    if (parameters.startsWith('<')) return mouseInput(parameters.slice(1), final);
    const [first = '', modifier = ''] = parameters.split(';');
    if (final === '~' && first === '200') {
      this.paste = '';
      return null;
    }
    const name =
      final === '~' ? TILDES[first] : /^[\d;]*$/.test(parameters) ? FINALS[final] : undefined;
    return name === undefined ? null : key(prefixOf(modifier) + name);
  }

  private ss3(inputs: Input[]): number {
    if (this.rest.length < 3) return 0;
    const final = this.rest.charAt(2);
    const name = final === 'M' ? 'enter' : FINALS[final];
    if (name !== undefined) inputs.push(key(name));
    return 3;
  }

  /** OSC and its like end with BEL or ESC \. */
  private framed(inputs: Input[] | null): number {
    const end = /\x07|\x1b\\/.exec(this.rest.slice(2));
    if (end === null) return this.rest.length < MAX_SEQUENCE ? 0 : this.rest.length;
    inputs?.push({ kind: 'answer', osc: this.rest.slice(2, 2 + end.index) });
    return 2 + end.index + end[0].length;
  }

  private takePaste(inputs: Input[]): number {
    const { rest } = this;
    const end = rest.indexOf(PASTE_END);
    // The mark of the end may have come in half.
    const whole = end === -1 ? Math.max(0, rest.length - PASTE_END.length + 1) : end;
    this.paste = ((this.paste ?? '') + rest.slice(0, whole)).slice(0, MAX_PASTE);
    if (end === -1) return whole;
    inputs.push({ kind: 'paste', text: this.paste });
    this.paste = null;
    return end + PASTE_END.length;
  }
}

/** SGR reports: `<button;column;row`, `M` for down and `m` for up. */
function mouseInput(parameters: string, final: string): Input | null {
  const [button = Number.NaN, column = 0, row = 0] = parameters.split(';').map(Number);
  const what = ({ 0: 'click', 64: 'wheel-up', 65: 'wheel-down' } as const)[button];
  if (final !== 'M' || what === undefined || !(column >= 1) || !(row >= 1)) return null;
  return { kind: 'mouse', what, x: column - 1, y: row - 1 };
}

function key(name: string, text = ''): Input {
  return { kind: 'key', name, text };
}

/** xterm's modifiers: 1 + shift 1 + alt 2 + ctrl 4. */
function prefixOf(modifier: string): string {
  const bits = Number(modifier || 1) - 1;
  return `${bits & 4 ? 'ctrl-' : ''}${bits & 2 ? 'alt-' : ''}${bits & 1 ? 'shift-' : ''}`;
}

function plain(char: string): Input {
  const code = char.codePointAt(0) ?? 0;
  const named = CONTROLS[code];
  if (named !== undefined) return key(named);
  if (code === 0) return key('ctrl-space');
  if (code < 0x20) return key(`ctrl-${String.fromCharCode(code + 0x60)}`);
  return key(char, char);
}
