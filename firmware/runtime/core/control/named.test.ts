import { describe, expect, it } from "vitest";
import type { Resolved } from "../../../config/resolved.ts";
import { RefusalError } from "../../exit-code.ts";
import { backendNamed, clientNamed, serviceNamed } from "./named.ts";

const pool = (name: string, ...backends: readonly string[]) => ({
  name,
  backends: backends.map((backend) => ({ name: backend, address: "10.2.0.1", port: 80 })),
});
const config = {
  services: [{ name: "www" }, { name: "mail" }],
  pools: [pool("web", "s1", "s2"), pool("spare", "s2", "s9")],
} as unknown as Resolved;

const refused = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    if (error instanceof RefusalError) return `${error.refusal.what}. ${error.refusal.mend ?? ""}`;
    throw error;
  }
  return "nothing";
};

describe("a name that somebody wrote", () => {
  it("finds a service, or says which one was probably meant", () => {
    expect(serviceNamed(config, "mail").name).toBe("mail");
    expect(refused(() => serviceNamed(config, "wwe"))).toBe('there is no service "wwe". Did you mean "www"?');
    expect(refused(() => serviceNamed(config, "telephone"))).toContain("The services are www, mail.");
  });

  it("finds a backend by its pool, or alone where that is enough", () => {
    expect(backendNamed(config, "web/s2")).toMatchObject({ pool: "web", backend: { name: "s2" } });
    expect(backendNamed(config, "s9")).toMatchObject({ pool: "spare", backend: { name: "s9" } });
    expect(refused(() => backendNamed(config, "s2"))).toBe(
      '"s2" is a backend of more than one pool. Say which: web/s2 or spare/s2.',
    );
    expect(refused(() => backendNamed(config, "wab/s1"))).toContain('Did you mean "web/s1"?');
    expect(refused(() => backendNamed(config, "nothing-like-it"))).toContain("web/s1, web/s2, spare/s2, spare/s9");
  });

  it("reads a client's address and refuses what is none", () => {
    expect(clientNamed("2001:DB8::7")).toBe("2001:db8::7");
    for (const text of ["10.1.0.9/24", "", "www", 7, undefined]) {
      expect(refused(() => clientNamed(text))).toContain("is no IP address");
    }
  });
});
