/** Texts → documents whose every value knows its file, line and column. Tolerant as people's files need it (config page, 1.0). */
import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type Document as YamlDocument,
  type Node as YamlNode,
} from 'yaml';
import { messageOf } from '../errors.js';
import type { Findings, Position } from './diagnostic.js';
import {
  type Entry,
  get,
  items,
  type ListNode,
  type MapNode,
  make,
  mapTexts,
  type Node,
  str,
} from './node.js';

/** A file's text; `file` as the user knows it. */
export type Text = { readonly file: string; readonly text: string };

/** One mapping of a file that may be something we know. */
export type Document = {
  readonly root: MapNode;
  readonly kind: string | null;
  readonly apiVersion: string | null;
};

/** Past this, JSON is read without positions: a sidecar's config dump has tens of megabytes. */
const MOST_WITH_POSITIONS = 1_000_000;
const DEEPEST = 200;
/** An alias of an alias of an alias … may stand for more values than memory holds. */
const MOST_ALIASED = 100_000;

/** The documents of one text; lists of objects are taken apart. What cannot be read becomes a finding, and no document. */
export function parseText({ file, text }: Text, findings: Findings): Document[] {
  const source = withoutShell({ file, text: text.replace(/^\uFEFF/, '') }, findings);
  if (source.length > MOST_WITH_POSITIONS && /^\s*\{/.test(source)) {
    const big = jsonOf(file, source, findings);
    if (big !== 'unknown') return big === null ? [] : unlist(big);
  }
  return parseYaml(file, source, findings).flatMap(unlist);
}

/** Null where it is broken JSON, which is said; `unknown` where it may be YAML. */
function jsonOf(file: string, text: string, findings: Findings): Node | null | 'unknown' {
  try {
    return make(JSON.parse(text), { file, line: 1, column: 1 });
  } catch (error) {
    if (/^---/m.test(text)) return 'unknown';
    // The parser's own message quotes the file, which may hold a password.
    const offset = /position (\d+)/.exec(messageOf(error))?.[1];
    const before = text.slice(0, offset === undefined ? text.length : Number(offset)).split('\n');
    findings.say(
      'READ-YAML',
      { file, line: before.length, column: (before.at(-1) ?? '').length + 1 },
      'this JSON is broken, or breaks off here',
      { consequence: 'the file is left out', advice: 'get it again, whole: curl …/config_dump' },
    );
    return null;
  }
}

/** Without the `kubectl apply -f - <<EOF` and `EOF` that come along when a blog is pasted; lines keep their numbers. */
function withoutShell({ file, text }: Text, findings: Findings): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.trim() !== '');
  const word = /^\s*[^#\s][^#]*<<-?\s*["']?(\w+)["']?\s*$/.exec(lines[first] ?? '')?.[1];
  if (word === undefined) return text;
  findings.say(
    'READ-SHELL',
    { file, line: first + 1, column: 1 },
    `a shell command ends in <<${word}; it and the closing ${word} are left out`,
  );
  return lines.map((line, i) => (i === first || line.trim() === word ? '' : line)).join('\n');
}

