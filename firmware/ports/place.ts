/**
 * Where a network device is on the machine, in words that are the same at every start, and the order of places. A place
 * says how the board is wired, not what the kernel counted: numbers of PCI buses and of virtio devices depend on what else
 * is plugged in.
 */

/** What sysfs says of a port. */
export interface PortSeat {
  /** Of the device under the port, below /sys/devices: "pci0000:00/0000:00:1c.0/0000:01:00.0". */
  readonly path: string;
  /** Which of several ports of one device it is; 0 where the driver says nothing. */
  readonly devPort: number;
  /** What the driver calls the port, such as "p1" of a switch chip; "" where it has no name for it. */
  readonly physPortName: string;
}

const PCI_FUNCTION = /^[0-9a-f]{4,}:[0-9a-f]{2}:([0-9a-f]{2}\.[0-7])$/;
/** Counted by the kernel in the order of discovery; each has one device of its own above it. */
const COUNTED = /^virtio\d+$/;

/** "pci0000:00/1c.0/00.0", with "#1" or "#p1" behind it for the ports of a device that has several. */
export function placeOf({ path, devPort, physPortName }: PortSeat): string {
  const steps = path.split("/").filter((step) => step !== "" && !COUNTED.test(step));
  const wired = steps.map((step) => PCI_FUNCTION.exec(step)?.[1] ?? step).join("/");
  if (physPortName !== "") return `${wired}#${physPortName}`;
  return devPort === 0 ? wired : `${wired}#${devPort}`;
}

/** Negative when `a` comes first. What can be pulled out with two fingers comes last. */
export function comparePlaces(a: string, b: string): number {
  return Number(isPluggable(a)) - Number(isPluggable(b)) || compareWords(wordsOf(a), wordsOf(b));
}

function isPluggable(place: string): boolean {
  return /\/usb\d+\//.test(place);
}

type Word = string | number;

/** Hexadecimal numbers of PCI stay text, which sorts right because they have a fixed width. */
function wordsOf(place: string): readonly Word[] {
  return place.split(/[/#]/).flatMap((step): readonly Word[] => {
    if (/^[0-9a-f]{2}\.[0-7]$|^pci[0-9a-f]+:[0-9a-f]+$/.test(step)) return [step];
    return step.split(/(\d+)/).map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  });
}

function compareWords(a: readonly Word[], b: readonly Word[]): number {
  for (const [i, left] of a.entries()) {
    const right = b[i];
    if (right === undefined) return 1;
    if (left === right) continue;
    if (typeof left === "number" && typeof right === "number") return left - right;
    return String(left) < String(right) ? -1 : 1;
  }
  return a.length - b.length;
}
