/** The worker thread of the store: opens the database of the directory in workerData and answers calls in order. */
import { parentPort, workerData } from "node:worker_threads";
import { CopyFile } from "./copy-file.ts";
import type { StoreDatabase } from "./database.ts";
import { openRecovering } from "./recovery.ts";
import { refusalOf } from "./refusal.ts";
import type { CallName, Reply, Request } from "./request.ts";
import { Upkeep } from "./upkeep.ts";

if (parentPort === null) throw new Error("the store's worker runs in a worker thread only");
const port = parentPort;
const send = (reply: Reply): void => port.postMessage(reply);

/** After these there may be something to pack or to drop. */
const adding: ReadonlySet<CallName> = new Set(["append", "keep", "adopt"]);
/** After these the copy beside the database is to be another. */
const copied: ReadonlySet<CallName> = new Set(["append", "adopt", "moveHead", "confirm", "putSetting"]);

const directory = workerData as string;
const opened = openRecovering(directory);
if (opened.ok) serve(opened.database, opened.recovered);
else send({ kind: "notOpened", refusal: { code: opened.code, what: opened.what, mend: opened.mend } });

function serve(database: StoreDatabase, recovered: string | undefined): void {
  const upkeep = new Upkeep(() => compact(database));
  const copy = new CopyFile(
    directory,
    () => database.copy(),
    (trouble) => send({ kind: "copy", trouble }),
  );
  port.on("message", (request: Request) => {
    if (request.name === "close") void close(request);
    else if (request.name === "forgetHead") void forgetHead(request);
    else send(answer(database, request));
    if (adding.has(request.name)) upkeep.soon();
    if (copied.has(request.name)) copy.soon();
  });
  send({ kind: "opened", recovered });
  upkeep.soon();
  copy.soon();

  async function forgetHead(request: Request): Promise<void> {
    try {
      await copy.drop();
    } catch (error) {
      const refused = refusalOf(error, directory);
      if (refused === undefined) throw error;
      return send({ kind: "refused", id: request.id, refusal: refused });
    }
    send(answer(database, request));
    copy.soon();
  }

  async function close(request: Request): Promise<void> {
    upkeep.stop();
    await copy.write();
    send(answer(database, request));
    port.close();
  }
}

/** True when there is more to do. */
function compact(database: StoreDatabase): boolean {
  try {
    return database.compact();
  } catch (error) {
    // A disk that refuses: nothing is lost, what is old stays large until the next change.
    if (database.refusalOf(error) === undefined) throw error;
    return false;
  }
}

function answer(database: StoreDatabase, { id, name, arguments: values }: Request): Reply {
  try {
    // The client's types made sure that the arguments fit the name.
    const call = database[name] as (...values: readonly unknown[]) => unknown;
    return { kind: "done", id, result: call.apply(database, [...values]) };
  } catch (error) {
    const refusal = database.refusalOf(error);
    if (refusal === undefined) throw error;
    return { kind: "refused", id, refusal };
  }
}
