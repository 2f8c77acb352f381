/**
 * Drills of the pair: one box leads, both probe, the roles change for real, and both keep what came of it. What may be
 * drilled and what it may cost is for pair/drill to say.
 */
import { randomBytes } from "node:crypto";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Resolved } from "../../../config/resolved.ts";
import { together } from "../../../pair/drill/figures.ts";
import { allowedOf, type DrillStanding, drillRefusal, drillSentence, worseThan } from "../../../pair/drill/judge.ts";
import type { DrillBox, DrillMessage, DrillRefusal, DrillResult, How } from "../../../pair/drill/types.ts";
import type { DrillsShown, LastDrill } from "../../control-drill.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { Box, SentinelCommand, SentinelEvent, SentinelStatus } from "../../messages.ts";
import { releaseOf } from "../../release.ts";
import { StoreError } from "../../store/store.ts";
import type { CommandResult } from "../sentinel-link.ts";
import { DrillSession, type SessionOptions } from "./drill-session.ts";
import { DrillTalk, DrillTrouble } from "./drill-talk.ts";
import { DrillTimer } from "./drill-timer.ts";
import type { KeptDrills } from "./kept-drills.ts";

/** The probes go for so long before anything happens. */
const STEADY_MILLIS = 300;
/** And for so long after it: what was given away is forwarded for 100 ms, an answer may take 300. */
const TAIL_MILLIS = 900;
/** After a start the two cores link first, and the peer is told of the connections. */
const READY_MILLIS_MAX = 3_000;
const MOVE_MILLIS_MAX = 10_000;
const BACK_MILLIS_MAX = 20_000;
const LOOK_MILLIS = 50;
const AGAIN_MILLIS = 250;
/** A leader that says no more is gone. */
const FOLLOW_MILLIS_MAX = 60_000;

export interface DrillRoomOptions extends SessionOptions {
  readonly box: Box | undefined;
  readonly kept: KeptDrills;
  readonly config: () => Resolved | undefined;
  readonly revision: () => string;
  readonly sentinel: () => SentinelStatus | undefined;
  readonly standing: () => Pick<DrillStanding, "linked" | "told" | "alarms">;
  readonly command: (command: SentinelCommand) => Promise<CommandResult>;
  readonly send: (message: DrillMessage) => void;
  /** For the timeline. */
  readonly tell: (event: Omit<SentinelEvent, "at" | "group" | "from" | "to">) => void;
  readonly setAlarm: (kind: "drill-failed" | "drill-skipped", sentence: string | undefined) => void;
  readonly onChange: () => void;
}

interface Wish {
  readonly how: How;
  readonly back: boolean;
  readonly author: string;
}

export class DrillRoom {
  readonly #options: DrillRoomOptions;
  readonly #talk: DrillTalk;
  readonly #timer: DrillTimer;
  #session: DrillSession | undefined;
  /** Somebody's beginning is being looked into. */
  #isBeginning = false;
  #running: DrillsShown["running"] = null;
  #trouble: string | null = null;
  #following: NodeJS.Timeout | undefined;
  /** The drill that the peer led last: of that one a result is expected. */
  #followed: string | undefined;

