/** `futago console`: the menu of firmware/console on a terminal, with the box behind it. */
import { spawn } from "node:child_process";
import { BEGIN, type Input, type State, step, type Wish } from "../console/dialogue.ts";
import { draw, wrapped } from "../console/draw.ts";
import type { Facts } from "../console/facts.ts";
import { readKeys } from "../console/keys.ts";
import { ExitCode, formatRefusal, RefusalError } from "../runtime/exit-code.ts";
import { ask, signInAtBox } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { gatherFacts, NO_FACTS } from "./console-facts.ts";
import { resetBox } from "./factory-reset.ts";
import { author, refuse } from "./output.ts";
import { renderCommitted } from "./render-configuration.ts";
import { Screen } from "./screen.ts";

/** What is shown is at most so old. */
const REFRESH_MILLIS = 1_000;
/** The rest of a key's letters come within this time, on the slowest line, too. */
const KEY_MILLIS = 100;
/** Somebody who went away must not leave the box open. */
const SIGNED_IN_MILLIS = 600_000;

export async function runConsole(command: CommandOf<"console">): Promise<number> {
  if (process.stdin.isTTY && process.stdout.isTTY) return new Console(command.stateDirectory, command.signIn).run();
  const what = "the console menu needs a terminal";
  return refuse({ exitCode: ExitCode.usage, what, mend: "`futago --help` lists the verbs for scripts." }, command.json);
}

class Console {
  readonly #stateDirectory: string;
  readonly #screen = new Screen(process.stdout);
  #state: State = BEGIN;
  #facts: Facts = NO_FACTS;
  #unread = "";
  #keyTimer: NodeJS.Timeout | undefined;
  #isAway = false;
  /** Looks at the box, and the newest of them that is shown: an older answer may come later. */
  #looks = 0;
  #shown = 0;
  #leave: () => void = () => undefined;

  /** Of the console's own clock, in milliseconds: so long nobody has to sign in. Undefined where nobody ever has to. */
  #openUntil: number | undefined;
  /** What is known of the users was told by the box. */
  #isKnown = false;

  constructor(stateDirectory: string, signIn: boolean) {
    this.#stateDirectory = stateDirectory;
    this.#openUntil = signIn ? 0 : undefined;
    this.#facts = { ...NO_FACTS, isLocked: signIn };
  }

