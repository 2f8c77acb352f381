/**
 * A balanced flow in 64 bytes, the same in every box's hands: hal/xdp makes them of map entries and back, the pair's
 * replication carries them. Addresses are IPv6, or IPv4 as ::ffff:a.b.c.d; everything is in network byte order.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------------------------------+-------------------------------+
 *   |                     client address (16)                       |
 *   |                 virtual address of the service (16)           |
 *   +-------------------------------+-------------------------------+
 *   |          client port          |         service port          |
 *   +---------------+---------------+-------------------------------+
 *   |   protocol    |                     zero                      |
 *   +---------------+-----------------------------------------------+
 *   |                     backend address (16)                      |
 *   +-------------------------------+-------------------------------+
 *   |         backend port          |     the VIP's port, one-arm   |
 *   +---------------+---------------+-------------------------------+
 *   |     flags     |           seconds since it was seen           |
 *   +---------------+-----------------------------------------------+
 */
export const RECORD_BYTES = 64;
/** The first bytes name the flow, as struct flow_key does. */
export const RECORD_KEY_BYTES = 40;
export const CLIENT_AT = 0;
export const VIP_AT = 16;
export const CLIENT_PORT_AT = 32;
export const VIP_PORT_AT = 34;
export const PROTOCOL_AT = 36;
export const BACKEND_AT = 40;
export const BACKEND_PORT_AT = 56;
export const SOURCE_PORT_AT = 58;
/** Flags above, 24 bits of age below. */
export const STATE_AT = 60;
export const AGE_SECONDS_MAX = 0xffffff;
export const ADDRESS_BYTES = 16;

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Copies whole words; the views may be of any alignment. */
export function copyWords(from: DataView, fromAt: number, to: DataView, toAt: number, bytes: number): void {
  for (let i = 0; i < bytes; i += 4) to.setUint32(toAt + i, from.getUint32(fromAt + i));
}
