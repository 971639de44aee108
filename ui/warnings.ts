/** What is to be known about the mesh and its servers while it is so: from its files, and from what was found out since. */
import { coveredSlots, type Found, SLOTS, trapsOf } from 'rmtop';
import type { Model, Warning } from './model.js';

/** Everything in force, the gravest first; what the servers show comes before what the files say. */
export function warningsOf(model: Model): readonly Warning[] {
  const { feed, subject } = model;
  const config = feed.context.latest.config?.config ?? subject.config;
  const found: Record<string, Found> = {};
  for (const [name, state] of Object.entries(feed.topologyEvent?.upstreams ?? {})) {
    const placement = feed.context.latest.topology?.upstreams[name];
    found[name] = {
      kind: state.kind,
      servers: state.servers,
      uncovered: placement === undefined ? 0 : SLOTS - coveredSlots(placement),
      moved: feed.tallies.moved.get(name) ?? 0,
    };
  }
  return [...trapsOf(config, found), ...subject.warnings];
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
