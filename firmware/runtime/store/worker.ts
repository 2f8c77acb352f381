/** The worker thread of the store: opens the database of the directory in workerData and answers calls in order. */
import { parentPort, workerData } from "node:worker_threads";
import type { StoreDatabase } from "./database.ts";
import { openDatabase } from "./opening.ts";
import type { Reply, Request } from "./request.ts";

if (parentPort === null) throw new Error("the store's worker runs in a worker thread only");
const port = parentPort;
const send = (reply: Reply): void => port.postMessage(reply);

const opened = openDatabase(workerData as string);
if (opened.ok) {
  const { database } = opened;
  port.on("message", (request: Request) => {
    send(answer(database, request));
    if (request.name === "close") port.close();
  });
  send({ kind: "opened", recovered: undefined });
} else {
  const { code, what, mend } = opened;
  send({ kind: "notOpened", refusal: { code, what, mend } });
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
