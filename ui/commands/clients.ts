/** Clients' connections by name. */
import { closeClient } from '../actions/clients.js';
import type { Command } from '../commands.js';
import { UNCHANGEABLE } from '../transport.js';

export const clientCommands: readonly Command[] = [
  {
    name: 'close',
    usage: 'cN',
    help: "end a client's connection",
    alone: false,
    options: (model) =>
      model.feed.sessions
        .list()
        .filter(({ closedUs }) => closedUs === null)
        .map(({ connection }) => `c${connection}`),
    run: (model, rest) => {
      if (model.playback !== null) return UNCHANGEABLE;
      const connection = Number(/^c?(\d+)$/.exec(rest)?.[1]);
      if (model.feed.sessions.get(connection)?.closedUs !== null)
        return `no client is called ${rest}: pane ${model.keyOf('show-conns')} lists them`;
      closeClient(model, connection);
      return null;
    },
  },
];
