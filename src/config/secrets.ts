/** Envoy's DataSource → its text. Values are never put into a finding. */
import { get, type Node, placeOf, str } from './node.js';
import type { World } from './shape.js';

/** The text of the DataSource at `node`; null where it is absent, empty or cannot be known. `what` names it in findings. */
export function readDataSource(node: Node | undefined, what: string, world: World): string | null {
  if (node === undefined) return null;
  const text = sourceText(node, what, world);
  if (text === null || text === '') return null;
  if (text === '[redacted]') {
    world.findings.say(
      'ENVOY-REDACTED',
      node.at,
      `${what} is redacted: an Envoy dump does not tell it`,
      {
        consequence: 'it is left out here',
        advice: what.includes('downstream')
          ? 'give it with --downstream-auth-file FILE'
          : 'give it with --auth-file FILE',
      },
    );
    return null;
  }
  if (text !== text.trim()) {
    world.findings.say(
      'ENVOY-WHITESPACE',
      node.at,
      `${what} ${/\s$/.test(text) ? 'ends' : 'begins'} in white space (${/\n$/.test(text) ? 'a newline' : 'a blank'})`,
      {
        consequence: 'Envoy does not trim: it is part of the password',
        advice: "write it without: printf '%s' PASSWORD, not echo",
      },
    );
  }
  return text;
}

function sourceText(node: Node, what: string, world: World): string | null {
  const inline = str(node, 'inline_string');
  if (inline !== null) return inline;
  const bytes = str(node, 'inline_bytes');
  if (bytes !== null) {
    const text = decodeBase64(bytes);
    if (text === null)
      world.findings.say(
        'READ-BASE64',
        placeOf(node, 'inline_bytes'),
        `${what}.inline_bytes is not base64`,
        { consequence: 'Envoy refuses it' },
      );
    return text;
  }
  const file = str(node, 'filename');
  if (file !== null) {
    const text = world.readFile(file);
    if (text === null)
      world.findings.say(
        'ENVOY-DATASOURCE',
        placeOf(node, 'filename'),
        `${what}: ${file} cannot be read here`,
        {
          consequence: 'it is left out here',
          advice: 'copy the file from the pod, or give the password by a flag',
        },
      );
    return text;
  }
  const variable = str(node, 'environment_variable');
  if (variable !== null) {
    const text = world.env[variable];
    if (text === undefined)
      world.findings.say(
        'ENVOY-DATASOURCE',
        placeOf(node, 'environment_variable'),
        `${what}: $${variable} is not set here`,
        { consequence: 'it is left out here', advice: `${variable}=… rmtop …` },
      );
    return text ?? null;
  }
  if (get(node) !== undefined)
    world.findings.say(
      'ENVOY-REQUIRED',
      node.at,
      `${what} has none of inline_string, inline_bytes, filename, environment_variable`,
      { consequence: 'Envoy refuses it' },
    );
  return null;
}

/** Base64 as UTF-8 text; null where it is no base64 (line breaks are allowed, as kubectl allows them). */
export function decodeBase64(text: string): string | null {
  const compact = text.replace(/[\r\n]/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 !== 0) return null;
  return Buffer.from(compact, 'base64').toString('utf8');
}
