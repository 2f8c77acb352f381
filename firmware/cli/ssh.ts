/** `futago ssh on FILE|off|status`: the files that the units of the image look at. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, RefusalError } from "../runtime/exit-code.ts";
import { fileTrouble, syncDirectory, writeWhole } from "../runtime/files.ts";
import type { CommandOf } from "./command.ts";
import { answer, said } from "./output.ts";
import { type PublicKey, readPublicKeys } from "./ssh-keys.ts";

/** Made by the image at each start, and by nothing else. */
const PLACE = "/data/system/ssh";
const KEYS = join(PLACE, "authorized_keys");
const FILE_BYTES_MAX = 65_536;

export function ssh(command: CommandOf<"ssh">): number {
  if (!existsSync(PLACE)) {
    const mend = "On another system its own sshd decides who may come in.";
    throw new RefusalError({ exitCode: ExitCode.failed, what: "this system is no image of Futago", mend });
  }
  switch (command.word) {
    case "on":
      return on(command);
    case "off":
      rmSync(KEYS, { force: true });
      syncDirectory(PLACE);
      return said(command, "Nobody is let in by ssh any more.");
    case "status":
      return answer(command, shown(), renderSsh);
  }
}

function on(command: CommandOf<"ssh">): number {
  const read = readPublicKeys(readFile(command.file));
  if ("wrong" in read) throw noKeys(command.file, read.wrong);
  writeWhole(KEYS, read.keys.map(({ line }) => `${line}\n`).join(""));
  syncDirectory(PLACE);
  const who = read.keys.length === 1 ? "the key" : `one of the ${read.keys.length} keys`;
  return said(
    command,
    `Whoever has ${who} may come in as root, in a few seconds. \`futago ssh status\` shows the box's own.`,
  );
}

function readFile(file: string): string {
  try {
    const bytes = readFileSync(file === "-" ? 0 : file);
    return bytes.length > FILE_BYTES_MAX ? "" : bytes.toString("latin1");
  } catch (error) {
    const what = `the public keys cannot be read: ${fileTrouble(error)}`;
    throw new RefusalError({
      exitCode: ExitCode.usage,
      what,
      where: file,
      mend: "Give the path of a file like id_ed25519.pub.",
    });
  }
}

function noKeys(where: string, line: number | undefined): RefusalError {
  const what = line === undefined ? "there is no public key in it" : `line ${line} is no public key`;
  const mend =
    "Each line is one as `ssh-keygen` writes it, such as: ssh-ed25519 AAAA... anna. The private key stays with you.";
  return new RefusalError({ exitCode: ExitCode.usage, what, where, mend });
}

export interface SshShown {
  readonly keys: readonly Pick<PublicKey, "kind" | "comment">[];
  /** "SHA256:…" as `ssh` asks about; null before the first time. */
  readonly hostKey: string | null;
}

function shown(): SshShown {
  const read = existsSync(KEYS) ? readPublicKeys(readFileSync(KEYS, "latin1")) : { wrong: undefined };
  const keys = "keys" in read ? read.keys.map(({ kind, comment }) => ({ kind, comment })) : [];
  const host = existsSync(`${PLACE}/host_key.pub`)
    ? readPublicKeys(readFileSync(`${PLACE}/host_key.pub`, "latin1"))
    : undefined;
  const blob = host !== undefined && "keys" in host ? host.keys[0]?.blob : undefined;
  return { keys, hostKey: blob === undefined ? null : fingerprintOf(blob) };
}

function fingerprintOf(blob: string): string {
  const digest = createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64");
  return `SHA256:${digest.replaceAll("=", "")}`;
}

function renderSsh({ keys, hostKey }: SshShown): string {
  if (keys.length === 0) return "ssh is off.\n";
  const lines = keys.map(({ kind, comment }) => `  ${kind} ${comment}`.trimEnd());
  const own = hostKey === null ? [] : [`The box's own key: ${hostKey}`];
  return `${["ssh lets in whoever has one of these keys:", ...lines, ...own].join("\n")}\n`;
}
