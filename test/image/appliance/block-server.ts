/**
 * Serves a disk to QEMU, and stops in the middle of whatever it does. One client, no options but the size, flush and writes that
 * are durable by themselves (FUA).
 *
 * @see the NBD protocol, NetworkBlockDevice/nbd doc/proto.md
 */
import { createServer, type Server, type Socket } from "node:net";
import type { VolatileDisk } from "./volatile-disk.ts";

const OPTION_MAGIC = Buffer.from("IHAVEOPT");
const REPLY_MAGIC = 0x3e889045565a9n;
const REQUEST_MAGIC = 0x25609513;
const ANSWER_MAGIC = 0x67446698;
const FIXED_NEWSTYLE = 1;
const NO_ZEROES = 2;
const OPTION_GO = 7;
const UNSUPPORTED = 0x80000001;
const ACKNOWLEDGED = 1;
const INFO = 3;
/** It has flags, takes flushes, and takes FUA. */
const FLAGS = 1 | 4 | 8;
const FUA = 1;
const CLIENT_FLAGS_BYTES = 4;
const OPTION_BYTES = 16;
const REQUEST_BYTES = 28;
const COMMANDS = ["read", "write", "end", "flush"] as const;

/** Called before a write is taken; the disk stops for good, with this write, when it returns true. */
export type Watch = (at: number, bytes: number) => boolean;

export class BlockServer {
  readonly #disk: VolatileDisk;
  readonly #server: Server;
  #phase: "flags" | "options" | "requests" = "flags";
  #received = Buffer.alloc(0);
  #isStopped = false;
  watch: Watch = () => false;

  private constructor(disk: VolatileDisk) {
    this.#disk = disk;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async listen(disk: VolatileDisk, path: string): Promise<BlockServer> {
    const server = new BlockServer(disk);
    await new Promise<void>((resolve) => server.#server.listen(path, resolve));
    return server;
  }

  /** Nothing is taken or answered from now on. */
  stop(): void {
    this.#isStopped = true;
  }

  close(): void {
    this.stop();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    this.#phase = "flags";
    this.#received = Buffer.alloc(0);
    // QEMU is killed in the middle of a request.
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      while (!this.#isStopped && this.#take(socket));
    });
    const greeting = Buffer.alloc(18);
    greeting.write("NBDMAGIC");
    OPTION_MAGIC.copy(greeting, 8);
    greeting.writeUInt16BE(FIXED_NEWSTYLE | NO_ZEROES, 16);
    socket.write(greeting);
  }

  /** False when what has come is not whole yet. */
  #take(socket: Socket): boolean {
    if (this.#phase === "requests") return this.#request(socket);
    if (this.#phase === "options") return this.#option(socket);
    if (this.#shift(CLIENT_FLAGS_BYTES) === undefined) return false;
    this.#phase = "options";
    return true;
  }

  #option(socket: Socket): boolean {
    if (this.#received.length < OPTION_BYTES) return false;
    const whole = this.#shift(OPTION_BYTES + this.#received.readUInt32BE(12));
    if (whole === undefined) return false;
    const option = whole.readUInt32BE(8);
    const reply = (type: number, data = Buffer.alloc(0)) => {
      const head = Buffer.alloc(20);
      head.writeBigUInt64BE(REPLY_MAGIC);
      head.writeUInt32BE(option, 8);
      head.writeUInt32BE(type, 12);
      head.writeUInt32BE(data.length, 16);
      socket.write(Buffer.concat([head, data]));
    };
    if (option !== OPTION_GO) {
      reply(UNSUPPORTED);
      return true;
    }
    const info = Buffer.alloc(12);
    info.writeBigUInt64BE(BigInt(this.#disk.bytes), 2);
    info.writeUInt16BE(FLAGS, 10);
    reply(INFO, info);
    reply(ACKNOWLEDGED);
    this.#phase = "requests";
    return true;
  }

  #request(socket: Socket): boolean {
    if (this.#received.length < REQUEST_BYTES) return false;
    const head = this.#received;
    if (head.readUInt32BE(0) !== REQUEST_MAGIC) throw new Error("QEMU's request does not begin as one");
    const command = COMMANDS[head.readUInt16BE(6)];
    const length = head.readUInt32BE(24);
    const whole = this.#shift(REQUEST_BYTES + (command === "write" ? length : 0));
    if (whole === undefined) return false;
    const at = Number(whole.readBigUInt64BE(16));
    const answer = Buffer.alloc(16);
    answer.writeUInt32BE(ANSWER_MAGIC);
    whole.copy(answer, 8, 8, 16);
    const data = this.#do(command, at, length, whole);
    if (!this.#isStopped && command !== "end")
      socket.write(data === undefined ? answer : Buffer.concat([answer, data]));
    return true;
  }

  #do(command: (typeof COMMANDS)[number] | undefined, at: number, length: number, whole: Buffer): Buffer | undefined {
    switch (command) {
      case "read":
        return this.#disk.read(at, length);
      case "write":
        if (this.watch(at, length)) this.stop();
        // Durable once it is answered; one that is cut off before may be lost.
        this.#disk.write(at, whole.subarray(REQUEST_BYTES), (whole.readUInt16BE(4) & FUA) !== 0 && !this.#isStopped);
        return;
      case "flush":
        this.#disk.flush();
        return;
      case "end":
        return;
      case undefined:
        throw new Error("QEMU asked for what it was not offered");
    }
  }

  #shift(bytes: number): Buffer | undefined {
    if (this.#received.length < bytes) return undefined;
    const taken = this.#received.subarray(0, bytes);
    this.#received = this.#received.subarray(bytes);
    return taken;
  }
}
