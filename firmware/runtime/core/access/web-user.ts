/** As whom the web process runs, and the directory where it finds core. */
import { chmodSync, lchownSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const NAME = "futago-web";
/** Of a machine that knows no such user. */
const NUMBER = 64_910;

export interface WebUser {
  readonly uid: number;
  readonly gid: number;
}

export function webUser(passwd = readPasswd()): WebUser {
  const fields = passwd
    .split("\n")
    .find((line) => line.startsWith(`${NAME}:`))
    ?.split(":");
  const [uid, gid] = [Number(fields?.[2]), Number(fields?.[3])];
  // Root is no user without privileges, whatever the file says.
  const isGood = Number.isInteger(uid) && Number.isInteger(gid) && uid > 0 && gid > 0;
  return isGood ? { uid, gid } : { uid: NUMBER, gid: NUMBER };
}

/**
 * Root's, so that its user can go through it to the socket, and neither put anything in the socket's place, which would
 * keep core from starting, nor fill the disk.
 */
export function makeWebDirectory(stateDirectory: string, { gid }: WebUser): string {
  const path = join(stateDirectory, "web");
  mkdirSync(path, { recursive: true, mode: 0o700 });
  lchownSync(path, 0, gid);
  chmodSync(path, 0o710);
  return path;
}

function readPasswd(): string {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch {
    // A machine without one knows no users.
    return "";
  }
}
