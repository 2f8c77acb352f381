/**
 * The lock: every package of an image by version and SHA-256, in a file under version control. An image is made of those
 * and of no others; `--refresh` writes the file anew.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Package, PrivateApt, sha256Of } from "./apt.ts";
import { type Architecture, ASSUMED, type Purpose, PURPOSES, SUITES, wanted } from "./wanted.ts";

export interface LockedPackage extends Package {
  readonly purpose: Purpose;
}

const HEAD = "# purpose name version architecture sha256; written by ./build.sh image ARCH --refresh\n";

export function lockFile(architecture: Architecture): string {
  return fileURLToPath(new URL(`../packages.${architecture}.lock`, import.meta.url));
}

export function readLock(architecture: Architecture): readonly LockedPackage[] {
  const path = lockFile(architecture);
  if (!existsSync(path)) throw new Error(`${path} is missing: ./build.sh image ${architecture} --refresh writes it`);
  return parseLock(readFileSync(path, "utf8"));
}

export function parseLock(text: string): readonly LockedPackage[] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const match = /^(tree|boot|build) ([a-z0-9][a-z0-9+.-]+) (\S+) (amd64|arm64|all) ([0-9a-f]{64})$/.exec(line);
    if (match === null) throw new Error(`not a line of a package lock: ${line}`);
    const [, purpose = "tree", name = "", version = "", architecture = "", sha256 = ""] = match;
    return { purpose: purpose as Purpose, name, version, architecture, sha256 };
  });
}

export function formatLock(packages: readonly LockedPackage[]): string {
  const order = ({ purpose, name }: LockedPackage) => `${PURPOSES.indexOf(purpose)} ${name}`;
  const sorted = packages.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
  const lines = sorted.map((one) => `${one.purpose} ${one.name} ${one.version} ${one.architecture} ${one.sha256}\n`);
  return HEAD + lines.join("");
}

/** Debian published newer versions, and the mirror dropped those of the lock. */
export class StaleLock extends Error {}

/** Where the packages of the lock lie, each as HASH.deb. */
export class PackageStore {
  readonly #directory: string;
  readonly #architecture: Architecture;

  constructor(directory: string, architecture: Architecture) {
    this.#directory = `${directory}/packages`;
    this.#architecture = architecture;
    mkdirSync(this.#directory, { recursive: true });
  }

  /** The newest of everything, as a lock would have it. */
  newest(): readonly LockedPackage[] {
    const apt = this.#apt();
    apt.update();
    return PURPOSES.flatMap((purpose) => {
      const roots = wanted(this.#architecture, purpose);
      const packages = purpose === "tree" ? apt.closureOf(roots) : apt.newest(roots);
      return packages.map((one) => ({ ...one, purpose }));
    });
  }

  /** Writes the lock anew. */
  refresh(): void {
    writeFileSync(lockFile(this.#architecture), formatLock(this.newest()));
  }

  /** Fetches what is not here yet. Returns how many that were. Throws StaleLock. */
  complete(locked: readonly LockedPackage[]): number {
    const missing = locked.filter((one) => !existsSync(this.fileOf(one)));
    if (missing.length === 0) return 0;
    const apt = this.#apt();
    apt.update();
    // One question for all of them; only when it is refused, one for each.
    const gone = areOffered(apt, missing) ? [] : missing.filter((one) => !areOffered(apt, [one]));
    if (gone.length > 0) {
      throw new StaleLock(`the mirror has these packages of the lock no longer:
${gone.map(({ name, version }) => `  ${name} ${version}\n`).join("")}\
./build.sh image ${this.#architecture} --refresh takes the newest instead; commit the lock that it writes`);
    }
    apt.fetch(missing, this.#directory);
    return missing.length;
  }

  /** Holds the file against the lock again, however it came here. */
  verified(one: Package): string {
    const file = this.fileOf(one);
    if (sha256Of(file) !== one.sha256) throw new Error(`${file} is not what the lock says of ${one.name}: delete it`);
    return file;
  }

  fileOf({ sha256 }: Package): string {
    return `${this.#directory}/${sha256}.deb`;
  }

  #apt(): PrivateApt {
    const directory = `${this.#directory}/apt-${this.#architecture}`;
    return new PrivateApt({ directory, suites: SUITES, architecture: this.#architecture, assumed: ASSUMED });
  }
}

function areOffered(apt: PrivateApt, packages: readonly Package[]): boolean {
  try {
    return apt.found(packages).every(({ sha256 }, i) => sha256 === packages[i]?.sha256);
  } catch {
    // Another version, or none: both are for the one who asks to tell.
    return false;
  }
}
