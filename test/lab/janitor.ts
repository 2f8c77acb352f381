/**
 * Waits for its standard input to end and then sweeps: the lab's own process may be killed in any way, by a closed
 * terminal or by SIGKILL, and nothing stays behind.
 *
 *   node janitor.ts PREFIX DIRECTORY
 */
import { sweep } from "./sweep.ts";

const [prefix, directory] = process.argv.slice(2);
if (prefix === undefined || directory === undefined) throw new Error("usage: janitor.ts PREFIX DIRECTORY");
process.stdin.resume().on("end", () => sweep(prefix, directory));
