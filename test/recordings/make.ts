/** Makes `recordings/` anew: each scene in front of real servers of its own. Run by `npm run recordings`, or with names of scenes. */
import path from 'node:path';
import { startCluster } from '../../bin/demo/servers.js';
import { readEvents } from '../../src/events/subscribe.js';
import { singleUpstreamConfig } from '../../src/mesh/config.js';
import { createProxy } from '../../src/proxy/proxy.js';
import { RecordWriter } from '../../src/recording/writer.js';
import { TestClient } from '../helpers/client.js';
import { servers } from '../helpers/cluster.js';
import { HEADER, RECORDINGS, writing } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';
import { type Playing, SCENES, type Scene, type Stage } from './scenes.js';

/** Where they are, from a compiled file. */

async function record(scene: Scene, file: string): Promise<void> {
  const all = servers();
  try {
    const { nodes } = await startCluster(all, 3);
    const aside = await all.start();
    const stage: Stage = {
      ports: nodes.map((node) => node.port),
      aside: aside.port,
      kill: async (port) => nodes.find((node) => node.port === port)?.kill(),
    };
    await scene.setUp?.(stage);
    await play(scene, stage, file);
  } finally {
    await all.stop();
  }
}

async function play(scene: Scene, stage: Stage, file: string): Promise<void> {
  const base = singleUpstreamConfig([`127.0.0.1:${stage.ports[1] ?? 0}`]);
  const proxy = await createProxy({
    config: scene.mesh(base, stage),
    listen: { host: '127.0.0.1', port: 0 },
    dialling: { map: { exact: new Map(), hosts: new Map(), ports: new Map() }, access: {} },
    credentials: null,
    keep: HEADER.cut,
    hashes: true,
    seed: 7,
  });
  const writer = new RecordWriter(writing(file, { header: { ...HEADER, id: idOf(scene.name) } }));
  const stop = proxy.subscribe(writer);
  let topologies = 0;
  readEvents(proxy, (event) => {
    if (event.type === 'topology') topologies++;
  });
  const clients: TestClient[] = [];
  const playing: Playing = {
    stage,
    async connect() {
      const client = await TestClient.connect(proxy.address.port);
      clients.push(client);
      return client;
    },
    async learns(change) {
      const before = topologies;
      await change();
      await until(() => topologies > before, 'another topology');
    },
  };
  await scene.act(playing);
  for (const client of clients) client.close();
  await until(async () => (await proxy.totals()).clients === 0);
  await proxy.close();
  stop();
  await writer.end('quit');
}

/** A recording that is made again keeps its id. */
function idOf(name: string): string {
  return name.replace(/\W/g, '').toUpperCase().slice(0, 10);
}

const wanted = process.argv.slice(2);
for (const scene of SCENES.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  await record(scene, path.join(RECORDINGS, `${scene.name}.rmtop`));
  process.stdout.write(`${scene.name}\n`);
}
