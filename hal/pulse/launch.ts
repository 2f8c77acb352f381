/** Starts the pulse program and speaks with it over a socket pair. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { HalError } from "../contract/error.ts";
import type { PulseLauncher } from "../contract/pulse.ts";
import type { PulseCommand } from "../units/pulse.ts";
import { encodeCommand, ReportReader } from "./protocol.ts";

const PROGRAM = fileURLToPath(new URL("../build/pulse", import.meta.url));

export function openPulse(): PulseLauncher {
  return {
    start({ gatePin, priority, onReport, onExit }) {
      if (!existsSync(PROGRAM)) throw new HalError("ENOENT", "execve", `${PROGRAM} is missing; run ./build.sh setup`);
      const child = spawn(PROGRAM, [gatePin, String(priority)], { stdio: ["ignore", "ignore", "inherit", "pipe"] });
      const socket = child.stdio[3];
      if (!(socket instanceof Socket)) throw new HalError("EINVAL", "socketpair", "pulse got no socket");
      const reader = new ReportReader();
      let open = true;
      socket.on("data", (bytes: Buffer) => {
        for (const report of reader.push(bytes)) onReport(report);
      });
      // A write to a pulse that just died fails here; its exit is what counts and comes by itself.
      socket.on("error", () => socket.destroy());
      child.on("error", (error) => finish(`cannot start: ${error.message}`));
      child.on("exit", (code, signal) => finish(signal === null ? `exit status ${code}` : `signal ${signal}`));
      function finish(reason: string): void {
        if (!open) return;
        open = false;
        onExit(reason);
      }
      return {
        send(command: PulseCommand) {
          if (open && socket.writable) socket.write(encodeCommand(command));
        },
        close() {
          socket.end();
        },
      };
    },
  };
}
