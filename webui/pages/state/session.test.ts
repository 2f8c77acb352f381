import { afterEach, beforeEach, expect, test, vi } from "vitest";

const kept = new Map<string, string>();
let asked: string[] = [];
/** Whom the box knows by which proof. */
let known: Readonly<Record<string, string>> = {};

beforeEach(() => {
  kept.clear();
  asked = [];
  vi.resetModules();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  vi.stubGlobal("location", { hash: "#resume=TICKET", pathname: "/pair", search: "" });
  vi.stubGlobal("history", { replaceState: () => undefined });
  vi.stubGlobal("fetch", (url: string, { method = "GET", headers }: RequestInit) =>
    Promise.resolve(box(method, url, headers)),
  );
});
afterEach(() => void vi.unstubAllGlobals());

function box(method: string, url: string, headers: unknown): Response {
  asked.push(`${method} ${url}`);
  const name = known[(headers as Record<string, string>)["futago-proof"] ?? ""];
  if (url.endsWith("/access")) return Response.json({ claimed: true });
  if (url.endsWith("/resume")) return Response.json({ proof: "of-ticket" });
  if (name !== undefined) return Response.json({ name, role: "admin", scopes: [], ticket: "next" });
  return Response.json({ status: 401, reason: "notSignedIn" }, { status: 401 });
}

async function begun(): Promise<string | undefined> {
  const session = await import("./session.ts");
  await session.begin();
  return session.who.value?.name;
}

test("a ticket signs nobody in where somebody is signed in already", async () => {
  known = { mine: "anna", "of-ticket": "eve" };
  kept.set("futago-proof", "mine");
  expect(await begun()).toBe("anna");
  expect(asked.filter((one) => one.endsWith("/resume"))).toEqual([]);
});

test.each([undefined, "long gone"])("a ticket is used where nobody is, with the proof %s", async (proof) => {
  known = { "of-ticket": "anna" };
  if (proof !== undefined) kept.set("futago-proof", proof);
  expect(await begun()).toBe("anna");
  expect(kept.get("futago-proof")).toBe("of-ticket");
});
