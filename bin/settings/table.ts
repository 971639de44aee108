/** What a settings file can say: the flags that a team shares or a person likes, by their long names. `ux.md` e.8. */
import { READ_POLICIES } from 'rmtop';
import { KEY_ROWS } from '../../ui/key-table.js';
import { SYMBOLS, THEMES } from '../screen.js';

/** One setting. `path`: relative to the file that says it. */
export type Setting = {
  readonly name: string;
  readonly kind: 'text' | 'path' | 'flag' | 'number';
  /** Whether there may be several. */
  readonly many: boolean;
  readonly choices: readonly string[];
  /** Variables that come before it. */
  readonly env: readonly string[];
  /** Which commands have it: those that make a proxy, those with a screen, or only the screen itself. */
  readonly of: 'proxy' | 'screen' | 'ui';
  readonly help: string;
};

type More = Partial<Pick<Setting, 'many' | 'choices' | 'env'>>;

function setting(
  of: Setting['of'],
  name: string,
  kind: Setting['kind'],
  help: string,
  { many = false, choices = [], env = [] }: More = {},
): Setting {
  return { name, kind, many, choices, env, of, help };
}

const MANY: More = { many: true };

export const SETTINGS: readonly Setting[] = [
  setting('proxy', 'upstream', 'text', 'seed nodes: host:port, several with commas', {
    env: ['RMTOP_UPSTREAM', 'REDIS_URL'],
  }),
  setting('proxy', 'listen', 'text', 'where clients connect', { env: ['RMTOP_LISTEN'] }),
  setting('proxy', 'mesh', 'path', "the mesh's YAML: files or folders", MANY),
  setting('proxy', 'service', 'text', 'only the listener of this service'),
  setting('proxy', 'intended', 'flag', "Aeraki's resources as they read"),
  setting('proxy', 'set', 'text', 'NAME=VALUE for a placeholder', MANY),
  setting('proxy', 'route', 'text', 'PREFIX=HOST:PORT', MANY),
  setting('proxy', 'mirror', 'text', 'HOST:PORT[,PERCENT%][,writes]', MANY),
  setting('proxy', 'fault', 'text', 'a fault rule', MANY),
  setting('proxy', 'map', 'text', 'FROM=TO: where an announced address is reached', MANY),
  setting('proxy', 'read-policy', 'text', 'where reads go', { choices: READ_POLICIES }),
  setting('proxy', 'envoy', 'text', 'the Envoy to behave like, 1.40'),
  setting('proxy', 'open', 'flag', 'forward what the mesh refuses'),
  setting('proxy', 'enable-redirection', 'flag', 'follow MOVED and ASK'),
  setting('proxy', 'op-timeout', 'text', "Envoy's op_timeout"),
  setting('proxy', 'connect-timeout', 'text', "Envoy's connect_timeout"),
  setting('proxy', 'refresh-rate', 'text', "Envoy's cluster_refresh_rate"),
  setting('proxy', 'health-check', 'text', 'how often hosts are checked'),
  setting('proxy', 'protocol-version', 'text', "the listener's", { choices: ['RESP2', 'RESP3'] }),
  setting('proxy', 'custom-command', 'text', "a name for Envoy's custom_commands", MANY),
  setting('proxy', 'auth-file', 'path', 'a file with the password for the servers'),
  setting('proxy', 'downstream-auth-file', 'path', 'a file with what clients log in with'),
  setting('proxy', 'tls-ca', 'path', 'CA certificates for rediss://'),
  setting('proxy', 'tls-cert', 'path', 'client certificate'),
  setting('proxy', 'tls-key', 'path', "client certificate's key"),
  setting('screen', 'theme', 'text', 'colours', { choices: THEMES, env: ['RMTOP_THEME'] }),
  setting('screen', 'symbols', 'text', 'what charts are drawn with', {
    choices: ['auto', ...SYMBOLS],
  }),
  setting('screen', 'color', 'text', 'whether there are colours', {
    choices: ['auto', 'always', 'never'],
    env: ['NO_COLOR', 'FORCE_COLOR'],
  }),
  setting('screen', 'fps', 'number', 'frames a second at most'),
  setting('screen', 'mouse', 'flag', 'wheel and clicks'),
  setting('ui', 'columns', 'text', 'columns of the stream, in their order', MANY),
  setting('ui', 'delimiter', 'text', "what ends a key's prefix in Hot; usually :"),
];

/** Filters by name: a map of its own in the file. */
export const FILTERS = 'filters';

/** Which keys do what: a map of its own, too; see `ui/key-table.ts`. */
export const KEYS = 'keys';

/** Which differences between replies mean nothing: a list of its own. */
export const TOLERANCES = 'tolerances';

/** What is taken out of recordings: a list of its own. */
export const REDACTION = 'redaction';

export function settingOf(name: string): Setting | undefined {
  return SETTINGS.find((each) => each.name === name);
}

/** `read-policy` → `readPolicy`, as commander has it. */
export function attributeOf(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const TEXTS = { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] };

const TOLERANCE_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['if'],
  properties: {
    name: { type: 'string', description: 'what reports call it' },
    if: {
      type: 'string',
      description: 'the commands it is for: a filter about name, keys, arguments',
    },
    ignore: { const: true, description: 'the whole reply' },
    path: { ...TEXTS, description: 'parts of the reply, as differences are told: [3].name, [*]' },
    within: { type: ['number', 'string'], description: 'how far numbers may be apart: 5, 5%' },
    json: { ...TEXTS, description: 'parts of strings that are JSON: $.ts, $..id, $.items[*].at' },
  },
};

const ARGUMENT = { type: 'integer', minimum: 1 };

const REDACTION_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['if'],
  properties: {
    name: { type: 'string', description: 'what stands in the place of an argument' },
    if: { type: 'string', description: 'the commands it is for: a filter about name and keys' },
    arg: {
      anyOf: [ARGUMENT, { type: 'array', items: ARGUMENT }],
      description: 'arguments, the name being 0; without json they and the reply go whole',
    },
    json: {
      ...TEXTS,
      description: 'only parts of what is JSON, in arguments and replies: $.email',
    },
  },
};

/** The file's JSON Schema, for editors. */
export function settingsSchema(): object {
  const one = ({ kind, choices, help }: Setting): object => ({
    type: kind === 'flag' ? 'boolean' : kind === 'number' ? 'number' : ['string', 'number'],
    ...(choices.length === 0 ? {} : { enum: choices }),
    description: help,
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'rmtop settings',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...Object.fromEntries(
        SETTINGS.map((each) => [
          each.name,
          each.many ? { anyOf: [one(each), { type: 'array', items: one(each) }] } : one(each),
        ]),
      ),
      [FILTERS]: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'filter expressions by name: @NAME',
      },
      [TOLERANCES]: {
        type: 'array',
        description: 'what replies may differ in: settings as for --tolerate, and rules',
        items: { anyOf: [{ type: 'string' }, TOLERANCE_SCHEMA] },
      },
      [REDACTION]: {
        type: 'array',
        description: 'what is taken out of recordings, besides what --redact says',
        items: REDACTION_SCHEMA,
      },
      [KEYS]: {
        type: 'object',
        additionalProperties: false,
        description: 'the keys of the screen, by what they do; a list where there are several',
        properties: Object.fromEntries(
          KEY_ROWS.map(({ action, help }) => [
            action,
            {
              anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
              description: help,
            },
          ]),
        ),
      },
    },
  };
}
