/**
 * What Futago needs of the packages that were named for its machine layer, one program each. A program runs as an
 * ES module in a network namespace and a /sys of its own, beside the installed package; it says "works" when the need
 * is met. Anything else it says, and any way it dies, is how the package fails.
 */

export interface Case {
  readonly package: "netlink" | "node-netlink" | "sysfs-gpio";
  readonly need: string;
  readonly program: string;
}

/** 4,000 address events while the event loop stands still: more than a receive buffer of the usual size holds. */
const FLOOD = `
  import { execFileSync } from "node:child_process";
  const flood = (pairs = 2000) => {
    const one = "address add 127.9.9.9/32 dev lo\\naddress del 127.9.9.9/32 dev lo\\n";
    execFileSync("ip", ["-batch", "-"], { input: one.repeat(pairs) });
  };`;

const NETLINK = `
  import netlink from "netlink";
  const socket = netlink.createRtNetlink({ ref: true });`;

/** The struct nlmsghdr fields that node-netlink asks for, and RTM_NEWADDR for a link that does not exist. */
const NODE_NETLINK = `
  import netlink from "node-netlink";
  const RTM_NEWADDR = 20n, RTMGRP_IPV4_IFADDR = 0x10;`;

const SYSFS_GPIO = `
  import { createRequire } from "node:module";
  const require = createRequire(import.meta.url);`;

export const cases: readonly Case[] = [
  {
    package: "netlink",
    need: "an overrun of the receive buffer is an event, and the process lives",
    program: `${FLOOD} ${NETLINK}
      let overrun = false;
      for (const part of [socket, socket.socket, socket.socket.socket]) part.on("error", () => { overrun = true; });
      socket.addMembership("IPV4_IFADDR");
      flood();
      setTimeout(() => { console.log(overrun ? "works" : "lost events without a word"); process.exit(0); }, 500);`,
  },
  {
    package: "netlink",
    // Only bytes that the caller encoded pass: of this part of a message there is no codec.
    need: "a link is made by its kind (linkinfo), as a macvlan or a VLAN must be",
    program: `${NETLINK}
      await socket.newLink({}, { ifname: "veth9", linkinfo: { kind: "veth" } }, { flags: 0x600 });
      const links = await socket.getLinks();
      console.log(links.some((link) => link.attrs.ifname === "veth9") ? "works" : "no such link afterwards");
      process.exit(0);`,
  },
  {
    package: "netlink",
    need: "a refusal carries the errno and the kernel's own words (extack)",
    program: `${NETLINK}
      try {
        await socket.newAddress({ family: 2, prefixlen: 99, index: 1 }, { local: Buffer.from([127, 8, 8, 8]) }, { flags: 0x600 });
        console.log("was not refused");
      } catch (error) {
        const told = error.code === "EINVAL" || error.errno === 22 || error.errno === -22;
        console.log(told && /prefix length/i.test(error.message) ? "works" : "says only: " + error.message);
      }
      process.exit(0);`,
  },
  {
    package: "node-netlink",
    need: "links, addresses and routes can be listed (rtnetlink)",
    program: `${NODE_NETLINK}
      const socket = await netlink.open({ family: 0 });
      const names = [...Object.keys(netlink), ...Object.keys(socket)];
      const rtnetlink = names.filter((name) => /link|addr|route/i.test(name));
      console.log(rtnetlink.length > 0 ? "works" : "offers only: " + names.join(" "));
      process.exit(0);`,
  },
  {
    package: "node-netlink",
    need: "an overrun of the receive buffer is an event",
    program: `${FLOOD} ${NODE_NETLINK}
      console.warn = () => {};
      const socket = await netlink.open({ family: 0, groups: RTMGRP_IPV4_IFADDR });
      let overrun = false;
      let events = 0;
      socket.on("error", () => { overrun = true; });
      socket.on("message", () => { events++; });
      flood(10);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const few = events;
      flood();
      setTimeout(() => {
        console.log(overrun ? "works" : few + " of 20 events came, then " + (events - few) + " of 4000, and not a word about the others");
        process.exit(0);
      }, 2000);`,
  },
  {
    package: "node-netlink",
    need: "a refusal carries the kernel's own words (extack)",
    program: `${NODE_NETLINK}
      const socket = await netlink.open({ family: 0 });
      const header = { nlmsg_type: RTM_NEWADDR, nlmsg_flags: netlink.NLM_F_REQUEST | netlink.NLM_F_ACK | netlink.NLM_F_CREATE };
      // ifaddrmsg: IPv4, prefix length 99, link 1; IFA_LOCAL 127.8.8.8.
      const payload = Buffer.from([2, 99, 0, 0, 1, 0, 0, 0, 8, 0, 2, 0, 127, 8, 8, 8]);
      try {
        await socket.talk({ header, payload });
        console.log("was not refused");
      } catch (error) {
        console.log(/prefix length/i.test(error.message) ? "works" : "says only: " + error.message);
      }
      process.exit(0);`,
  },
  {
    package: "sysfs-gpio",
    need: "loading it leaves signals to the program: SIGINT may be handled in our own time",
    program: `${SYSFS_GPIO}
      require("sysfs-gpio");
      process.on("exit", () => { if (!handedOver) console.log("the process was ended before it could hand over"); });
      let handedOver = false;
      process.on("SIGINT", () => setTimeout(() => { handedOver = true; console.log("works"); process.exit(0); }, 100));
      process.kill(process.pid, "SIGINT");
      setTimeout(() => {}, 1000);`,
  },
  {
    package: "sysfs-gpio",
    need: "a change of a sysfs value is noticed",
    program: `${SYSFS_GPIO}
      import { execFileSync } from "node:child_process";
      import { readFileSync } from "node:fs";
      const Sysfs = require("sysfs-gpio/lib/sysfs");
      // A port's carrier stands for a line's level: an attribute of the real sysfs that the kernel changes.
      execFileSync("ip", ["link", "add", "pin", "up", "type", "veth", "peer", "name", "far"]);
      const pin = new Sysfs(0);
      pin.path.value = "/sys/class/net/pin/carrier";
      const level = () => readFileSync(pin.path.value, "utf8").trim();
      const before = level();
      let noticed = false;
      pin.watch(() => { noticed = true; });
      execFileSync("ip", ["link", "set", "far", "up"]);
      setTimeout(() => {
        console.log(noticed ? "works" : "the value went from " + before + " to " + level() + " unnoticed");
        process.exit(0);
      }, 500);`,
  },
  {
    package: "sysfs-gpio",
    need: "it reads a watched value without calls that Node removes",
    program: `${SYSFS_GPIO}
      process.throwDeprecation = true;
      const Sysfs = require("sysfs-gpio/lib/sysfs");
      const pin = new Sysfs(0);
      pin.path.value = "/proc/self/oom_score_adj";
      pin.watch(() => {});
      process.on("uncaughtException", (error) => { console.log(error.message); process.exit(0); });
      pin.value;
      setTimeout(() => { console.log("works"); process.exit(0); }, 200);`,
  },
];
