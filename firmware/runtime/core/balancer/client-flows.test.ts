import { beforeEach, describe, expect, it } from "vitest";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { FakeBpf } from "@futago/hal/fake/bpf.ts";
import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { encodeAddress, encodeNumber, viewOf } from "@futago/hal/xdp/layout.ts";
import { ClientFlows } from "./client-flows.ts";

let object: BpfObject;
let flows: ClientFlows;

/** Service 1 counts its clients' flows, service 0 does not. */
beforeEach(() => {
  const bpf = new FakeBpf();
  bpf.mount("/bpf");
  object = bpf.load("balancer", "/bpf");
  object.map("service_open").memory()[1 * 16 + 8] = 1;
  flows = new ClientFlows(object);
});

const bytes = (client: string) => encodeAddress(parseIpAddress(client) as IpAddress);
const keyOf = (client: string, service: number) =>
  Uint8Array.from([...bytes(client), ...encodeNumber(service), 0, 0, 0, 0]);

function count(client: string, open: bigint, service = 1): void {
  const value = new Uint8Array(8);
  viewOf(value).setBigInt64(0, open, true);
  object.map("client_open").update(keyOf(client, service), value);
}

function counted(): Readonly<Record<string, number>> {
  const entries = [...object.map("client_open").entries()];
  return Object.fromEntries(
    entries.map(([key, value]) => [
      `${key.subarray(12, 16).join(".")} at ${key[16]}`,
      Number(viewOf(value).getBigInt64(0, true)),
    ]),
  );
}

/** Finds so many flows of the client, of a backend of service 1 unless it says otherwise. */
function find(client: string, times: number, backend = 130): void {
  for (let i = 0; i < times; i++) flows.found(backend, Uint8Array.from([9, ...bytes(client)]), 1);
}

describe("open flows of clients", () => {
  it("are put right where the count stood still", () => {
    count("10.1.0.9", 5n);
    count("10.1.0.10", 2n);
    flows.begin();
    find("10.1.0.9", 3);
    find("10.1.0.10", 2);
    flows.correct();
    expect(counted()).toEqual({ "10.1.0.9 at 1": 3, "10.1.0.10 at 1": 2 });
  });

  it("are left alone where it did not", () => {
    count("10.1.0.9", 5n);
    flows.begin();
    find("10.1.0.9", 3);
    count("10.1.0.9", 4n);
    flows.correct();
    expect(counted()).toEqual({ "10.1.0.9 at 1": 4 });
  });

  it("are forgotten with the client's last one", () => {
    count("10.1.0.9", 1n);
    count("10.1.0.10", 0n);
    count("10.1.0.11", 1n);
    flows.begin();
    count("10.1.0.11", 2n);
    flows.correct();
    expect(counted()).toEqual({ "10.1.0.11 at 1": 2 });
  });

  it("are counted from what is there when a limit is new, and only where there is one", () => {
    flows.begin();
    find("10.1.0.9", 3);
    find("10.1.0.9", 3, 5);
    flows.correct();
    expect(counted()).toEqual({ "10.1.0.9 at 1": 3 });
  });
});
