/**
 * An apt of our own: its lists and its cache lie in a directory of ours, its sources are the suites that are asked for,
 * from where this machine's apt gets Debian, and every package is held against a hash.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const RELEASES = ["bookworm", "trixie", "forky", "oldstable", "stable", "testing", "sid", "unstable"];
const TIMEOUT_MILLIS = 600_000;
const OUTPUT_BYTES_MAX = 256 << 20;

export interface Package {
  readonly name: string;
  readonly version: string;
  /** "all" for what is the same everywhere. */
  readonly architecture: string;
  readonly sha256: string;
}

export interface AptPlace {
  /** Made when it is not there. */
  readonly directory: string;
  /** Such as "trixie"; one that ends in "-security" comes from this machine's security mirror, if it has one. */
  readonly suites: readonly string[];
  readonly architecture: "amd64" | "arm64";
  /** Packages that count as installed: nothing pulls them in. Each with what it provides. */
  readonly assumed?: Readonly<Record<string, string>>;
}

export class PrivateApt {
  readonly #options: readonly string[];

  constructor({ directory, suites, architecture, assumed = {} }: AptPlace) {
    for (const part of ["state/lists/partial", "cache/archives/partial"])
      mkdirSync(`${directory}/${part}`, { recursive: true });
    const lines = suites.map((suite) => ({ suite, from: mirrorOf(suite) }));
    const known = lines.filter(({ from }) => from !== undefined);
    const sources = known.map(({ suite, from }) => `deb [signed-by=${KEYRING}] ${from} ${suite} main\n`);
    writeFileSync(`${directory}/sources.list`, sources.join(""));
    writeFileSync(`${directory}/status`, statusOf(assumed, architecture));
    const settings = {
      "Dir::State": `${directory}/state`,
      "Dir::State::status": `${directory}/status`,
      "Dir::Cache": `${directory}/cache`,
      "Dir::Etc::sourcelist": `${directory}/sources.list`,
      "Dir::Etc::sourceparts": "/dev/null",
      "APT::Architecture": architecture,
      "APT::Architectures": architecture,
      "APT::Sandbox::User": "root",
      "Acquire::Languages": "none",
      "Acquire::Retries": "3",
    };
    this.#options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  }

  update(): void {
    this.run("apt-get", "update", "-qq", "--error-on=any");
  }

  /** The packages that installing those named would install, without what is only recommended. */
  closureOf(names: readonly string[]): readonly Package[] {
    const said = this.run("apt-get", "-s", "-qq", "--no-install-recommends", "install", ...names);
    const rows = Array.from(said.matchAll(/^Inst (\S+) \((\S+) /gm), ([, name = "", version = ""]) => ({
      name,
      version,
    }));
    return this.found(rows);
  }

  /** The newest of each. */
  newest(names: readonly string[]): readonly Package[] {
    return names.map((name) => stanzas(this.run("apt-cache", "show", "--no-all-versions", name))[0] ?? lost(name));
  }

  /** As the signed index tells of them. */
  found(wanted: readonly { readonly name: string; readonly version: string }[]): readonly Package[] {
    const shown = stanzas(this.run("apt-cache", "show", ...wanted.map(({ name, version }) => `${name}=${version}`)));
    return wanted.map(({ name, version }) => {
      const one = shown.find((entry) => entry.name === name && entry.version === version);
      return one ?? lost(`${name} ${version}`);
    });
  }

  /** Puts each as HASH.deb into `to`; fails on the first that is not what its hash says. */
  fetch(packages: readonly Package[], to: string): void {
    const partial = `${to}/partial`;
    mkdirSync(partial, { recursive: true });
    this.run("apt-get", "-qq", "download", ...packages.map(({ name, version }) => `${name}=${version}`), {
      cwd: partial,
    });
    const files = readdirSync(partial);
    for (const { name, version, sha256 } of packages) {
      const start = `${name}_${version.replaceAll(":", "%3a")}_`;
      const file = files.find((entry) => entry.startsWith(start));
      if (file === undefined) throw new Error(`apt-get download left no ${name}`);
      const found = sha256Of(`${partial}/${file}`);
      if (found !== sha256) throw new Error(`${file} has the hash ${found}, wanted is ${sha256}`);
      renameSync(`${partial}/${file}`, `${to}/${sha256}.deb`);
    }
    rmSync(partial, { recursive: true });
  }

  run(program: string, ...rest: readonly (string | { readonly cwd: string })[]): string {
    const argv = rest.filter((part) => typeof part === "string");
    const place = rest.find((part) => typeof part !== "string") ?? {};
    const limits = { timeout: TIMEOUT_MILLIS, maxBuffer: OUTPUT_BYTES_MAX };
    return execFileSync(program, [...this.#options, ...argv], { encoding: "utf8", ...limits, ...place });
  }
}

export function sha256Of(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function lost(what: string): never {
  throw new Error(`the mirror's index has no ${what}`);
}

function stanzas(text: string): readonly Package[] {
  return text.split(/\n\n+/).flatMap((stanza) => {
    const field = (key: string) => new RegExp(`^${key}: (\\S+)$`, "m").exec(stanza)?.[1];
    const [name, version, architecture, sha256] = ["Package", "Version", "Architecture", "SHA256"].map(field);
    const whole = name !== undefined && version !== undefined && architecture !== undefined && sha256 !== undefined;
    return whole ? [{ name, version, architecture, sha256 }] : [];
  });
}

function statusOf(assumed: Readonly<Record<string, string>>, architecture: string): string {
  const entries = Object.entries(assumed).map(([name, provides]) => {
    const more = provides === "" ? "" : `Provides: ${provides}\n`;
    return `Package: ${name}\nStatus: install ok installed\nArchitecture: ${architecture}\nMulti-Arch: foreign
Version: 999:1\n${more}Maintainer: nobody\nDescription: assumed\n`;
  });
  return entries.join("\n");
}

/** Where this machine's own apt gets Debian from: its mirror serves every suite. */
function mirrorOf(suite: string): string | undefined {
  const targets = execFileSync(
    "apt-get",
    ["indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"],
    { encoding: "utf8" },
  );
  const rows = targets.split("\n").map((line) => line.split(" "));
  const isSecurity = suite.endsWith("-security");
  const fits = (release: string) => (isSecurity ? release.endsWith("-security") : RELEASES.includes(release));
  const found = rows.find(([release = "", component]) => fits(release) && component === "main")?.[2];
  if (found === undefined && !isSecurity) throw new Error("apt on this machine knows no Debian mirror");
  return found;
}
