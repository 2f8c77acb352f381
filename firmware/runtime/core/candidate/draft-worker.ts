/** The thread in which a large document is worked on: one order, then it ends. */
import { parentPort, workerData } from "node:worker_threads";
import { type Draft, draft } from "./drafting.ts";

if (parentPort === null) throw new Error("the thread that drafts runs as a worker thread only");
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window and has no origin.
parentPort.postMessage(draft(workerData as Draft));
