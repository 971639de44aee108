/** The wrappers around typed configuration: Any, Struct, TypedStruct (config page, 1.3.2). */
import { get, getAny, type MapNode, type Node, str } from './node.js';

/** A message and its type's name without the `type.googleapis.com/`; '' where nothing says it. */
export type Typed = { readonly type: string; readonly body: Node };

const DEEPEST = 10;

/** Peels wrapper after wrapper off a `typed_config`. */
export function peel(node: Node): Typed {
  let body = node;
  let type = '';
  for (let depth = 0; depth < DEEPEST; depth++) {
    const own = shortType(str(body, '@type'));
    if (own === 'google.protobuf.Struct' || own === 'google.protobuf.Any') {
      const value = get(body, 'value');
      if (value === undefined)
        return { type, body: { kind: 'map', entries: new Map(), at: body.at } };
      body = value;
      continue;
    }
    if (own !== 'udpa.type.v1.TypedStruct' && own !== 'xds.type.v3.TypedStruct')
      return { type: own === '' ? type : own, body };
    type = shortType(str(getAny(body, 'type_url', 'typeUrl')));
    body =
      get(body, 'value') ?? ({ kind: 'map', entries: new Map(), at: body.at } satisfies MapNode);
  }
  return { type, body };
}

function shortType(url: string | null): string {
  return url === null ? '' : url.slice(url.lastIndexOf('/') + 1);
}

/** An Envoy field by its snake_case name, whichever way it is spelled. */
export function field(node: Node | undefined, ...path: readonly string[]): Node | undefined {
  let current = node;
  for (const name of path) {
    const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    current = getAny(current, name, camel);
  }
  return current;
}