function parseYaml(file: string, text: string, findings: Findings): Node[] {
  const lineCounter = new LineCounter();
  // `${X}` within { } would be YAML of its own. Marked by characters of the same length, so that columns stay right.
  const marked = text.replace(/\$\{([A-Za-z_]\w*)\}/g, '$\u27e8$1\u27e9');
  const documents = parseAllDocuments(marked, {
    lineCounter,
    uniqueKeys: false,
    prettyErrors: false,
    merge: true,
    strict: false,
    logLevel: 'silent',
    stringKeys: false,
  });
  const place = (offset: number | undefined): Position => {
    const { line, col } = lineCounter.linePos(offset ?? 0);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (!Array.isArray(documents)) return [];
  const template = templateLine(text);
  const read: Node[] = [];
  for (const document of documents as YamlDocument.Parsed[]) {
    const [error] = document.errors;
    const reader = new AstReader(document, place, findings);
    const root =
      error === undefined && document.contents !== null
        ? reader.read(document.contents as YamlNode)
        : null;
    const isTemplate = template !== null && (error !== undefined || reader.oddKey !== null);
    if (isTemplate) {
      sayTemplate(findings, { file, line: template.line, column: template.column });
      return read;
    }
    if (error !== undefined) {
      // Only the first: what follows is mostly its consequence. The text of the file is cut off: it may be a password.
      findings.say(
        'READ-YAML',
        place(error.pos[0]),
        `not YAML: ${error.message.replace(/: ".*$/s, '').replace(/\n.*$/s, '')}`,
        {
          consequence: 'this document is left out',
          advice:
            'mind the indentation (spaces, no tabs) and quote texts that hold `: ` or begin with a special character',
        },
      );
      continue;
    }
    if (root === null) continue;
    const inText = templateIn(root);
    if (inText === null) read.push(root);
    else sayTemplate(findings, inText);
  }
  return read;
}

function sayTemplate(findings: Findings, at: Position): void {
  findings.say('READ-TEMPLATE', at, 'this file is a template (Helm or Jinja); render it first', {
    consequence: 'what it would become is not known, so it is left out',
    advice: 'helm template RELEASE CHART > rendered.yaml, and give that file',
  });
}

/** The first line outside comments that looks like a template's. */
function templateLine(text: string): { readonly line: number; readonly column: number } | null {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => /^[^#]*(\{\{|\{%)/.test(line));
  const column = (lines[at] ?? '').search(/\{\{|\{%/) + 1;
  return at === -1 ? null : { line: at + 1, column };
}

/** A quoted placeholder of a template in a document that rmtop would read: `{{ .Values.x }}`, never a hash tag `{{x}}`. */
function templateIn(root: Node): Position | null {
  if (
    root.kind !== 'map' ||
    !/^(redis\.aeraki|networking\.istio)\.io\//.test(str(root, 'apiVersion') ?? '')
  )
    return null;
  let found: Position | null = null;
  mapTexts(root, (text, node) => {
    if (found === null && /\{\{-?\s*[.$]|\{\{-?\s+\w.*\}\}|\{%-?\s/.test(text)) found = node.at;
    return node;
  });
  return found;
}

/** One document's syntax tree → nodes. */
class AstReader {
  /** Where a mapping is the key of a mapping: `{{ x }}` of a template reads so. */
  oddKey: Position | null = null;
  private readonly place: (offset: number | undefined) => Position;
  private readonly findings: Findings;
  /** What each alias stands for; looked up once, for the library searches the document for each. */
  private readonly targets: ReadonlyMap<Alias, YamlNode>;
  private left = MOST_ALIASED;
  private aliases = 0;

  constructor(
    document: YamlDocument.Parsed,
    place: (offset: number | undefined) => Position,
    findings: Findings,
  ) {
    this.targets = targetsIn(document);
    this.place = place;
    this.findings = findings;
  }

  read(node: YamlNode | null, depth = 0): Node {
    const at = this.place(node?.range?.[0]);
    if (this.aliases > 0) this.left--;
    if (node === null || depth > DEEPEST || this.left < 0) {
      if (node !== null)
        this.findings.say('READ-YAML', at, 'too deep, or aliases that stand for too many values', {
          consequence: 'what lies deeper is left out',
        });
      return make(null, at);
    }
    if (isAlias(node)) {
      const target = this.targets.get(node);
      if (target === undefined) return make(null, at);
      this.aliases++;
      const read = this.read(target, depth + 1);
      this.aliases--;
      return read;
    }
    if (isSeq(node)) {
      return {
        kind: 'list',
        at,
        items: node.items.map((item) => this.read(item as YamlNode | null, depth + 1)),
      } satisfies ListNode;
    }
    if (isMap(node)) return this.readMap(node, at, depth);
    if (!isScalar(node)) return make(null, at);
    const { value } = node;
    const plain = node.type === 'PLAIN';
    const text = unmark(typeof value === 'string' ? value : (node.source ?? String(value)));
    const known =
      typeof value === 'number' || typeof value === 'boolean' || value === null ? value : text;
    return { kind: 'scalar', at, plain, text, value: known };
  }

  private readMap(
    node: { readonly items: readonly { readonly key: unknown; readonly value: unknown }[] },
    at: Position,
    depth: number,
  ): MapNode {
    const entries = new Map<string, Entry>();
    for (const pair of node.items) {
      const key = pair.key as YamlNode | null;
      const keyAt = this.place(key?.range?.[0]);
      if (isMap(key) || isSeq(key)) this.oddKey ??= keyAt;
      const name = isScalar(key)
        ? unmark(typeof key.value === 'string' ? key.value : (key.source ?? String(key.value)))
        : '';
      const value = this.read(pair.value as YamlNode | null, depth + 1);
      if (name === '<<') {
        this.mergeKey(entries, value);
        continue;
      }
      if (entries.has(name)) {
        this.findings.say('READ-DUPKEY', keyAt, `'${name}' stands twice in one mapping`, {
          consequence: 'the last one counts here; kubectl and Envoy may refuse the file',
          advice: 'keep one of them, or join their lists',
        });
      }
      entries.set(name, { at: keyAt, value });
    }
    return { kind: 'map', entries, at };
  }

  /** `<<`: what the mapping does not say itself. */
  private mergeKey(entries: Map<string, Entry>, value: Node): void {
    for (const source of value.kind === 'list' ? value.items : [value]) {
      if (source.kind !== 'map') continue;
      for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
    }
  }
}

/** The node that each alias of a document stands for: the last one before it that bears the name. */
function targetsIn(document: YamlDocument.Parsed): Map<Alias, YamlNode> {
  const anchors = new Map<string, YamlNode>();
  const targets = new Map<Alias, YamlNode>();
  visit(document, {
    Value(_key, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Alias(_key, alias) {
      const target = anchors.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
    },
  });
  return targets;
}

function unmark(text: string): string {
  return text.replace(/\$\u27e8(\w+)\u27e9/g, '$${$1}');
}

/** The objects of a `List`, else the document itself. */
function unlist(root: Node): Document[] {
  if (root.kind !== 'map') return root.kind === 'list' ? root.items.flatMap(unlist) : [];
  const kind = str(root, 'kind');
  if (kind?.endsWith('List') && get(root, 'items') !== undefined) {
    // kubectl leaves kind and apiVersion off the items of a typed list.
    return items(root, 'items')
      .flatMap(unlist)
      .map((each) => ({
        ...each,
        kind: each.kind ?? kind.slice(0, -4),
        apiVersion: each.apiVersion ?? str(root, 'apiVersion'),
      }));
  }
  return [{ root, kind, apiVersion: str(root, 'apiVersion') }];
}

/** `${NAME}` → its value, where it has one; a number put into an unquoted place becomes a number. */
export function fillPlaceholders(
  root: MapNode,
  values: Readonly<Record<string, string | undefined>>,
): MapNode {
  const filled = mapTexts(root, (text, node) => {
    if (!text.includes('${')) return node;
    const value = text.replace(/\$\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
    if (value === text) return node;
    const isNumber = node.plain && /^-?\d+(\.\d+)?$/.test(value);
    return { ...node, text: value, value: isNumber ? Number(value) : value };
  });
  return filled.kind === 'map' ? filled : root;
}

/** The names of the placeholders left in a text. */
export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name);
}
