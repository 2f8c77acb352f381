import { afterEach, beforeEach, expect, it } from "vitest";
import type { NetworkEvent } from "@futago/hal/contract/network.ts";
import type { Ifindex, IpAddress, Mac } from "@futago/hal/units/address.ts";
import { HopWatch } from "./hop-watch.ts";

let tell: (event: NetworkEvent) => void;
let changes: number;
let watch: HopWatch;

beforeEach(() => {
  changes = 0;
  watch = new HopWatch(
    {
      subscribe: (listener) => {
        tell = listener;
        return { close: () => undefined };
      },
    },
    () => changes++,
  );
});

afterEach(() => watch.close());

function neighbour(mac: string | undefined, kind: "neighbour" | "neighbourGone" = "neighbour"): NetworkEvent {
  const address = "10.2.0.11" as IpAddress;
  return { kind, entry: { ifindex: 2 as Ifindex, address, mac: mac as Mac | undefined, state: 2, managed: true } };
}

/** Bursts are over. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 60));

it("says at once that a route, a link or a neighbour went", async () => {
  tell({ kind: "linkGone", ifindex: 2 as Ifindex, ifname: "eth0" as never });
  expect(changes).toBe(1);
  await settled();
  tell(neighbour("02:00:00:00:00:01", "neighbourGone"));
  expect(changes).toBe(2);
});

it("says so once more at the end of a burst, and not for each", async () => {
  for (let i = 0; i < 100; i++) tell({ kind: "overrun" });
  expect(changes).toBe(1);
  await settled();
  expect(changes).toBe(2);
});

it("is silent when a neighbour answers as before, and speaks when it has another address", async () => {
  tell(neighbour("02:00:00:00:00:01"));
  await settled();
  const before = changes;
  tell(neighbour("02:00:00:00:00:01"));
  tell(neighbour("02:00:00:00:00:01"));
  await settled();
  expect(changes).toBe(before);
  tell(neighbour("02:00:00:00:00:02"));
  expect(changes).toBe(before + 1);
});
