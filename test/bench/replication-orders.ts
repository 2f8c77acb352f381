/** What replication.ts and the processes of its cores say to each other, and the flows that both know. */
import { balancerSizes } from "@futago/hal/xdp/layout.ts";

export const SIZES = balancerSizes(256, 131_072);
export const SERVER = "10.2.0.11";

/** Each is answered once. */
export type CoreOrder =
  | { readonly kind: "cpu" }
  | { readonly kind: "flows" }
  /** When the peer has the whole table. */
  | { readonly kind: "whole" }
  | { readonly kind: "fill"; readonly from: number; readonly count: number }
  | { readonly kind: "listen" }
  | { readonly kind: "dial"; readonly port: number }
  /** Who dials gets so many bytes, and no flows. */
  | { readonly kind: "copyTo"; readonly bytes: number }
  /** When they have arrived. */
  | { readonly kind: "copyFrom"; readonly port: number; readonly bytes: number };

export interface CoreAnswer {
  readonly micros?: number;
  readonly flows?: number;
  readonly port?: number;
  readonly millis?: number;
}

export function clientOf(i: number): { readonly client: string; readonly clientPort: number } {
  return { client: `198.51.${(i >> 15) & 255}.7`, clientPort: 1_024 + (i & 0x7fff) };
}
