/** A directory as a cpio archive that the kernel unpacks: in the order of names, everything root's, no clock but one. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

const ALIGNMENT = 4;

/** @see Documentation/driver-api/early-userspace/buffer-format.rst */
export function cpio(root: string, time: number): Buffer {
  const parts: Buffer[] = [];
  let inode = 1;
  const walk = (path: string) => {
    for (const name of readdirSync(`${root}/${path}`).toSorted()) {
      const inner = path === "" ? name : `${path}/${name}`;
      const { mode, isDirectory, content } = read(`${root}/${inner}`);
      parts.push(entry(inner, mode, inode++, time, content));
      if (isDirectory) walk(inner);
    }
  };
  walk("");
  return Buffer.concat([...parts, entry("TRAILER!!!", 0, 0, 0, Buffer.alloc(0))]);
}

function read(path: string): { readonly mode: number; readonly isDirectory: boolean; readonly content: Buffer } {
  const { mode, ...found } = lstatSync(path);
  const isDirectory = (mode & 0o170000) === 0o040000;
  const isLink = (mode & 0o170000) === 0o120000;
  if (!isDirectory && !isLink && (mode & 0o170000) !== 0o100000) throw new Error(`${path} is no file (${found.ino})`);
  const content = isLink ? Buffer.from(readlinkSync(path)) : isDirectory ? Buffer.alloc(0) : readFileSync(path);
  return { mode, isDirectory, content };
}

function entry(name: string, mode: number, inode: number, time: number, content: Buffer): Buffer {
  const numbers = [inode, mode, 0, 0, 1, time, content.length, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0];
  const head = `070701${numbers.map((number) => number.toString(16).padStart(8, "0")).join("")}${name}\0`;
  return Buffer.concat([padded(Buffer.from(head)), padded(content)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (ALIGNMENT - 1))]);
}
