/** What a person chose at the boot menu, which puts it on the kernel's command line. Pure. */

export const BOOT_REQUESTS = ["reset-password", "factory-reset"] as const;
export type BootRequest = (typeof BOOT_REQUESTS)[number];

/** The last one counts, as with the kernel's own words; undefined where nothing was chosen. */
export function bootRequest(commandLine: string): BootRequest | undefined {
  const said = bootWord(commandLine, "futago.request");
  return BOOT_REQUESTS.find((request) => request === said);
}

/** The value of a word on the kernel's command line; "" where it is not there. */
export function bootWord(commandLine: string, name: string): string {
  const words = commandLine.trim().split(/\s+/);
  // What follows "--" is for the first program, and nobody's word to the kernel.
  const own = words.includes("--") ? words.slice(0, words.indexOf("--")) : words;
  return own.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
}
