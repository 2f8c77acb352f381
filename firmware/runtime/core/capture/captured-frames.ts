/** Captured packets as frames with words: what came in, what went out, and what became of it. Pure. */
import type { Link } from "@futago/hal/contract/network.ts";
import { macFromBytes } from "@futago/hal/units/address.ts";
import { equalBytes } from "@futago/hal/units/bytes.ts";
import type { Captured, CapturedFrame as Frame } from "@futago/hal/xdp/capture.ts";
import { COUNTER_WORDS } from "../../../balancer/counter-words.ts";
import type { CapturedFrame } from "../../control.ts";

export interface FrameContext {
  readonly links: readonly Link[];
  /** Nanoseconds since 1970 at the time zero of CLOCK_BOOTTIME. */
  readonly bootedAtNanos: bigint;
}

/** A packet as it came in and, where the balancer sent it on or changed it, as it went out. */
export function framesOf(captured: Captured, context: FrameContext): readonly CapturedFrame[] {
  const { before, after, verdict } = captured;
  const atNanos = (captured.atNanos + context.bootedAtNanos).toString();
  const device = context.links.find((link) => link.ifindex === captured.ifindex)?.ifname ?? null;
  const came: CapturedFrame = {
    atNanos,
    device,
    direction: "in",
    stage: "came",
    ...content(before),
    comment: fate(captured, context),
  };
  const went: CapturedFrame = { ...came, stage: "went", ...content(after), comment: "as the balancer sent it" };
  if (verdict === "tx" || verdict === "redirect") {
    return [came, { ...went, device: outDevice(captured, context), direction: "out" }];
  }
  const isChanged = before.length !== after.length || !equalBytes(before.bytes, after.bytes);
  if (verdict !== "pass" || !isChanged) return [came];
  return [came, { ...went, comment: "as the balancer left it to the kernel" }];
}

function content({ length, bytes }: Frame): Pick<CapturedFrame, "length" | "bytes"> {
  return { length, bytes: Buffer.from(bytes).toString("base64") };
}

/** "dropped: the packet came from a client that the service's lists deny (dropDenied)". */
function fate(captured: Captured, context: FrameContext): string {
  const because = captured.reasons.map((reason) => `the packet ${COUNTER_WORDS[reason] ?? "was counted"} (${reason})`);
  return [verdictWords(captured, context), ...because].join("; ");
}

function verdictWords(captured: Captured, context: FrameContext): string {
  switch (captured.verdict) {
    case "aborted":
      return "dropped by a fault of the balancer";
    case "drop":
      return "dropped";
    case "pass":
      return "left to the kernel";
    case "tx":
    case "redirect":
      return `sent on by ${outDevice(captured, context) ?? "a port of the box"}`;
  }
}

/** The balancer writes the Ethernet address of the port that a frame leaves by. */
function outDevice({ verdict, ifindex, after }: Captured, { links }: FrameContext): string | null {
  if (verdict === "tx") return links.find((link) => link.ifindex === ifindex)?.ifname ?? null;
  const mac = macFromBytes(after.bytes.subarray(6, 12));
  const owners = links.filter((link) => link.mac === mac);
  return (owners.find((link) => link.kind !== "macvlan") ?? owners[0])?.ifname ?? null;
}
