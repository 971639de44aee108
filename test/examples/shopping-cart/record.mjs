// Makes fixtures/cart.rmtop from a real cluster: REDIS=127.0.0.1:7001 npm run record
import { Cluster } from 'ioredis';
import { record } from 'rmtop/test';
import { openCarts } from './cart.mjs';

const upstream = process.env.REDIS ?? '127.0.0.1:7001';
const [host, port] = upstream.split(':');

// What the shop has before anybody comes. Reads go to replicas: they must have it before it is read.
const cluster = new Cluster([{ host, port: Number(port) }], { scaleReads: 'slave' });
await cluster.del('cart:2');
await cluster.del('cart:7');
await cluster.set('price:apple', '30');
await cluster.set('price:pear', '45');
await cluster.hset('cart:7', 'apple', '2', 'pear', '1');
while ((await cluster.get('price:pear')) !== '45' || (await cluster.get('price:apple')) !== '30')
  await new Promise((resolve) => setTimeout(resolve, 10));
while ((await cluster.hlen('cart:7')) !== 2)
  await new Promise((resolve) => setTimeout(resolve, 10));
cluster.disconnect();

const session = await record('fixtures/cart.rmtop', {
  upstream,
  mesh: 'mesh.yaml',
  filter: 'key=cart:* | key=price:*', // not what the client says to greet its server
  force: true,
});
const carts = openCarts(session.url);
await carts.total(7);
await carts.add(2, 'apple', 1);
await carts.add(2, 'apple', 1);
await carts.price('plum');
carts.close();
const { file, commands } = await session.done();
console.log(`${file}: ${commands} commands`);
