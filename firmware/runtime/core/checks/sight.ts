/**
 * Whether a silence may be this box's own: a port without carrier, or one by which nothing answers any more (the switch
 * behind it, or the cable behind that). What is silent then is not served, as anything that is silent, but it is not
 * known to be dead, and a connection that was reset does not come back. Pure but for its memory.
 */
import type { Link } from "@futago/hal/contract/network.ts";
import type { Ifname, IpAddress } from "@futago/hal/units/address.ts";
import { after, type Instant, millis } from "@futago/hal/units/time.ts";
import type { CheckState } from "../../../health/check.ts";
import type { Subject } from "./subjects.ts";

/** What is looked at by a port. */
export type Target = IpAddress | "several";

interface Port {
  /** No carrier, or nobody has answered since somebody was found silent. */
  dark: boolean;
  carrier: boolean;
  /** When it was last found to be as it should; an attempt from before that may have met the darkness. */
  lightAt: Instant | undefined;
  /** When its carrier came back. */
  pluggedAt: Instant | undefined;
  heardAt: Instant | undefined;
}

export class Sight {
  readonly #ports = new Map<Ifname, Port>();
  #targets: ReadonlyMap<Ifname, Target> = new Map();

  setTargets(targets: ReadonlyMap<Ifname, Target>): void {
    this.#targets = targets;
  }

  setLinks(links: readonly Link[], now: Instant): void {
    const carriers = new Map(links.map(({ ifname, carrier }) => [ifname, carrier]));
    for (const device of new Set([...carriers.keys(), ...this.#ports.keys()])) {
      const port = this.#port(device);
      const carrier = carriers.get(device) === true;
      if (carrier && !port.carrier) port.lightAt = port.pluggedAt = now;
      port.carrier = carrier;
    }
  }

  /** Something came back by the port. */
  heard(device: Ifname | undefined, now: Instant): void {
    if (device === undefined) return;
    const port = this.#port(device);
    if (port.dark) port.lightAt = now;
    port.dark = false;
    port.heardAt = now;
  }

  /** Nothing came back from the attempt under way: whether that says nothing of the other side. */
  isBlind({ device, probe: { intervalMs, fall } }: Subject, state: CheckState, now: Instant): boolean {
    const { probe, failingSince, hintedAt } = state;
    if (device === undefined || probe === undefined) return false;
    const { startedAt } = probe;
    const port = this.#port(device);
    if (!port.carrier || isAfter(port.lightAt, startedAt)) return true;
    // Clients just got a refusal by this port.
    if (hintedAt !== undefined) return false;
    // Whoever fell silent in the dark is given as long in the light as anybody else before it counts as dead. One that
    // still counts as healthy may only have looked at a moment at which nobody else did: for it the carrier decides.
    const light = state.verdict === "unhealthy" && state.blind ? port.lightAt : port.pluggedAt;
    const isDue = light !== undefined && now >= after(light, millis(intervalMs * fall));
    if (!isDue && isAfter(light, failingSince ?? startedAt)) return true;
    // With nobody else to compare with, whoever is silent counts as dead.
    if (this.#targets.get(device) !== "several") return false;
    // Others look at other times, once in an interval; what was heard before this one fell silent says nothing.
    const since = Math.max(failingSince ?? startedAt, after(startedAt, millis(-intervalMs))) as Instant;
    port.dark = !isAfter(port.heardAt, since);
    return port.dark;
  }

  #port(device: Ifname): Port {
    let port = this.#ports.get(device);
    if (port === undefined) {
      port = { dark: false, carrier: true, lightAt: undefined, pluggedAt: undefined, heardAt: undefined };
      this.#ports.set(device, port);
    }
    return port;
  }
}

/** Adds what is looked at to the targets of its port. */
export function addTarget(targets: Map<Ifname, Target>, { device, address }: Subject): void {
  if (device === undefined) return;
  const known = targets.get(device) ?? address;
  targets.set(device, known === address ? address : "several");
}

function isAfter(moment: Instant | undefined, other: Instant): boolean {
  return moment !== undefined && moment > other;
}
