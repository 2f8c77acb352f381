/**
 * `npm run packages [-- NAME@VERSION …]`, as root: installs the packages that were named for the machine layer into a
 * temporary directory and shows how each of Futago's needs fares. ADR 0001 rests on it. Exit code 0 when every need
 * still fails somewhere in each package, 1 when a package meets all of its needs: then the decision is due again.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { type Case, cases } from "./cases.ts";

const TRIED = ["netlink@0.3.0", "node-netlink@0.0.4", "sysfs-gpio@1.0.0"];
/** Packages with native code that is built or found by an install script. */
const BUILT = { netlink: true, "syscall-napi": true, buffer2address: true };
const CASE_TIMEOUT_MILLIS = 20_000;

const arch = process.arch;
const nodeHome = fileURLToPath(new URL(`../../node_modules/node-linux-${arch}`, import.meta.url));

function packageName(specifier: string): string {
  return specifier.replace(/(?<=.)@[^@]*$/, "");
}

function install(directory: string, specifiers: readonly string[]): void {
  writeFileSync(`${directory}/package.json`, JSON.stringify({ private: true, type: "module", allowScripts: BUILT }));
  const env = { ...process.env, PATH: `${nodeHome}/bin:${process.env["PATH"] ?? ""}`, npm_config_nodedir: nodeHome };
  const argv = ["install", "--no-audit", "--no-fund", "--loglevel=error", ...specifiers];
  const npm = spawnSync("npm", argv, { cwd: directory, env, encoding: "utf8" });
  if (npm.status !== 0) throw new Error(`npm install ${specifiers.join(" ")} failed:\n${npm.stderr}`);
}

/** "works", or the way it fails. */
function run(directory: string, { program }: Case): string {
  writeFileSync(`${directory}/case.js`, program);
  const inside = `mount -t sysfs sysfs /sys && exec "$0" --pending-deprecation --no-warnings case.js`;
  const argv = ["--net", "--mount", "sh", "-c", inside, process.execPath];
  const child = spawnSync("unshare", argv, { cwd: directory, encoding: "utf8", timeout: CASE_TIMEOUT_MILLIS });
  const last = child.stdout.trim().split("\n").at(-1) ?? "";
  if (child.error !== undefined) return `no end: ${child.error.message}`;
  if (child.signal !== null) return `the process was killed by ${child.signal}`;
  if (child.status !== 0) return `the process died: ${firstError(child.stderr)}`;
  return last === "" ? "said nothing" : last;
}

function firstError(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.find((line) => /error|abort|terminate|what\(\)/i.test(line)) ?? lines.at(0) ?? "";
}

function main(given: readonly string[]): number {
  if (process.getuid?.() !== 0) {
    process.stderr.write("npm run packages makes network namespaces: run it as root\n");
    return 2;
  }
  const specifiers = TRIED.map((tried) => given.find((one) => packageName(one) === packageName(tried)) ?? tried);
  const directory = mkdtempSync(`${tmpdir()}/futago-packages-`);
  const met = new Map<string, boolean>();
  try {
    install(directory, specifiers);
    for (const one of cases) {
      const result = run(directory, one);
      const { version } = JSON.parse(readFileSync(`${directory}/node_modules/${one.package}/package.json`, "utf8")) as {
        version: string;
      };
      met.set(one.package, (met.get(one.package) ?? true) && result === "works");
      process.stdout.write(`${result === "works" ? "works" : "fails"}  ${one.package} ${version}: ${one.need}\n`);
      if (result !== "works") process.stdout.write(`       ${result}\n`);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  const good = [...met].filter(([, works]) => works).map(([name]) => name);
  process.stdout.write(
    good.length === 0 ? "none meets the needs; ADR 0001 stands\n" : `reconsider ADR 0001: ${good.join(", ")}\n`,
  );
  return good.length === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
