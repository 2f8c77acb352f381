/** Chooses VRIDs that a document leaves out. */
import type { Document, GroupDocument, VirtualRouterDocument } from "./schema.ts";

/** Where the search begins: low numbers are what people and other routers on the network choose by hand. */
const vridFirst = 100;
const vridMax = 255;

/**
 * The document with every VRID written down: the lowest from 100 on (then from 1) that is free on the interface. The
 * same document always gets the same numbers. Where none is free the VRID stays away.
 */
export function fillVrids(document: Document): Document {
  const groups = document.failoverGroups;
  if (groups === undefined || groups.every((group) => group.virtualRouters.every((vr) => vr.vrid !== undefined))) {
    return document;
  }
  const taken = new Map<string, Set<number>>();
  for (const vr of groups.flatMap((group) => group.virtualRouters)) takenOn(taken, vr.interface).add(vr.vrid ?? 0);
  const failoverGroups = groups.map(
    (group): GroupDocument => ({ ...group, virtualRouters: group.virtualRouters.map((vr) => fill(taken, vr)) }),
  );
  return { ...document, failoverGroups };
}

function fill(taken: Map<string, Set<number>>, vr: VirtualRouterDocument): VirtualRouterDocument {
  if (vr.vrid !== undefined) return vr;
  const here = takenOn(taken, vr.interface);
  for (let i = 0; i < vridMax; i++) {
    const vrid = ((vridFirst - 1 + i) % vridMax) + 1;
    if (here.has(vrid)) continue;
    here.add(vrid);
    return { ...vr, vrid };
  }
  return vr;
}

function takenOn(taken: Map<string, Set<number>>, link: string): Set<number> {
  const here = taken.get(link) ?? new Set();
  taken.set(link, here);
  return here;
}
