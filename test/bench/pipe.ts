/** The yardstick of the bench: a bare Node pipe, `node pipe.js PORT_TO_LISTEN PORT_BEHIND`. Prints a line when it listens. */
import { connect, createServer } from 'node:net';

const [listen, behind] = process.argv.slice(2).map(Number);
createServer({ noDelay: true }, (client) => {
  const server = connect({ port: behind ?? 0, host: '127.0.0.1', noDelay: true });
  client.pipe(server);
  server.pipe(client);
  client.on('error', () => server.destroy());
  server.on('error', () => client.destroy());
}).listen(listen, '127.0.0.1', () => console.log('listening'));
