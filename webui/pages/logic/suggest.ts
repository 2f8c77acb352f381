/** What a field of the configuration may hold, as far as the rest of it and the boxes tell. */
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import { listAt, textAt } from "./document.ts";

export interface Suggestions {
  readonly words: readonly string[];
  /** Nothing else would be accepted. */
  readonly only: boolean;
}

export function suggestionsFor(
  place: string,
  document: unknown,
  boxes: BoxesShown | undefined,
): Suggestions | undefined {
  const names = (list: string) => listAt(document, list).map((one) => textAt(one, "name"));
  switch (place) {
    case "services.pool":
    case "services.sorryPool":
      return { words: names("pools"), only: true };
    case "services.address":
      return { words: virtualAddresses(document), only: false };
    case "routes.interface":
    case "failoverGroups.virtualRouters.interface":
      return { words: names("interfaces"), only: true };
    case "pair.heartbeat.over":
      return { words: names("interfaces"), only: false };
    case "interfaces.device":
      return { words: devices(boxes), only: false };
    case "system.timezone":
      return { words: Intl.supportedValuesOf("timeZone"), only: false };
    default:
      return undefined;
  }
}

/** A virtual router is called by its name where it has one. */
function virtualAddresses(document: unknown): readonly string[] {
  return listAt(document, "failoverGroups").flatMap((group) =>
    listAt(group, "virtualRouters").flatMap((router) => {
      const name = textAt(router, "name");
      const addresses = Array.isArray(router["addresses"]) ? router["addresses"] : [];
      return name === "" ? addresses.map((address) => String(address).replace(/\/.*$/, "")) : [name];
    }),
  );
}

function devices(boxes: BoxesShown | undefined): readonly string[] {
  return [...new Set((boxes?.boxes ?? []).flatMap((box) => box.ports.map(({ device }) => device)))];
}
