import { expect, test } from "vitest";
import type { ReceivedFrame } from "../contract/network.ts";
import type { Ifindex } from "../units/address.ts";
import { instant } from "../units/time.ts";
import { ARP, bytes, describeFrames } from "./frames.suite.ts";
import { FakeFrames, FakeSegment } from "./frames.ts";

const LINK = 2 as Ifindex;

function twoBoxes() {
  const segment = new FakeSegment();
  const [box, peer] = [new FakeFrames(() => instant(7)), new FakeFrames(() => instant(8))];
  box.plug(LINK, segment);
  peer.plug(LINK, segment);
  return { box, peer, segment };
}

describeFrames("in memory", async () => {
  const { box, peer } = twoBoxes();
  return {
    box,
    boxLink: LINK,
    peer,
    peerLink: LINK,
    removeBoxLink: async () => box.remove(LINK),
    destroy: async () => {},
  };
});

test("a pulled cable carries nothing until it is plugged in again", async () => {
  const { box, peer, segment } = twoBoxes();
  const heard: ReceivedFrame[] = [];
  box.open({ ifindex: LINK, receive: "arp", onFrame: (frame) => heard.push(frame) });
  const sender = peer.open({ ifindex: LINK, receive: "none" });
  box.pull(LINK);
  sender.send(bytes(ARP));
  await Promise.resolve();
  expect(heard).toEqual([]);
  box.plug(LINK, segment);
  sender.send(bytes(ARP));
  await Promise.resolve();
  expect(heard).toMatchObject([{ at: 7, outgoing: false }]);
});
