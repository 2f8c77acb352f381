/**
 * The packet filter in memory: tables as the text that made them, and tracked connections that a test put there. Of
 * nft's language it knows whole tables of family inet, and refuses the rest.
 */
import { HalError } from "../contract/error.ts";
import type { MarkedConnections, Nftables } from "../contract/nftables.ts";

export class FakeNftables implements Nftables {
  /** By the whole mark. */
  readonly tracked = new Map<number, MarkedConnections>();
  /** What was applied, oldest first. */
  readonly applied: string[] = [];
  #tables = new Map<string, string>();
  #generation = 1;
  #refusal: HalError | undefined;

  apply(document: string): Promise<void> {
    return this.#answer(() => {
      const tables = new Map(this.#tables);
      for (const command of commandsOf(document)) carryOut(command, tables);
      this.#tables = tables;
      this.#generation++;
      this.applied.push(document);
    });
  }

  generation(): Promise<number> {
    return this.#answer(() => this.#generation);
  }

  table(name: string): Promise<string | undefined> {
    return this.#answer(() => {
      const body = this.#tables.get(name);
      return body === undefined ? undefined : `table inet ${name} {\n${body}}\n`;
    });
  }

  marked(mark: number, mask: number): Promise<ReadonlyMap<number, MarkedConnections>> {
    return this.#answer(() => new Map([...this.tracked].filter(([one]) => isMarked(one, mark, mask))));
  }

  forget(mark: number, mask: number): Promise<void> {
    return this.#answer(() => {
      for (const one of this.tracked.keys()) if (isMarked(one, mark, mask)) this.tracked.delete(one);
    });
  }

  close(): void {
    this.#refusal = new HalError("EBADF", "nft", "closed");
  }

  /** Of all that is asked from now on; undefined ends it. */
  refuse(error: HalError | undefined): void {
    this.#refusal = error;
  }

  async #answer<T>(answer: () => T): Promise<T> {
    if (this.#refusal !== undefined) throw this.#refusal;
    return answer();
  }
}

function isMarked(one: number, mark: number, mask: number): boolean {
  return (one & mask) >>> 0 === mark;
}

interface Command {
  readonly verb: "add" | "delete";
  readonly table: string;
  readonly body: string;
}

/** "table inet NAME {", lines, "}"; "table inet NAME"; "add table inet NAME"; "delete table inet NAME". */
function commandsOf(document: string): readonly Command[] {
  const commands: Command[] = [];
  const lines = document.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    if (line === "") continue;
    const [, verb, table = "", brace] = /^(add |delete )?table inet (\w+)( \{)?$/.exec(line) ?? refuse(line);
    const end = brace === undefined ? i : lines.indexOf("}", i);
    if (end < 0) refuse(line);
    const body = lines.slice(i + 1, end).map((one) => `${one}\n`);
    commands.push({
      verb: verb === "delete " ? "delete" : "add",
      table,
      body: brace === undefined ? "" : body.join(""),
    });
    i = end;
  }
  return commands;
}

function carryOut({ verb, table, body }: Command, tables: Map<string, string>): void {
  if (verb === "add") tables.set(table, (tables.get(table) ?? "") + body);
  else if (!tables.delete(table)) throw new HalError("ENOENT", "nft", `no table ${table}`);
}

function refuse(line: string): never {
  throw new HalError("EINVAL", "nft", `syntax error: ${line}`);
}
