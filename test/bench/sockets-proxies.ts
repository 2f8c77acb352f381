/** Proxies for TCP in the place of a balancer, for the row `sockets`: each on a box that routes, with its own VIP. */
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { listensOn } from "../lab/processes.ts";
import { type BoxKind, kernelBox, VIP } from "./balanced-box.ts";
import { onProcessors, type Placement, processorsOf } from "./sockets-placement.ts";

const PORT = 80;
const LISTEN_MILLIS_MAX = 5_000;
const LOOK_MILLIS = 50;

export function haproxyBox(placement: Placement): BoxKind {
  const configuration = join(import.meta.dirname, "haproxy", "sockets.cfg");
  return proxyBox("HAProxy, mode tcp", placement, () => ["haproxy", "-q", "-db", "-f", configuration]);
}

export function nginxBox(placement: Placement): BoxKind {
  const configuration = join(import.meta.dirname, "nginx", "sockets.conf");
  const workers = `worker_processes ${processorsOf(placement.box)}`;
  return proxyBox("nginx, stream", placement, (directory) => {
    const given = `${workers}; pid ${join(directory, "nginx.pid")};`;
    return ["nginx", "-c", configuration, "-e", "stderr", "-g", given];
  });
}

function proxyBox(
  name: string,
  { box: processor }: Placement,
  argv: (directory: string) => readonly string[],
): BoxKind {
  const routing = kernelBox(name);
  return {
    ...routing,
    destination: VIP,
    destinationPort: PORT,
    start: async (box, files) => {
      await routing.start(box, files);
      await box.ip(`addr add ${VIP}/24 dev eth0`);
      const command = onProcessors(processor, argv(files.directory));
      const proxy = box.spawn(command, { stdio: ["ignore", "ignore", "inherit"] });
      const deadline = performance.now() + LISTEN_MILLIS_MAX;
      while (!listensOn(proxy.pid, PORT)) {
        if (proxy.exitCode !== null || performance.now() > deadline) throw new Error(`${name} does not listen`);
        await wait(LOOK_MILLIS);
      }
      return undefined;
    },
  };
}
