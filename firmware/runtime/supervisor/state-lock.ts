/**
 * One box per state directory: the supervisor holds the lock of `DIR/lock` for as long as it lives, and says on
 * `DIR/supervisor.sock` how its children are: whoever connects is told in one line.
 */
import { rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { lockFile } from "@futago/hal/board/file-lock.ts";
import type { SupervisorReport } from "../control.ts";
import { ExitCode, RefusalError } from "../exit-code.ts";

export const SUPERVISOR_SOCKET = "supervisor.sock";
/** sizeof(sun_path) of unix(7), less the terminating zero byte. */
const SOCKET_PATH_BYTES_MAX = 107;

export interface StateLock {
  release(): void;
}

/** Refuses with exit code 6 when another box runs in the directory. */
export async function lockState(directory: string, report: () => SupervisorReport): Promise<StateLock> {
  const path = join(directory, SUPERVISOR_SOCKET);
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) throw tooLong(directory);
  const lock = lockFile(join(directory, "lock"));
  if (lock === undefined) throw inUse(directory);
  // Nobody else runs here, so a socket file is a dead supervisor's.
  rmSync(path, { force: true });
  const server = await listen(path, report);
  return {
    release: () => {
      rmSync(path, { force: true });
      server.close();
      lock.release();
    },
  };
}

function listen(path: string, report: () => SupervisorReport): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.end(`${JSON.stringify(report())}\n`);
    });
    server.once("error", reject);
    server.listen({ path }, () => resolve(server));
    server.unref();
  });
}

function inUse(directory: string): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.conflict,
    what: "the state directory is in use by another running box",
    where: directory,
    mend: `Stop that box first, or give this one another directory with --state. \`futago status --state ${directory}\` shows it.`,
  });
}

function tooLong(directory: string): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.usage,
    what: "the path is too long for the sockets that are made in it",
    where: directory,
    mend: "Choose a state directory of at most 80 bytes with --state.",
  });
}
