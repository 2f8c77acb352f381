/** Gives the process's rights away, for good: it keeps what it loaded and the port it listens on. */
import { chmodSync, chownSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const USER = "futago-web";
/** Where no such user is: nobody else's, and the same on each box. */
const ID = 64_910;

export interface WebUser {
  readonly uid: number;
  readonly gid: number;
}

export function webUser(passwd: string): WebUser {
  for (const line of passwd.split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name === USER && Number(uid) > 0 && Number(gid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: ID, gid: ID };
}

export function readWebUser(): WebUser {
  try {
    return webUser(readFileSync("/etc/passwd", "utf8"));
  } catch {
    // A machine without users: the number will do.
    return { uid: ID, gid: ID };
  }
}

/** The way to core's socket, which is root's: its user changes nothing in it. As core makes it, whoever comes first. */
export function enterPlace(stateDirectory: string, { gid }: WebUser): void {
  const place = join(stateDirectory, "web");
  mkdirSync(place, { recursive: true, mode: 0o700 });
  chownSync(place, 0, gid);
  chmodSync(place, 0o710);
  process.chdir(place);
}

/** From here on nothing of root is left; capabilities go with the user. */
export function dropRights({ uid, gid }: WebUser): void {
  process.umask(0o077);
  process.setgroups?.([]);
  process.setgid?.(gid);
  process.setuid?.(uid);
  const isRoot = process.getuid?.() === 0 || process.geteuid?.() === 0 || process.getgid?.() === 0;
  if (isRoot) throw new Error("the web process is still root");
}
