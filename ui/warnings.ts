/** What is to be known about the mesh and its servers while it is so: from its files, and from what was found out since. */
import { coveredSlots, type Found, type MeshConfig, SLOTS, trapsOf } from 'rmtop';
import type { Model, Warning } from './model.js';

const NO_STRAYS: ReadonlyMap<string, number> = new Map();

/** Everything in force, the gravest first; what the servers show comes before what the files say. */
export function warningsOf(model: Model): readonly Warning[] {
  const { feed, subject } = model;
  const config = configOf(model);
  const found: Record<string, Found> = {};
  for (const [name, state] of Object.entries(feed.topologyEvent?.upstreams ?? {})) {
    const placement = feed.context.latest.topology?.upstreams[name];
    found[name] = {
      kind: state.kind,
      servers: state.servers,
      uncovered: placement === undefined ? 0 : SLOTS - coveredSlots(placement),
      moved: feed.tallies.moved.get(name) ?? 0,
      strays: feed.tallies.strays.get(name) ?? NO_STRAYS,
    };
  }
  return [...trapsOf(config, found), ...subject.warnings];
}

/** Whether the mesh copies commands to a mirror, or has done so. */
export function hasMirror(model: Model): boolean {
  if (Object.keys(model.feed.meter.latest?.mirrors ?? {}).length > 0) return true;
  return configOf(model).routes.some(({ mirrors }) => mirrors.length > 0);
}

function configOf({ feed, subject }: Model): MeshConfig {
  return feed.context.latest.config?.config ?? subject.config;
}

/** The one to show now, and how many others there are; null: none, or all were closed. */
export function bannerOf(model: Model): (Warning & { readonly others: number }) | null {
  const open = warningsOf(model).filter((warning) => !model.closedBanners.has(idOf(warning)));
  const [first] = open;
  return first === undefined ? null : { ...first, others: open.length - 1 };
}

/** Closes the banner that is shown; it comes back when what it says is something else. */
export function closeBanner(model: Model): void {
  const banner = bannerOf(model);
  if (banner !== null) model.closedBanners.add(idOf(banner));
}

/** Figures go up while it is still the same trap. */
function idOf({ text }: Warning): string {
  return text.replace(/\d+ MOVED/, 'MOVED');
}
