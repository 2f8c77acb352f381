/** The steps of the suite, in order: what is quick and finds most comes first. */
import { readdirSync } from "node:fs";

export interface Step {
  /** The word by which `./build.sh test NAME` chooses it. */
  readonly name: string;
  readonly command: readonly string[];
  /** Vitest steps count their own tests; any other step is one test. */
  readonly counts: "vitest" | "one";
  readonly limitMinutes: number;
}

/** What of test/xdp needs no ends of real connections, which take long on an emulated processor. */
const PACKET_TESTS =
  `test/image/guest/verifier.test.ts attach balancer beside capture flow-hash flows fragments fuzz gate handshake
  hops icmp inspect limits modes one-arm own-errors refusal reset stale`
    .split(/\s+/)
    .map((name) => (name.includes("/") ? name : `test/xdp/${name}.test.ts`));

/**
 * What takes minutes on an emulated processor, on one kernel each: those two guests run side by side. The third follows
 * the second in a guest with hardware of its own.
 */
const ONE_KERNEL_TESTS = [
  "bookworm=test/image/guest/vlan.test.ts",
  "trixie=test/image/guest/clock.test.ts",
  "trixie=test/image/guest/board/hardware.test.ts",
];

export function steps(root: string): readonly Step[] {
  const bin = `${root}/node_modules/.bin`;
  const one = (name: string, limitMinutes: number, ...command: string[]): Step => ({
    name,
    command,
    counts: "one",
    limitMinutes,
  });
  const vitest = (name: string, limitMinutes: number, ...files: string[]): Step => ({
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
      ...files,
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
    vitest("kernel", 50),
    vitest("browser", 15),
    {
      ...one("image", 30, `${bin}/node`, "test/image/main.ts", ...PACKET_TESTS, ...ONE_KERNEL_TESTS),
      counts: "vitest",
    },
    // The day's Debian does: a lock that Debian has left behind is for a person to renew.
    one("image-amd64", 15, `${root}/build.sh`, "image", "amd64", "--newest-if-stale"),
    // The rest of what boots the image is asked for by hand: test/image/README.md.
    vitest("appliance", 20, "test/image/pair/first-pair.test.ts"),
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
