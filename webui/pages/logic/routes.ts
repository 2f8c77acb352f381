/** Which page a path means, and which path a page has. */

export const pages = [
  "overview",
  "services",
  "addresses",
  "network",
  "pair",
  "history",
  "system",
  "logs",
  "diagnostics",
  "start",
] as const;
export type Page = (typeof pages)[number];

export interface Place {
  readonly page: Page;
  /** What follows the page's own word, such as the name of a service. */
  readonly rest: readonly string[];
}

/** Undefined: no such page. */
export function placeOf(path: string): Place | undefined {
  const [first = "", ...rest] = path.split("/").filter((part) => part !== "");
  const page = first === "" ? "overview" : pages.find((one) => one === first);
  if (page === undefined || (page === "overview" && rest.length > 0)) return undefined;
  return { page, rest: rest.map(decode) };
}

export function pathOf(page: Page, ...rest: readonly string[]): string {
  const head = page === "overview" ? "/" : `/${page}`;
  return rest.length === 0 ? head : `${head}/${rest.map(encodeURIComponent).join("/")}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A stray % in an address that somebody typed stands for itself.
    return part;
  }
}
