import { refused } from "../addon/refused.ts";
import { HalError } from "../contract/error.ts";
import type { Sysctl } from "../contract/machine.ts";
import { readAttribute, writeAttribute } from "./attribute.ts";

/** Switches of the kernel under `root`. Those of net.* belong to the network namespace of the calling thread. */
export function openSysctl(root = "/proc/sys"): Sysctl {
  return {
    read: (name) => refused(() => readAttribute(pathOf(root, name)), `no kernel switch ${name}`),
    write: (name, value) =>
      refused(() => writeAttribute(pathOf(root, name), value), `cannot set kernel switch ${name} to ${value}`),
  };
}

/** @see sysctl(8): "." separates and "/" stands for a dot inside a part, as in net.ipv4.conf.eth0/100.arp_ignore. */
function pathOf(root: string, name: string): string {
  const parts = name.split(".").map((part) => part.replaceAll("/", "."));
  const valid = parts.every((part) => /^[\w.:@-]+$/.test(part) && !/^\.{1,2}$/.test(part));
  if (!valid) throw new HalError("EINVAL", "sysctl", `"${name}" is no name of a kernel switch`);
  return `${root}/${parts.join("/")}`;
}
