/** Asks the updater, a process of its own that may do what core may not; one connection for each request. */
import { connect } from "node:net";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { LineReader, parseObject } from "../../line-reader.ts";
import {
  type Progress,
  UPDATER_LINE_BYTES_MAX,
  type UpdaterMethod,
  type UpdaterMethods,
  type UpdaterReply,
} from "../../update/protocol.ts";

export type AskUpdater = <Method extends UpdaterMethod>(
  method: Method,
  params: UpdaterMethods[Method]["params"],
  onProgress?: (progress: Progress) => void,
) => Promise<UpdaterMethods[Method]["result"]>;

const ANSWER_MILLIS_MAX = 60_000;
/** Of a slow disk: half a gibibyte at 500 KB a second. */
const INSTALL_MILLIS_MAX = 1_200_000;

/** Refuses by RefusalError: in the updater's words, or because it is not there. */
export function updaterAt(path: string): AskUpdater {
  return (method, params, onProgress) =>
    new Promise((resolve, reject) => {
      const socket = connect({ path });
      const lines = new LineReader(UPDATER_LINE_BYTES_MAX);
      const millis = method === "install" ? INSTALL_MILLIS_MAX : ANSWER_MILLIS_MAX;
      const fail = (why: string) => {
        socket.destroy();
        reject(away(why));
      };
      const late = setTimeout(() => fail(`it did not answer within ${millis / 1_000} s`), millis);
      socket.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
      socket.on("close", () => {
        clearTimeout(late);
        reject(away("it went away"));
      });
      socket.on("connect", () => socket.write(`${JSON.stringify({ id: 1, method, params })}\n`));
      socket.on("data", (chunk: Buffer) => {
        for (const line of lines.push(chunk)) {
          const reply = parseObject(line) as UpdaterReply | undefined;
          if (reply === undefined) return fail("its answer cannot be read");
          if ("progress" in reply) onProgress?.(reply.progress);
          else if ("error" in reply) reject(new RefusalError({ exitCode: ExitCode.failed, ...reply.error }));
          else resolve(reply.result as UpdaterMethods[typeof method]["result"]);
          if (!("progress" in reply)) socket.end();
        }
        if (lines.overflow) fail("its answer is too long");
      });
    });
}

function away(why: string): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.failed,
    reason: "updaterAway",
    what: `the updater, which reads and writes the slots, cannot be asked: ${why}`,
    mend: "`systemctl status futago-updater.socket` tells whether it runs.",
  });
}