  constructor(options: DrillRoomOptions) {
    this.#options = options;
    this.#talk = new DrillTalk(options.send);
    this.#timer = new DrillTimer({
      box: options.box,
      config: options.config,
      linked: () => options.standing().linked,
      begin: async () => void (await this.start({ how: "planned", back: false, author: "schedule" })),
      skipped: (sentence) => options.setAlarm("drill-skipped", sentence),
    });
    this.#tellNewest();
  }

  /** For the status. */
  get last(): LastDrill | null {
    return this.#options.kept.last;
  }

  shown(): DrillsShown {
    const { kept } = this.#options;
    return { running: this.#running, results: kept.results, trouble: this.#trouble, schedule: this.#timer.schedule };
  }

  /** Resolves when both boxes probe. Throws RefusalError when there can be no drill now. */
  async start(wish: Wish): Promise<{ readonly id: string }> {
    const drill = randomBytes(8).toString("hex");
    await this.#begin(drill, wish.how);
    this.#trouble = null;
    this.#enter("asking the other box", drill);
    try {
      const ready = await this.#talk.ask({ kind: "drillBegin", drill, how: wish.how }, "drillReady");
      if (ready.refusal !== undefined) throw refused(ready.refusal, "the other box");
      void this.#lead(drill, wish, ready.box ?? { hostname: "", version: "" });
      return { id: drill };
    } catch (error) {
      this.#leave();
      if (!(error instanceof DrillTrouble)) throw error;
      throw new RefusalError({ exitCode: ExitCode.peerNeeded, what: error.message });
    }
  }

  onEvent(event: SentinelEvent): void {
    this.#session?.onEvent(event);
  }

  /** From the peer's core. */
  receive(message: DrillMessage): void {
    switch (message.kind) {
      case "drillBegin":
        void this.#follow(message.drill, message.how);
        return;
      case "drillKill":
        if (this.#session?.drill === message.drill && this.#following !== undefined) void this.#session.kill();
        return;
      case "drillEnd":
        void this.#endFollowing(message.drill);
        return;
      case "drillReady":
      case "drillNotes":
        return this.#talk.hear(message);
      case "drillKept":
        if (message.result.id === this.#followed) void this.#keep(message.result);
    }
  }

  close(): void {
    this.#timer.close();
    this.#leave();
  }

  async #begin(drill: string, how: How): Promise<void> {
    const { config, sentinel, standing } = this.#options;
    if (sentinel()?.peer?.alive === true) await until(() => standing().linked && standing().told, READY_MILLIS_MAX);
    const status = sentinel();
    const resolved = config();
    const busy = this.#session !== undefined || this.#isBeginning;
    const refusal = drillRefusal(
      {
        ...standing(),
        isPaired: resolved?.pair !== undefined,
        peerAlive: status?.peer?.alive === true,
        peerRole: status?.peer?.role ?? "",
        role: status?.role ?? "",
        groups: status?.groups ?? [],
        busy,
      },
      how,
    );
    if (refusal !== undefined) throw refused(refusal, "");
    if (resolved === undefined || status === undefined) throw new TypeError("a box without a status was not refused");
    this.#isBeginning = true;
    try {
      this.#session = await DrillSession.begin(this.#options, { drill, how, groups: status.groups }, resolved);
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      throw new RefusalError({ exitCode: ExitCode.conflict, what: `no probe can be sent: ${error.message}` });
    } finally {
      this.#isBeginning = false;
    }
  }

  async #follow(drill: string, how: How): Promise<void> {
    try {
      await this.#begin(drill, how);
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      const { exitCode, what, mend = "" } = error.refusal;
      this.#talk.say({ kind: "drillReady", drill, refusal: { exitCode, what, mend }, box: undefined });
      return;
    }
    this.#followed = drill;
    this.#following = setTimeout(() => this.#leave(), FOLLOW_MILLIS_MAX);
    this.#enter("following the other box's drill", drill);
    this.#talk.say({ kind: "drillReady", drill, refusal: undefined, box: this.#self() });
  }

  async #endFollowing(drill: string): Promise<void> {
    const session = this.#session;
    if (session?.drill !== drill || this.#following === undefined) return;
    try {
      this.#talk.say(await session.end(this.#options.sentinel()?.groups ?? []));
    } catch (error) {
      // The box that leads waits for the notes in vain, and says so.
      if (!(error instanceof HalError)) throw error;
    } finally {
      this.#leave();
    }
  }

  async #lead(drill: string, wish: Wish, peer: DrillBox): Promise<void> {
    try {
      const result = await this.#carryOut(drill, wish, peer);
      await this.#keep(result);
      this.#talk.say({ kind: "drillKept", result });
      this.#options.tell({ event: "drill", reason: drillSentence(result), evidence: evidenceOf(result) });
    } catch (error) {
      // The kernel's own refusals: connections that it would not list.
      if (!(error instanceof DrillTrouble || error instanceof HalError)) throw error;
      this.#talk.say({ kind: "drillEnd", drill });
      if (wish.back && this.#session !== undefined) await this.#goBack(this.#session, "ordered");
      this.#trouble = error.message;
      this.#options.tell({ event: "drill-failed", reason: error.message, evidence: { drill } });
      this.#options.setAlarm("drill-failed", `the drill came to nothing: ${error.message}; try \`futago drill\` again`);
    } finally {
      this.#leave();
    }
  }

  async #carryOut(drill: string, wish: Wish, peer: DrillBox): Promise<DrillResult> {
    const { how, author } = wish;
    const session = this.#session;
    const { box } = this.#options;
    if (session === undefined || box === undefined) throw new DrillTrouble("the drill was ended");
    const at = new Date();
    this.#options.tell({ event: "drill-begins", reason: beginning(how, author), evidence: { drill } });
    const allowed = allowedOf(how, (this.#options.sentinel()?.heartbeat?.deadMs ?? 0) * 1_000);
    await pause(STEADY_MILLIS);
    this.#enter(how === "planned" ? "changing the roles" : "killing what serves", drill);
    await (how === "planned" ? this.#switchOver() : this.#kill(session));
    this.#enter("watching who answers", drill);
    await pause(TAIL_MILLIS);
    const theirs = await this.#talk.ask({ kind: "drillEnd", drill }, "drillNotes");
    const mine = await session.end(this.#options.sentinel()?.groups ?? []);
    const vips = together(how, box, mine.figures, theirs.figures);
    const worse = worseThan(allowed, vips);
    const tookMillis = Date.now() - at.getTime();
    return {
      id: drill,
      how,
      at: at.toISOString(),
      by: author,
      revision: this.#options.revision(),
      tookMillis: Math.max(0, tookMillis),
      vips,
      connections: { before: mine.before + theirs.before, after: mine.after + theirs.after },
      allowed,
      worse,
      back:
        wish.back || worse.length > 0 ? await this.#goBack(session, worse.length > 0 ? "worse" : "ordered") : "stayed",
      boxes: box === "a" ? { a: this.#self(), b: peer } : { a: peer, b: this.#self() },
    };
  }

  async #switchOver(): Promise<void> {
    const { ok, message } = await this.#options.command({ kind: "switchover", group: undefined });
    if (!ok) throw new DrillTrouble(message);
  }

  async #kill(session: DrillSession): Promise<void> {
    if (!session.holdsAll) this.#talk.say({ kind: "drillKill", drill: session.drill });
    else if (!(await session.kill())) throw new DrillTrouble("there was nothing to kill: the sentinel does not run");
    const moved = () => {
      const status = this.#options.sentinel();
      if (status === undefined) return false;
      if (session.holdsAll) return status.peer?.alive === true && status.peer.role === "active";
      return status.groups.every(({ state }) => state === "active");
    };
    if (!(await until(moved, MOVE_MILLIS_MAX)))
      throw new DrillTrouble("the other box did not take over within 10 s; `futago show why` tells more");
  }

  /** Each group to where it was. The box that was killed may still be starting: it is asked again. */
  async #goBack(session: DrillSession, why: "worse" | "ordered"): Promise<DrillResult["back"]> {
    this.#enter("changing the roles back", session.drill);
    const before = new Map(session.groups.map(({ name, state }) => [name, state === "active"]));
    for (const end = performance.now() + BACK_MILLIS_MAX; performance.now() < end; await pause(AGAIN_MILLIS)) {
      const status = this.#options.sentinel();
      const astray = status?.groups.filter(({ name, state }) => before.get(name) !== (state === "active"));
      if (astray === undefined) continue;
      if (astray.length === 0 && (session.holdsAll || status?.peer?.role === "active")) return why;
      for (const { name } of astray) await this.#options.command({ kind: "switchover", group: name });
    }
    return "failed";
  }

  async #keep(result: DrillResult): Promise<void> {
    try {
      await this.#options.kept.keep(result);
    } catch (error) {
      // Until core is started again it is known all the same.
      if (!(error instanceof StoreError)) throw error;
      const reason = `the result of the drill could not be stored: ${error.message}`;
      this.#options.tell({ event: "drill-not-stored", reason, evidence: { drill: result.id } });
    }
    this.#options.setAlarm("drill-skipped", undefined);
    this.#tellNewest();
    this.#options.onChange();
  }

  #tellNewest(): void {
    const { last } = this.#options.kept;
    const sentence = `the newest drill was worse than allowed: ${last?.sentence}; \`futago drill report\` tells more`;
    this.#options.setAlarm("drill-failed", last === null || last.passed ? undefined : sentence);
  }

  #self(): DrillBox {
    return { hostname: this.#options.config()?.system.hostname ?? "", version: releaseOf() };
  }

  #enter(phase: string, id: string): void {
    this.#running = { id, phase };
    this.#options.onChange();
  }

  #leave(): void {
    clearTimeout(this.#following);
    this.#following = undefined;
    this.#session?.close();
    this.#session = undefined;
    this.#running = null;
    this.#options.onChange();
  }
}

function refused({ exitCode, what, mend }: DrillRefusal, who: string): RefusalError {
  return new RefusalError({
    exitCode: exitCode === ExitCode.peerNeeded ? ExitCode.peerNeeded : ExitCode.conflict,
    what: who === "" ? what : `${who} refuses: ${what}`,
    ...(mend === "" ? {} : { mend }),
  });
}

function beginning(how: How, author: string): string {
  const what = how === "planned" ? "the roles change" : "what serves on the active box is killed";
  return `${what}, to see how the other box takes over; ordered by ${author}`;
}

function evidenceOf({ id, vips, connections }: DrillResult): SentinelEvent["evidence"] {
  const figures = vips.flatMap(({ address, silenceMicros, sent, lost }) => [
    [`silentMicros ${address}`, silenceMicros ?? "unknown"],
    [`lost ${address}`, `${lost} of ${sent}`],
  ]);
  const { before, after } = connections;
  return { drill: id, ...Object.fromEntries(figures), "connections before": before, "connections after": after };
}

async function until(holds: () => boolean, millisMax: number): Promise<boolean> {
  for (const end = performance.now() + millisMax; performance.now() < end; await pause(LOOK_MILLIS)) {
    if (holds()) return true;
  }
  return false;
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
