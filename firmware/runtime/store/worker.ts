/** The worker thread of the store: opens the database of the directory in workerData and answers calls in order. */
import { parentPort, workerData } from "node:worker_threads";
import type { StoreDatabase } from "./database.ts";
import { openDatabase } from "./opening.ts";
import type { CallName, Reply, Request } from "./request.ts";
import { Upkeep } from "./upkeep.ts";

if (parentPort === null) throw new Error("the store's worker runs in a worker thread only");
const port = parentPort;
const send = (reply: Reply): void => port.postMessage(reply);

/** After these there may be something to pack or to drop. */
const adding: ReadonlySet<CallName> = new Set(["append", "keep", "adopt"]);

const opened = openDatabase(workerData as string);
if (opened.ok) {
  const { database } = opened;
  const upkeep = new Upkeep(() => compact(database));
  port.on("message", (request: Request) => {
    if (request.name === "close") upkeep.stop();
    send(answer(database, request));
    if (request.name === "close") port.close();
    if (adding.has(request.name)) upkeep.soon();
  });
  upkeep.soon();
  send({ kind: "opened", recovered: undefined });
} else {
  const { code, what, mend } = opened;
  send({ kind: "notOpened", refusal: { code, what, mend } });
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
