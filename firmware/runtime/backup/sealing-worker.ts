/** The thread in which a backup file is sealed or opened: one order, then it ends. */
import { parentPort, workerData } from "node:worker_threads";
import { seal, unseal } from "./container.ts";
import type { SealOrder } from "./sealing.ts";

if (parentPort === null) throw new Error("the thread that seals runs as a worker thread only");
const order = workerData as SealOrder;
const done =
  order.kind === "seal" ? await seal(order.text, order.passphrase) : await unseal(order.sealed, order.passphrase);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window and has no origin.
parentPort.postMessage(done);
