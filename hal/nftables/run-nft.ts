/** Runs nft(8): no shell, what it is to do on its standard input, and an end in any case. */
import { execFile, type ExecFileException } from "node:child_process";
import { HalError } from "../contract/error.ts";

/** Rules of thousands of backends take a second on a slow machine. */
const TIME_MILLIS_MAX = 20_000;
const OUTPUT_BYTES_MAX = 64 << 20;
/** Its own complaint; what follows quotes the document. */
const COMPLAINT_CHARACTERS_MAX = 300;
/** Daemons are often started without the directories of the administrator. */
const ENVIRONMENT = { PATH: "/usr/sbin:/sbin:/usr/bin:/bin", LC_ALL: "C" };

/** What it printed. `argv` holds no data. Throws HalError: ENOENT where something that is named is not there. */
export function runNft(argv: readonly string[], input = ""): Promise<string> {
  const limits = { timeout: TIME_MILLIS_MAX, killSignal: "SIGKILL", maxBuffer: OUTPUT_BYTES_MAX } as const;
  return new Promise((resolve, reject) => {
    const child = execFile("nft", [...argv], { ...limits, env: ENVIRONMENT }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(refusal(error, stderr));
    });
    child.stdin?.on("error", () => {
      // It ended without reading everything; its exit code tells what matters.
    });
    child.stdin?.end(input);
  });
}

function refusal(error: ExecFileException, stderr: string): HalError {
  if (error.code === "ENOENT")
    return new HalError("ENOTSUP", "nft", "the program nft is not installed", { cause: error });
  if (error.killed === true) return new HalError("ETIMEDOUT", "nft", "it did not end in time", { cause: error });
  const complaint = stderr.trim().slice(0, COMPLAINT_CHARACTERS_MAX) || error.message;
  const code = /^[^\n]*No such file or directory$/m.test(complaint) ? "ENOENT" : "EINVAL";
  return new HalError(code, "nft", complaint, { cause: error });
}
