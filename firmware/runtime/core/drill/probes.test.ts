import type { IcmpReply } from "@futago/hal/contract/network.ts";
import type { Ifindex, IpAddress, Mac } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import { expect, it, vi } from "vitest";
import { DrillProbes } from "./probes.ts";
import type { Target } from "./targets.ts";

const VIP = "10.1.0.1" as IpAddress;
const ID = 7;
const target: Target = {
  group: "edge",
  address: VIP,
  ifindex: 2 as Ifindex,
  mac: "02:00:00:00:00:0a" as Mac,
  source: "10.1.0.2" as IpAddress,
  gives: true,
};

/** A machine of one VIP that has left this box; time stands still but when told. */
function machine() {
  let now = 1_000_000;
  let hear: (reply: IcmpReply) => void = () => undefined;
  const sent: number[] = [];
  const hal = {
    clock: { now: () => instant(now) },
    frames: { open: () => ({ send: () => undefined, close: () => undefined }) },
    icmp: {
      open: (_family: unknown, onReply: typeof hear) => {
        hear = onReply;
        return {
          sendEcho: (_to: unknown, _id: unknown, sequence: number) => sent.push(sequence),
          close: () => undefined,
        };
      },
    },
    network: { addresses: () => Promise.resolve([]) },
  };
  return {
    hal: hal as unknown as ConstructorParameters<typeof DrillProbes>[0],
    sent,
    passes: (millis: number) => (now += millis * 1_000),
    reply: (sequence: number, at: number) => hear({ id: ID, from: VIP, sequence, at: instant(at) }),
    now: () => now,
  };
}

it("counts answers that lay unread in the socket when the drill ended, by when they came", async () => {
  const { hal, sent, passes, reply, now } = machine();
  const probes = new DrillProbes(hal, [target], ID);
  probes.onEvent({ event: "yielded", group: "edge", evidence: { atMicros: now() } } as never);
  await vi.waitFor(() => expect(sent.length).toBeGreaterThan(2));
  // The process had no processor for half a second, and what ends the drill is read before the answers.
  passes(500);
  const ended = probes.figures("planned");
  const last = sent.length;
  for (const sequence of sent.slice(0, -1)) reply(sequence, now() - 499_000);
  const [figure] = await ended;
  expect(sent.length).toBe(last);
  expect(figure).toMatchObject({ sent: last, lost: 1 });
  probes.close();
});
