/** The steps of the suite, in order: what is quick and finds most comes first. */
import { readdirSync } from "node:fs";
import { posix } from "node:path";

export interface Step {
  /** The word by which `./build.sh test NAME` chooses it. */
  readonly name: string;
  readonly command: readonly string[];
  /** Vitest steps count their own tests; any other step is one test. */
  readonly counts: "vitest" | "one";
  readonly limitMinutes: number;
}

/**
 * What a kernel may judge otherwise than another runs on both: the verifier, attaching, what comes back from the kernel.
 * Of the rest each file runs on one of them, so that the two guests, side by side, take half of the time; on this
 * machine's own kernel all of it runs. What takes long for the ends of real connections runs in no guest.
 */
const GUEST_TESTS = [
  ...onKernel("", "../image/guest/verifier attach beside capture gate hops"),
  ...onKernel("bookworm=", "../image/guest/vlan flow-hash flows fragments inspect limits own-errors reset"),
  ...onKernel("trixie=", "../image/guest/clock balancer fuzz handshake icmp modes one-arm refusal stale"),
];

function onKernel(kernel: string, names: string): readonly string[] {
  return names.split(" ").map((name) => `${kernel}${posix.join("test/xdp", `${name}.test.ts`)}`);
}

export function steps(root: string): readonly Step[] {
  const bin = `${root}/node_modules/.bin`;
  const one = (name: string, limitMinutes: number, ...command: string[]): Step => ({
    name,
    command,
    counts: "one",
    limitMinutes,
  });
  const vitest = (name: string, limitMinutes: number): Step => ({
    name,
    command: [
      `${bin}/node`,
      `${root}/node_modules/vitest/vitest.mjs`,
      "run",
      "--configLoader=native",
      "--project",
      name,
      "--reporter=default",
      "--reporter=./test/suite/reporter.ts",
    ],
    counts: "vitest",
    limitMinutes,
  });
  return [
    one("format", 2, `${bin}/biome`, "format", "."),
    one("types", 5, `${bin}/tsc`, "--noEmit"),
    one("types-pages", 5, `${bin}/tsc`, "--noEmit", "--project", "webui/pages"),
    one("lint", 5, `${bin}/oxlint`, "--type-aware", "--deny-warnings"),
    vitest("tidy", 5),
    vitest("unit", 15),
    vitest("kernel", 35),
    vitest("browser", 10),
    {
      ...one("image", 25, `${bin}/node`, "test/image/main.ts", ...GUEST_TESTS),
      counts: "vitest",
    },
    ...labScripts(root).map((script) =>
      one(`lab-${script}`, 10, `${bin}/node`, "test/lab/main.ts", "--script", `test/lab/${script}.json`),
    ),
  ];
}

/** Every script of the lab, such as "tour". */
function labScripts(root: string): readonly string[] {
  return readdirSync(`${root}/test/lab`)
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length))
    .toSorted();
}
