import { describeNftables } from "@futago/hal/fake/nftables.suite.ts";
import { openNftables } from "@futago/hal/nftables/nftables.ts";
import { createNetwork } from "./namespaces.ts";

/** Has the kernel track what programs of the box send, and give it the mark that the port says. */
const MARKER = `table inet marker {
  chain out {
    type filter hook output priority mangle; policy accept;
    ct mark set udp dport map { 7001 : 0x46000001, 7002 : 0x460000ff, 7003 : 0x47000001 }
  }
}
`;
const PORTS: Readonly<Record<number, number>> = { 0x46000001: 7001, 0x460000ff: 7002, 0x47000001: 7003 };

describeNftables("the kernel's packet filter", async () => {
  const net = await createNetwork();
  const box = await net.namespace("box");
  await box.run(["nft", "-f", "-"], { input: MARKER });
  const nftables = box.inside(() => openNftables());
  return {
    inside: (call) => box.inside(() => call(nftables)),
    track: async (mark, isAnswered) => {
      // Of the loopback network: nobody hears what is sent to the second address.
      const address = isAnswered ? "127.0.0.1" : "127.0.0.2";
      const program = `
        const { createSocket } = require("node:dgram");
        const [from, to] = [createSocket("udp4"), createSocket("udp4")];
        to.on("message", (_, { port, address }) => to.send("answer", port, address, () => process.exit(0)));
        to.bind(${PORTS[mark]}, "127.0.0.1", () => from.send("question", ${PORTS[mark]}, "${address}", (error) => {
          if (error !== null) throw error;
          if (${!isAnswered}) process.exit(0);
        }));`;
      await box.run([process.execPath, "-e", program]);
    },
    destroy: () => net.destroy(),
  };
});
