/**
 * The hardware of a guest that has some: QEMU's watchdog, and its control line for a guest that presses keys. The guest
 * writes what is to be done to QEMU into the file `press` of its report, which is gone when it is done.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Qmp } from "./appliance/qmp.ts";

const LOOK_MILLIS = 50;

/** A machine whose watchdog resets it, with a control line under `report`. */
export function boardArguments(report: string): readonly string[] {
  return ["-device", "i6300esb", "-action", "watchdog=reset", "-qmp", `unix:${report}/qmp.sock,server=on,wait=off`];
}

export interface Press {
  readonly command: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Does what the guest asks for, until it is ended. What QEMU tells of by itself lies in the file `events`. */
export function serveBoard(report: string): { readonly end: () => void } {
  const file = `${report}/press`;
  let qmp: Promise<Qmp> | undefined;
  const timer = setInterval(() => {
    void look();
  }, LOOK_MILLIS);
  let busy = false;
  async function look(): Promise<void> {
    if (busy || !existsSync(`${report}/qmp.sock`)) return;
    busy = true;
    qmp ??= Qmp.connect(`${report}/qmp.sock`);
    const line = await qmp;
    writeFileSync(`${report}/events`, line.events.join("\n"));
    if (existsSync(file)) {
      const { command, parameters } = JSON.parse(readFileSync(file, "utf8")) as Press;
      await line.execute(command, parameters);
      rmSync(file);
    }
    busy = false;
  }
  return {
    end: () => {
      clearInterval(timer);
      void qmp?.then((line) => line.close());
    },
  };
}
