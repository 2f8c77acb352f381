/** Whether each box that runs answers this machine's browser through its door. */
import { get } from "node:https";
import type { Finding } from "./expectations.ts";
import type { Lab } from "./lab.ts";
import { BOXES } from "./topology.ts";

const ANSWER_MILLIS_MAX = 2_000;

export async function web({ boxes }: Pick<Lab, "boxes">): Promise<Finding> {
  const running = BOXES.filter((box) => boxes[box].power === "on");
  const seen = await Promise.all(
    running.map(async (box) => {
      const shown = await boxes[box].web();
      const answer = shown === undefined ? "no door" : await healthOf(new URL("/healthz", shown.url));
      return { text: `${box}: ${answer}`, holds: answer === `box ${box}` };
    }),
  );
  return { holds: seen.every((one) => one.holds), seen: seen.map(({ text }) => text).join(", ") };
}

/** "box a", or what went wrong. A box signs its certificate itself. */
function healthOf(url: URL): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { rejectUnauthorized: false, timeout: ANSWER_MILLIS_MAX, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("close", () => resolve(boxOf(text)));
    });
    request.on("timeout", () => request.destroy(new Error("silence")));
    request.on("error", (error) => resolve(error.message));
  });
}

function boxOf(text: string): string {
  try {
    return `box ${(JSON.parse(text) as { box: string }).box}`;
  } catch {
    return `no JSON: ${text.slice(0, 60)}`;
  }
}
