/** The steps of the suite, in order: what is quick and finds most comes first. */
import { readdirSync } from "node:fs";

export interface Step {
  /** The word by which `./build.sh test NAME` chooses it. */
  readonly name: string;
  readonly command: readonly string[];
  /** Vitest steps count their own tests; any other step is one test. */
  readonly counts: "vitest" | "one";
  readonly limitMinutes: number;
  /** Only by its name, or by `everything`: what every change cannot wait for. */
  readonly long?: true;
}

/**
 * What needs minutes to say whether hundreds of small things still hold that a quicker test of the same room touches as
 * well. They are a step of their own, so that a change is judged within half an hour.
 */
const LONG_KERNEL_TESTS = [
  "interop/frr",
  "interop/wire",
  "netns/box-backup",
  "netns/box-fallback",
  "netns/box-fallback-choice",
  "netns/box-hostile",
  "netns/box-large",
  "netns/box-reconcile",
  "netns/box-tools",
  "netns/cold-standby",
  "netns/commit-deaths",
  "netns/console",
  "netns/core-link",
  "netns/flood",
  "netns/pair-ipv6",
  "netns/pair-stale",
  "netns/pair-update",
  "netns/udp-survival",
  "netns/web-access",
  "netns/web-load",
  "netns/web-scripts",
  "servers/checks",
  "servers/modes",
  "servers/path-mtu",
  "xdp/end-to-end-modes",
].map((name) => `test/${name}.test.ts`);

/** Scripts of the lab that are run with the long steps. */
const LONG_LAB_SCRIPTS = ["modes", "thaw"];

/** What boots the image for longer than first-pair does: test/image/README.md says what each shows. */
const LONG_APPLIANCE_TESTS = [
  "disk/firmware",
  "disk/slots",
  "disk/arm64",
  "first/bare",
  "first/board",
  "first/flash-wear",
  "pair/frozen-sentinel",
  "pair/beside-keepalived",
  "pair/pair-update",
  "update/update",
].map((name) => `test/image/${name}.test.ts`);

/** Tests inside guests with one of Debian's kernels. Between them each file of test/xdp that fits there, once. */
const GUEST_TESTS = {
  bookworm: "guest/verifier capture flow-hash fragments gate handshake hops icmp modes one-arm refusal reset",
  trixie: "guest/verifier guest/board/hardware balancer beside flows fuzz inspect limits own-errors stale",
};

/** Each file of test/xdp on the other kernel as well, and what takes minutes there. */
const LONG_GUEST_TESTS = {
  bookworm: `guest/vlan attach ${GUEST_TESTS.trixie.replaceAll(/guest\/\S+\s+/g, "")}`,
  trixie: `guest/clock attach ${GUEST_TESTS.bookworm.replaceAll(/guest\/\S+\s+/g, "")}`,
};

/** Files for each kernel, as test/image/main.ts takes them; those of test/xdp without a folder before their name. */
function guestTests(tests: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(tests).flatMap(([kernel, names]) =>
    names.split(/\s+/).map((name) => `${kernel}=test/${name.startsWith("guest/") ? "image" : "xdp"}/${name}.test.ts`),
  );
}

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
  const guest = (name: string, limitMinutes: number, tests: Readonly<Record<string, string>>): Step => ({
    ...one(name, limitMinutes, `${bin}/node`, "test/image/main.ts", ...guestTests(tests)),
    counts: "vitest",
  });
  const long = (name: string, step: Step): Step => ({ ...step, name, long: true });
  return [
    one("format", 2, `${bin}/biome`, "format", "."),
    one("types", 5, `${bin}/tsc`, "--noEmit"),
    one("types-pages", 5, `${bin}/tsc`, "--noEmit", "--project", "webui/pages"),
    one("lint", 5, `${bin}/oxlint`, "--type-aware", "--deny-warnings"),
    vitest("tidy", 5),
    vitest("unit", 15),
    vitest("kernel", 45, ...LONG_KERNEL_TESTS.map((file) => `--exclude=${file}`)),
    vitest("browser", 15),
    guest("image", 35, GUEST_TESTS),
    // The day's Debian does: a lock that Debian has left behind is for a person to renew.
    one("image-amd64", 15, `${root}/build.sh`, "image", "amd64", "--newest-if-stale"),
    vitest("appliance", 20, "test/image/pair/first-pair.test.ts"),
    ...labScripts(root).map((script) => ({
      ...one(`lab-${script}`, 10, `${bin}/node`, "test/lab/main.ts", "--script", `test/lab/${script}.json`),
      ...(LONG_LAB_SCRIPTS.includes(script) ? { long: true as const } : {}),
    })),
    long("kernel-long", vitest("kernel", 60, ...LONG_KERNEL_TESTS)),
    long("image-long", guest("image", 60, LONG_GUEST_TESTS)),
    ...LONG_APPLIANCE_TESTS.map((file) =>
      long(`appliance-${/([a-z0-9-]+)\.test/.exec(file)?.[1]}`, vitest("appliance", 90, file)),
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
