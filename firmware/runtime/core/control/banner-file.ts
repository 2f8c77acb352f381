/**
 * Keeps the banner of the console in a file of the run-time directory, for the program that shows it on serial lines and
 * screens: written anew when something changed, and touched otherwise, so that a banner of a dead core shows as one.
 */
import { renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { banner } from "../../../console/banner.ts";
import type { BoxStatus } from "../../control.ts";
import type { WebAccess } from "../../control-access.ts";
import { foundBackupFiles } from "../../machine-system.ts";

const LOOK_MILLIS = 2_000;

export interface BannerSource {
  readonly status: () => BoxStatus;
  readonly web: () => WebAccess;
  /** The file system refused. */
  readonly onFault: (error: unknown) => void;
}

/** Returns what ends it. Nobody is served where there is no run-time directory. */
export function keepBanner(directory: string | undefined, source: BannerSource): () => void {
  if (directory === undefined) return () => undefined;
  const path = join(directory, "banner");
  let shown = "";
  let isFaulty = false;
  const look = () => {
    try {
      const text = bannerText(source, directory);
      if (text === shown) return utimesSync(path, new Date(), new Date());
      writeFileSync(`${path}.new`, text, { mode: 0o600 });
      renameSync(`${path}.new`, path);
      shown = text;
      isFaulty = false;
    } catch (error) {
      // A box without a banner serves as well; it is tried again, and told once.
      if (!isFaulty) source.onFault(error);
      isFaulty = true;
      shown = "";
    }
  };
  look();
  const looking = setInterval(look, LOOK_MILLIS);
  return () => {
    clearInterval(looking);
    rmSync(path, { force: true });
  };
}

function bannerText({ status, web }: BannerSource, directory: string): string {
  const { box, role, revision, groups, peer, alarms, system, hostname: named } = status();
  const { urls, certificate, claimCode } = web();
  const name = named === "" ? hostname() : named;
  const isConfigured = revision !== "";
  return banner({
    hostname: name,
    box,
    role,
    isConfigured,
    peer,
    vips: groups.map(({ addresses, state }) => `${addresses.join(", ")} (${state})`),
    // Multicast DNS answers while there is no configuration.
    urls: isConfigured || urls.length === 0 ? urls : [...urls, `https://${name}.local/`],
    fingerprint: certificate?.fingerprint ?? null,
    claimCode,
    version: system.version,
    slot: system.slot,
    alarms: alarms.filter(({ kind }) => kind !== "no-configuration").map(({ sentence }) => sentence),
    backupFiles: isConfigured ? [] : foundBackupFiles(directory).map((file) => basename(file)),
  });
}
