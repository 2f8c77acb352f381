/** Asks on ports whether somebody uses an address that this box is about to have. */
import { setTimeout as pause } from "node:timers/promises";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { FrameSocket, Link, ReceivedFrame } from "@futago/hal/contract/network.ts";
import type { Ifname, IpAddress, Mac } from "@futago/hal/units/address.ts";
import { answerIn, probeFrames } from "../../../announce/probe.ts";
import type { Orders } from "../../../config/orders.ts";
import type { Answer, Look } from "../../../pair/spare/types.ts";

/** A port that was shut finds its cable and its speed. */
const CARRIER_MILLIS_MAX = 5_000;
const CARRIER_LOOK_MILLIS = 50;
/** PROBE_NUM of RFC 5227 §1.1 is three; the last one, too, has time to be answered. */
const PAUSES_MILLIS = [300, 300, 400] as const;

type Machine = Pick<Hal, "frames" | "network">;
/** By the port that they would be on. */
export type Asked = ReadonlyMap<Ifname, readonly IpAddress[]>;
type Port = Link & { readonly mac: Mac };

interface Ear {
  readonly port: Port;
  readonly addresses: readonly IpAddress[];
  readonly sockets: readonly FrameSocket[];
}

/** The ports must be up. Answers after a second, and what the ports take to find their cables. */
export async function askAround(machine: Machine, asked: Asked): Promise<Look> {
  const answers = new Map<string, Answer>();
  const onAnswer = (answer: Answer) => void answers.set(`${answer.address} ${answer.mac}`, answer);
  const ports = await whenPlugged(machine, [...asked.keys()]);
  const ears = ports.flatMap((port) => listen(machine, port, asked.get(port.ifname) ?? [], onAnswer) ?? []);
  for (const millis of PAUSES_MILLIS) {
    for (const ear of ears) ask(ear);
    await pause(millis);
  }
  for (const socket of ears.flatMap(({ sockets }) => sockets)) socket.close();
  return {
    answers: [...answers.values()],
    unplugged: [...asked.keys()].filter((device) => !ears.some(({ port }) => port.ifname === device)),
    asked: ears.reduce((sum, { addresses }) => sum + addresses.length, 0),
  };
}

/** On every port of virtual routers the VIPs, and what the other box has there for itself. */
export function addressesByPort({ groups, interfaces }: Orders): Asked {
  const routers = groups.flatMap((group) => group.virtualRouters);
  return new Map(
    routers.map(({ device }) => {
      const virtual = routers.filter((router) => router.device === device).flatMap(({ addresses }) => addresses);
      const peers = interfaces.filter((entry) => entry.device === device).flatMap((entry) => entry.peerAddresses);
      return [device, [...new Set([...virtual, ...peers].map(({ address }) => address))]];
    }),
  );
}

/** Those with a cable: as soon as all have one, else when the time is over. */
async function whenPlugged({ network }: Machine, devices: readonly Ifname[]): Promise<readonly Port[]> {
  const deadline = performance.now() + CARRIER_MILLIS_MAX;
  for (;;) {
    const links = await network.links();
    const plugged = links.filter(
      (link): link is Port => devices.includes(link.ifname) && link.up && link.carrier && link.mac !== undefined,
    );
    if (plugged.length === devices.length || performance.now() > deadline) return plugged;
    await pause(CARRIER_LOOK_MILLIS);
  }
}

/** Undefined when the port went away. */
function listen(
  { frames }: Machine,
  port: Port,
  addresses: readonly IpAddress[],
  onAnswer: (answer: Answer) => void,
): Ear | undefined {
  const { ifindex, ifname: device, mac } = port;
  const asked = new Set(addresses);
  const onFrame = ({ bytes, outgoing }: ReceivedFrame) => {
    const claim = outgoing ? undefined : answerIn(bytes, asked, mac);
    if (claim !== undefined) onAnswer({ ...claim, device });
  };
  const sockets: FrameSocket[] = [];
  try {
    for (const receive of ["arp", "nd"] as const) sockets.push(frames.open({ ifindex, receive, onFrame }));
    return { port, addresses, sockets };
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    for (const socket of sockets) socket.close();
    return undefined;
  }
}

function ask({ port, addresses, sockets: [socket] }: Ear): void {
  try {
    for (const frame of probeFrames(addresses, port.mac)) socket?.send(frame);
  } catch (error) {
    // The port went down, or its queue is full: it is asked three times, and one answer is enough.
    if (!(error instanceof HalError)) throw error;
  }
}