  async run(): Promise<number> {
    const left = new Promise<void>((resolve) => (this.#leave = resolve));
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, this.#leave);
    process.stdin.setEncoding("latin1").on("data", (text: string) => this.#read(text));
    process.stdin.once("end", this.#leave);
    this.#attach();
    const refreshing = setInterval(() => void this.#refresh(), REFRESH_MILLIS);
    await this.#refresh();
    await left;
    clearInterval(refreshing);
    this.#detach();
    return ExitCode.done;
  }

  #attach(): void {
    process.stdin.setRawMode(true).resume();
    this.#isAway = false;
    this.#paint();
  }

  #detach(): void {
    this.#isAway = true;
    this.#screen.leave();
    process.stdin.setRawMode(false).pause();
  }

  #read(text: string): void {
    clearTimeout(this.#keyTimer);
    this.#take(this.#unread + text, false);
    if (this.#unread !== "") this.#keyTimer = setTimeout(() => this.#take(this.#unread, true), KEY_MILLIS);
  }

  #take(text: string, isAll: boolean): void {
    const { keys, rest } = readKeys(text, isAll);
    this.#unread = rest;
    for (const key of keys) this.#step({ kind: "key", key });
  }

  #step(input: Input): void {
    const before = this.#state;
    const { state, actions } = step(before, input, this.#facts);
    if (input.kind === "key") this.#stayOpen();
    this.#state = state;
    this.#paint();
    if (state.kind !== before.kind) void this.#refresh();
    for (const action of actions) {
      switch (action.kind) {
        case "redraw":
          this.#screen.forget();
          this.#paint();
          break;
        case "leave":
          this.#leave();
          break;
        case "shell":
          void this.#shell();
          break;
        case "do":
          void this.#do(action.wish);
      }
    }
  }

  async #refresh(): Promise<void> {
    const look = ++this.#looks;
    const page = this.#state.kind === "page" ? this.#state.page : undefined;
    const facts = await gatherFacts(this.#stateDirectory, this.#facts, page);
    if (look < this.#shown) return;
    this.#shown = look;
    this.#isKnown ||= facts.trouble === undefined;
    this.#facts = { ...facts, isLocked: this.#isLocked(facts) };
    this.#paint();
  }

  /** A box that cannot be asked whether it has an owner counts as one that has. */
  #isLocked({ users }: Facts): boolean {
    if (this.#openUntil === undefined || performance.now() < this.#openUntil) return false;
    return !this.#isKnown || users.length > 0;
  }

  /** Whoever signed in stays so while he types. */
  #stayOpen(): void {
    if (this.#openUntil !== undefined && performance.now() < this.#openUntil) this.#open();
  }

  #open(): void {
    this.#openUntil = performance.now() + SIGNED_IN_MILLIS;
  }

  async #signIn(name: string, password: string): Promise<readonly string[]> {
    const { user } = await signInAtBox(this.#stateDirectory, name, password);
    if (user.role !== "admin") {
      const mend = "Sign in as an admin, or use the web UI.";
      throw new RefusalError({ exitCode: ExitCode.failed, what: `${user.name} is no admin`, mend });
    }
    this.#open();
    return [`Welcome, ${user.name}. Who types nothing for ten minutes is signed out.`];
  }

  #paint(): void {
    if (!this.#isAway) this.#screen.show(draw(this.#state, this.#facts));
  }

  async #do(wish: Wish): Promise<void> {
    let outcome: Input;
    try {
      outcome = { kind: "outcome", ok: true, lines: await this.#carryOut(wish) };
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      outcome = { kind: "outcome", ok: false, lines: formatRefusal(error.refusal).split("\n") };
    }
    // What was true before it is no ground to refuse the next thing.
    await this.#refresh();
    this.#step(outcome);
  }

  async #carryOut(wish: Wish): Promise<readonly string[]> {
    const by = { author: author(), comment: "from the console menu" };
    switch (wish.kind) {
      case "switchover":
        return [sentence((await ask(this.#stateDirectory, "switchover", {})).message)];
      case "rollback":
        return lines(renderCommitted(await ask(this.#stateDirectory, "rollback", { to: wish.to, ...by })));
      case "confirm": {
        const { revision, force } = wish;
        return [(await ask(this.#stateDirectory, "confirm", { revision, force, author: by.author })).message];
      }
      case "maintenance":
        return [sentence((await ask(this.#stateDirectory, "maintenance", { on: wish.on })).message)];
      case "power":
        return [(await ask(this.#stateDirectory, "power", { end: wish.end })).message];
      case "reset":
        return [await resetBox(this.#stateDirectory, false)];
      case "otherSlot":
        return [(await ask(this.#stateDirectory, "updateBack", { author: by.author })).message];
      case "signIn":
        return this.#signIn(wish.name, wish.password);
      case "set":
        return this.#set(wish.path, wish.value, by);
      case "verb": {
        const [verb = "", ...operands] = wish.words;
        const options = ["--state", this.#stateDirectory, ...(wish.replace === true ? ["--replace"] : [])];
        // Behind "--" whatever somebody typed is an operand.
        const words = [process.argv[1] ?? "", verb, ...options, "--", ...operands];
        await this.#away(process.execPath, [...process.execArgv, ...words], "Press Enter to go on.");
        return [];
      }
    }
  }

  /** One change and nothing else: what somebody edits is not committed with it. */
  async #set(path: string, value: string, by: { readonly author: string; readonly comment: string }) {
    const { authors } = await ask(this.#stateDirectory, "diff", {});
    if (authors.length > 0) {
      const names = authors.map((one) => one.author).join(" and ");
      const what = `${names} edited the configuration and has not committed it yet`;
      throw new RefusalError({
        exitCode: ExitCode.conflict,
        what,
        mend: "Say `futago commit` or `futago discard` first.",
      });
    }
    await ask(this.#stateDirectory, "set", { path, value, author: by.author });
    try {
      return lines(renderCommitted(await ask(this.#stateDirectory, "commit", by)));
    } catch (error) {
      await ask(this.#stateDirectory, "discard", { author: by.author, force: false });
      throw error;
    }
  }

  async #shell(): Promise<void> {
    const shell = process.env["SHELL"] ?? "";
    await this.#away(shell === "" ? "/bin/sh" : shell, [], undefined);
  }

  /** Lends the terminal to a program, without a shell in between. */
  async #away(program: string, words: readonly string[], after: string | undefined): Promise<void> {
    this.#detach();
    await new Promise<void>((resolve) => {
      const child = spawn(program, words, { stdio: "inherit", shell: false });
      child.once("error", () => resolve());
      child.once("exit", () => resolve());
    });
    if (after !== undefined) {
      process.stdout.write(`\n${after}`);
      await new Promise((resolve) => process.stdin.resume().once("data", resolve));
    }
    this.#attach();
  }
}

/** The sentinel answers in half sentences. */
function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

function lines(text: string): readonly string[] {
  return text.trimEnd().split("\n").flatMap(wrapped);
}
