/** Which room may import which: docs/ARCHITECTURE.md, "Layers", as a function from one import to a complaint. */
import { dirname, join } from "node:path";
import { isTest, PURE_ROOMS, type SourceFile } from "./source.ts";

export interface Import {
  readonly from: string;
  /** A path from the root, "node:fs", or the name of a package. */
  readonly to: string;
  /** Erased at run time: `import type`. */
  readonly typeOnly: boolean;
}

/** An import that a rule forbids and that is right all the same. */
export interface Allowed {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** The rooms where each package may be imported outside of tests. */
const PACKAGES: Readonly<Record<string, string>> = {
  "@fastify/rate-limit": "webui/api/",
  "@peculiar/x509": "firmware/runtime/core/pairing/ firmware/runtime/core/access/",
  "age-encryption": "firmware/runtime/backup/",
  "@preact/signals": "webui/pages/",
  "better-sqlite3": "firmware/runtime/",
  esbuild: "webui/bundle/ images/base/",
  fastify: "webui/api/",
  pino: "firmware/runtime/ webui/api/",
  preact: "webui/pages/",
  "prom-client": "webui/api/",
  "reflect-metadata": "firmware/runtime/core/pairing/ firmware/runtime/core/access/",
  typebox: "firmware/config/ webui/api/",
  uplot: "webui/pages/",
};
const TEST_PACKAGES = new Set(["vitest", "fast-check"]);

const STATEMENT = /^\s*(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)";?/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"/g;

export function importsOf({ path, text }: SourceFile): readonly Import[] {
  const statements = Array.from(text.matchAll(STATEMENT), (match) => {
    const named = /^\s*import\s*\{([^}]*)\}/.exec(match[0])?.[1];
    const everyNameIsType = named !== undefined && named.split(",").every((name) => /^\s*(type\s|$)/.test(name));
    return { from: path, to: resolve(path, match[2] ?? ""), typeOnly: match[1] !== undefined || everyNameIsType };
  });
  const dynamic = Array.from(text.matchAll(DYNAMIC), (match) => ({
    from: path,
    to: resolve(path, match[1] ?? ""),
    typeOnly: false,
  }));
  return [...statements, ...dynamic];
}

function resolve(from: string, specifier: string): string {
  if (specifier.startsWith(".")) return join(dirname(from), specifier);
  return specifier.startsWith("@futago/") ? specifier.slice("@futago/".length) : specifier;
}

/** Why the import breaks the layers, or undefined. */
export function breach(one: Import): string | undefined {
  const { from, to } = one;
  if (to.startsWith("test/") && !from.startsWith("test/")) return "nothing imports test";
  if (isTest(from) || !from.includes("/")) return undefined;
  if (from.startsWith("images/")) return packageBreach(one) ?? imagesBreach(one);
  const ofRoom = from.startsWith("hal/") ? halBreach : from.startsWith("webui/") ? webuiBreach : firmwareBreach;
  return packageBreach(one) ?? ofRoom(one);
}

function packageBreach({ from, to }: Import): string | undefined {
  const name = /^(node:|hal\/|firmware\/|webui\/|images\/)/.test(to)
    ? undefined
    : to
        .split("/")
        .slice(0, to.startsWith("@") ? 2 : 1)
        .join("/");
  if (name === undefined) return undefined;
  if (TEST_PACKAGES.has(name)) return `${name} is for tests`;
  const room = PACKAGES[name];
  if (room === undefined) return `package ${name} has no room of its own in test/tidy/layers.ts`;
  return room.split(" ").some((one) => from.startsWith(one)) ? undefined : `package ${name} belongs to ${room}`;
}

function halBreach({ from, to }: Import): string | undefined {
  if (!to.startsWith("hal/") && !to.startsWith("node:")) return "hal imports hal only";
  if (from.startsWith("hal/units/") && !to.startsWith("hal/units/")) return "hal/units imports nothing but itself";
  if (from.startsWith("hal/contract/") && !/^hal\/(units|contract)\//.test(to))
    return "hal/contract imports hal/units only";
  if (from.startsWith("hal/fake/") && to.startsWith("hal/addon/")) return "the fake runs without the addon";
  return undefined;
}

/** The builders of images share with a box what both write and read. */
function imagesBreach({ to }: Import): string | undefined {
  if (/^(node:|images\/|hal\/units\/|firmware\/update\/)/.test(to)) return undefined;
  return /^(hal|firmware|webui)\//.test(to) ? "images imports hal/units and firmware/update" : undefined;
}

/** Pure: the bytes of map entries, on maps that the contract hands over. */
const MAP_ENTRIES = /^hal\/xdp\/(layout(-\w+)?|tables|flow-records|capture|inspect|amiss-entries)\.ts$/;

function firmwareBreach(one: Import): string | undefined {
  const { from, to } = one;
  if (!from.startsWith("firmware/")) return undefined;
  const pure = PURE_ROOMS.find((room) => from.startsWith(room));
  if (pure !== undefined) return pureBreach(pure, one);
  if (to.startsWith("hal/fake/")) return "the fake is for tests";
  if (to.startsWith("hal/contract/") && !from.startsWith("firmware/runtime/"))
    return "only firmware/runtime imports hal/contract";
  if (from.startsWith("firmware/runtime/") && MAP_ENTRIES.test(to)) return undefined;
  const real = to.startsWith("hal/") && !/^hal\/(units|contract)\//.test(to);
  if (real && !/^firmware\/runtime\/(.*\/)?main\.ts$/.test(from))
    return "only the mains of firmware/runtime name the real hal";
  return undefined;
}

/** What it knows of a box it knows from the control socket, whose types are core's. */
function webuiBreach({ from, to, typeOnly }: Import): string | undefined {
  if (/^(webui|hal\/units|firmware\/config)\//.test(to)) return pagesBreach(from, to);
  if (to.startsWith("node:")) return from.startsWith("webui/pages/") ? "a page runs in a browser" : undefined;
  if (/^firmware\/runtime\/(control(-\w+)?|messages)\.ts$/.test(to) && typeOnly) return undefined;
  if (/^firmware\/runtime\/(exit-code|line-reader|pcapng)\.ts$/.test(to)) return undefined;
  return /^(hal|firmware)\//.test(to)
    ? "webui imports firmware/config, hal/units and types of the control socket"
    : undefined;
}

function pagesBreach(from: string, to: string): string | undefined {
  const isShut = from.startsWith("webui/pages/") && to.startsWith("webui/api/");
  return isShut ? "a page knows the API by webui/client only" : undefined;
}

function pureBreach(room: string, { to, typeOnly }: Import): string | undefined {
  if (to.startsWith(room) || to.startsWith("hal/units/")) return undefined;
  if (to.startsWith("firmware/config/"))
    return typeOnly ? undefined : "a pure room imports types of firmware/config only";
  if (to.startsWith("node:")) return "a pure room imports nothing of node";
  // Packages were judged before.
  return /^(hal|firmware)\//.test(to) ? "a pure room imports hal/units and types of firmware/config" : undefined;
}
