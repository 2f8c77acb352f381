/** How many flows of the peer are held, by service, as bytes: what the peer needs to say how many would survive. */
import { viewOf } from "@futago/hal/units/flow-record.ts";
import { type DirectoryService, PROTOCOLS } from "../../../replication/directory.ts";
import { TALLY_BYTES } from "../../../replication/frame.ts";

/** struct endpoint of each service that holds any, and the number. */
export function encodeTally(services: readonly DirectoryService[], held: ReadonlyMap<number, number>): Uint8Array {
  const some = services.filter(({ index }) => (held.get(index) ?? 0) > 0);
  const bytes = new Uint8Array(some.length * TALLY_BYTES);
  const view = viewOf(bytes);
  some.forEach(({ address, port, protocol, index }, i) => {
    bytes.set(address, i * TALLY_BYTES);
    view.setUint16(i * TALLY_BYTES + 16, port);
    view.setUint8(i * TALLY_BYTES + 18, PROTOCOLS[protocol]);
    view.setUint32(i * TALLY_BYTES + 20, held.get(index) ?? 0);
  });
  return bytes;
}
