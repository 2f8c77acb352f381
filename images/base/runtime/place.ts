/** Our software in the tree: the bundle, the pinned Node, what is compiled, the pages, and what tells their licences. */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Architecture } from "../debian/wanted.ts";
import { run } from "../tree/unpack.ts";
import { bundleRuntime, HOME, REPOSITORY } from "./bundle.ts";

const NODE_ARCHITECTURE: Readonly<Record<Architecture, string>> = { amd64: "x64", arm64: "arm64" };

export interface ImageFacts {
  readonly version: string;
  readonly architecture: Architecture;
  /** With "+" where the sources differ from it. */
  readonly commit: string;
  /** Seconds since 1970: when the commit was made. */
  readonly time: number;
}

export interface Compiled {
  /** Holds futago.node, pulse and the BPF objects. */
  readonly directory: string;
  readonly strip: string;
  /** The npm package of the pinned Node. */
  readonly node: string;
}

/** Returns the npm packages that are in it. */
export async function placeRuntime(tree: string, facts: ImageFacts, compiled: Compiled): Promise<readonly string[]> {
  const home = `${tree}${HOME}`;
  const { packages } = await bundleRuntime(home);
  await placeNode(home, compiled);
  cpSync(compiled.directory, `${home}/hal/build`, { recursive: true, force: true });
  await run(compiled.strip, ["--strip-unneeded", `${home}/hal/build/futago.node`, `${home}/hal/build/pulse`]);
  cpSync(`${REPOSITORY}webui/build`, `${home}/webui/build`, { recursive: true });
  placeSqlite(home, facts.architecture);
  for (const room of ["firmware", "hal", "webui"])
    copyFileSync(`${REPOSITORY}${room}/package.json`, `${home}/${room}/package.json`);
  for (const name of ["LICENSE", "NOTICE"]) copyFileSync(`${REPOSITORY}${name}`, `${home}/${name}`);
  writeFileSync(
    `${home}/package.json`,
    `${JSON.stringify({ name: "futago", version: facts.version, type: "module" })}\n`,
  );
  writeFileSync(`${home}/image.json`, `${JSON.stringify(facts)}\n`);
  writeFileSync(`${home}/licences.txt`, licences(packages));
  return packages;
}

async function placeNode(home: string, { node, strip }: Compiled): Promise<void> {
  mkdirSync(`${home}/bin`, { recursive: true });
  copyFileSync(`${node}/bin/node`, `${home}/bin/node`);
  copyFileSync(`${node}/LICENSE`, `${home}/bin/LICENSE.node`);
  await run(strip, [`${home}/bin/node`]);
}

function placeSqlite(home: string, architecture: Architecture): void {
  const from = `${REPOSITORY}node_modules/better-sqlite3`;
  const to = `${home}/node_modules/better-sqlite3`;
  mkdirSync(`${to}/prebuilds`, { recursive: true });
  for (const name of ["package.json", "LICENSE"]) copyFileSync(`${from}/${name}`, `${to}/${name}`);
  cpSync(`${from}/lib`, `${to}/lib`, { recursive: true });
  const binary = `prebuilds/linux-${NODE_ARCHITECTURE[architecture]}.node`;
  copyFileSync(`${from}/${binary}`, `${to}/${binary}`);
}

function licences(packages: readonly string[]): string {
  const texts = packages.map((name) => {
    const home = `${REPOSITORY}node_modules/${name}`;
    const file = ["LICENSE", "LICENSE.md", "license", "LICENSE.txt", "License", "LICENCE"].find((one) =>
      existsSync(`${home}/${one}`),
    );
    const { license } = JSON.parse(readFileSync(`${home}/package.json`, "utf8")) as { license?: string };
    const text =
      file === undefined ? `Licence: ${license ?? "not told"}` : readFileSync(`${home}/${file}`, "utf8").trim();
    return `${name}\n\n${text}\n`;
  });
  return ["Futago's programs on this box hold parts of:\n", ...texts].join("\n");
}
