/**
 * Asks a box's API from inside a namespace: `web-client.ts HOST PORT`, one request a line on standard input, and on
 * standard output one line for each answer, or for each piece of a stream.
 */
import { Agent, request } from "node:https";
import { createInterface } from "node:readline";
import type { WebAnswer, WebQuestion } from "./web-rig.ts";

const [host = "", port = ""] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: 64 });
/** They stay open. */
const streamAgent = new Agent({ rejectUnauthorized: false });
const open = new Map<number, () => void>();
const say = (answer: WebAnswer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

createInterface({ input: process.stdin }).on("line", (line) => {
  const question = JSON.parse(line) as WebQuestion;
  if (question.close === true) open.get(question.id)?.();
  else ask(question);
});

function ask({ id, method, path, headers, body, stream }: WebQuestion): void {
  const sent = request(
    { host, port: Number(port), method, path, headers: { ...headers }, agent: stream === true ? streamAgent : agent },
    (answer) => {
      const parts: Buffer[] = [];
      const head = { id, status: answer.statusCode ?? 0, headers: answer.headers as Record<string, string> };
      if (stream === true) say({ ...head, body: "" });
      answer.on("data", (part: Buffer) => {
        if (stream === true) say({ id, chunk: part.toString("utf8") });
        else parts.push(part);
      });
      answer.on("end", () =>
        say(stream === true ? { id, ended: true } : { ...head, body: Buffer.concat(parts).toString("base64") }),
      );
      answer.on("error", () => say({ id, ended: true }));
    },
  );
  open.set(id, () => sent.destroy());
  sent.on("error", (error: NodeJS.ErrnoException) => say({ id, error: error.code ?? error.message }));
  if (body !== undefined) sent.write(Buffer.from(body, "base64"));
  sent.end();
}
