/**
 * The picture before the boxes have told themselves anew: a status comes at once when a role changes, and what it says of
 * the own box, and of addresses that it answers now, is drawn without waiting.
 */
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";

type Told = Pick<BoxStatus, "box" | "role" | "groups">;

export function movedBy(shown: BoxesShown, status: Told): BoxesShown {
  const own = shown.boxes.find((box) => box.own && box.box === status.box);
  if (own === undefined || own.role === status.role) return shown;
  const taken = new Set(status.groups.filter(({ answering }) => answering).flatMap(({ addresses }) => addresses));
  const isTaken = (address: string) => taken.has(address) || taken.has(address.replace(/\/.*$/, ""));
  const others = shown.boxes.filter((box) => box !== own);
  const boxes = shown.boxes.map((box) => ({
    ...box,
    role: box === own ? status.role : box.role,
    ports: box.ports.map((port) => {
      if (box !== own) return { ...port, virtualAddresses: port.virtualAddresses.filter((one) => !isTaken(one)) };
      const there = others
        .flatMap(({ ports }) => ports)
        .filter((one) => one.interface !== null && one.interface === port.interface)
        .flatMap((one) => one.virtualAddresses)
        .filter(isTaken);
      return { ...port, virtualAddresses: [...new Set([...port.virtualAddresses, ...there])] };
    }),
  }));
  return { ...shown, boxes };
}
