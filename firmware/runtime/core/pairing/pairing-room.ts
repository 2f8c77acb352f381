/**
 * Pairing on a running box: carries out what the ceremony says, keeps its outcome, and answers who asks. When a pairing
 * is kept or dropped core starts again, which loses no packet, and everything it knows of its peer is read anew.
 */
import { randomBytes } from "node:crypto";
import type { Server } from "node:net";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Instant } from "@futago/hal/units/time.ts";
import {
  type CeremonyAction,
  type CeremonyInput,
  type CeremonyState,
  initialCeremony,
  isSeeking,
  nextTimeout,
  shown,
  stepCeremony,
  tagHeard,
} from "../../../pair/ceremony/ceremony.ts";
import { CODE_RANDOM_BYTES, makeCode, parseCode } from "../../../pair/ceremony/code.ts";
import { encodeCeremonyMessage, type SearchMessage } from "../../../pair/ceremony/message.ts";
import type { Pairing, Party } from "../../../pair/ceremony/talk-state.ts";
import type { Resolved } from "../../../config/resolved.ts";
import type { PairingShown } from "../../control-pairing.ts";
import type { SentinelStatus } from "../../messages.ts";
import { type PairingFile, readPairing, writePairing } from "../../pairing-file.ts";
import { releaseOf } from "../../release.ts";
import type { Settings } from "../balancer/ring-seed.ts";
import type { Log } from "../log.ts";
import type { Pair } from "../pair.ts";
import { forgetPeer } from "./forget-peer.ts";
import { Lines, PAIRING_PORT, Search, type Sender } from "./cable.ts";
import { giveUp, type GivesUp } from "./give-up.ts";
import { type Identity, makeIdentity } from "./identity.ts";
import { pairingShown } from "./pairing-shown.ts";
import { primitives, stretch, talkSecrets } from "./primitives.ts";
import {
  hasPeer,
  noCeremony,
  notACode,
  ownConfiguration,
  pairedByKey,
  peerAlive,
  peerAway,
  underWay,
  unpaired,
} from "./refusals.ts";
import { RotationRoom } from "./rotation-room.ts";
import type { Standing } from "./standing.ts";
import { takeClock } from "./take-clock.ts";

export interface PairingRoomOptions {
  readonly hal: Pick<Hal, "clock" | "network" | "wallClock">;
  readonly log: Log;
  readonly stateDirectory: string;
  readonly standing: Standing;
  /** Of the balancer's rings, as it is now: a box that joins takes it over. */
  readonly seed: string;
  readonly configuration: Settings & GivesUp & { readonly inForce: { readonly resolved: Resolved } | undefined };
  /** The link to the peer's core, when it stands. */
  readonly link: () => Pick<Pair, "tellRotation"> | undefined;
  readonly status: () => SentinelStatus | undefined;
  /** The pairing is another one. Called a moment after, so that who asked hears of it. */
  readonly restart: (reason: string) => void;
}

const PORTS_MILLIS = 1_000;
/** Whoever follows a ceremony asks four times a second. */
const TOLD_MILLIS = 500;
/** What was said to the peer last is on its way. */
const SAID_MILLIS = 100;

export class PairingRoom {
  readonly #options: PairingRoomOptions;
  /** Undefined on a box that was not paired. */
  readonly rotation: RotationRoom | undefined;
  readonly #release: string;
  readonly #lines: Lines;
  #state: CeremonyState = initialCeremony;
  readonly #inputs: CeremonyInput[] = [];
  #busy = false;
  #identity: Identity | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ports: NodeJS.Timeout | undefined;
  #search: Search | undefined;
  #door: Server | undefined;
  #trouble: string | null = null;

  constructor(options: PairingRoomOptions) {
    this.#options = options;
    this.#release = releaseOf();
    const { pairing } = options.standing;
    if (pairing !== undefined) {
      const send = (text: string) => options.link()?.tellRotation(text);
      this.rotation = new RotationRoom({
        ...options,
        pairing,
        send,
        onChanged: (reason) => this.#changed(reason, SAID_MILLIS),
      });
    }
    this.#lines = new Lines({
      onLine: (connection, line) => this.#input({ kind: "line", connection, line, clock: options.hal.wallClock.now() }),
      onClosed: (connection) => this.#input({ kind: "closed", connection }),
    });
  }

  shown(): PairingShown {
    const { standing, link, configuration, hal } = this.#options;
    const { kind, box, pairing } = standing;
    return {
      kind,
      box: box ?? null,
      linked: link() !== undefined,
      configuredAlone: configuration.inForce !== undefined && configuration.inForce.resolved.pair === undefined,
      pairing: pairing === undefined ? null : pairingShown(pairing),
      trouble: this.#trouble,
      ceremony: shown(this.#state, hal.clock.now()),
    };
  }

  async invite(replace: boolean): Promise<PairingShown> {
    const { standing, seed } = this.#options;
    this.#mayBegin();
    this.#mayReplace(replace);
    const { certificate } = await this.#prepare();
    const code = makeCode(randomBytes(CODE_RANDOM_BYTES));
    const letter = standing.box ?? "a";
    const party: Party = { role: "inviter", code, release: this.#release, certificate, letter, seed };
    return this.#begin({ kind: "invite", party });
  }

  async join(text: string, replace: boolean): Promise<PairingShown> {
    const { configuration } = this.#options;
    this.#mayBegin();
    const code = parseCode(text);
    if (!code.ok) throw notACode();
    this.#mayReplace(replace);
    if (configuration.inForce !== undefined && !replace) throw ownConfiguration();
    const { certificate } = await this.#prepare((mine) => configuration.willGiveUp(mine.certificate));
    const party = { role: "joiner", code: code.value, release: this.#release, certificate } as const;
    return this.#begin({ kind: "join", party: { ...party, letter: "a", seed: "" } });
  }

  answer(yes: boolean): PairingShown {
    if (this.shown().ceremony.digits === null) throw noCeremony();
    this.#input({ kind: "answered", yes });
    return this.shown();
  }

  cancel(): PairingShown {
    this.#input({ kind: "cancel" });
    return this.shown();
  }

  /** Both boxes get new keys and certificates, step by step. */
  async rotate(): Promise<PairingShown> {
    const { standing, link } = this.#options;
    if (standing.kind === "key") throw pairedByKey();
    if (standing.pairing === undefined || this.rotation === undefined) throw unpaired();
    if (link() === undefined) throw peerAway();
    if (standing.pairing.rotation !== null) throw underWay();
    await this.rotation.begin();
    return this.shown();
  }

  /** A box whose configuration is that of a pair keeps its letter, and a key that nobody else has. */
  async unpair(): Promise<string> {
    const { standing } = this.#options;
    const { kind, pairing } = standing;
    if (kind === "key") throw pairedByKey();
    if (pairing === undefined || (kind === "left" && this.#ofPair)) throw unpaired();
    if (this.#ofPair && this.#peerIsThere()) throw peerAlive();
    await this.#part(pairing);
    return this.#ofPair
      ? "This box has no peer any more. It goes on by its configuration of a pair until another one is applied."
      : "This box has no peer any more.";
  }

  /** The peer forgot everything, and has given its role away before it said so. */
  async peerLeft(): Promise<void> {
    const { kind, pairing } = this.#options.standing;
    if (kind !== "paired" || pairing === undefined) return;
    try {
      await this.#part(pairing);
    } catch (error) {
      // The pairing with nobody behind it stays until a person gives it up.
      this.#options.log.error("pairing-not-forgotten", { error: String(error) });
    }
  }

  async #part(pairing: PairingFile): Promise<void> {
    await forgetPeer(pairing, { ...this.#options, ofPair: this.#ofPair });
    this.#changed("unpaired");
  }

  get #ofPair(): boolean {
    return this.#options.configuration.inForce?.resolved.pair !== undefined;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closeSockets();
    this.#lines.closeAll();
  }

  #mayBegin(): void {
    if (this.#options.standing.kind === "key") throw pairedByKey();
    if (this.#state.kind !== "idle") throw underWay();
  }

  #mayReplace(replace: boolean): void {
    if (this.#peerIsThere()) throw peerAlive();
    if (this.#options.standing.kind === "paired" && !replace) throw hasPeer();
  }

  #peerIsThere(): boolean {
    const { link, status } = this.#options;
    return link() !== undefined || status()?.peer?.alive === true;
  }

  /** A box out of its carton has its ports shut, and nobody has said yet what they are for. */
  async #prepare(keep: (identity: Identity) => Promise<void> = () => Promise.resolve()): Promise<Identity> {
    const { network } = this.#options.hal;
    if (this.#options.configuration.inForce === undefined) {
      const shut = (await network.links()).filter(({ mac, up }) => mac !== undefined && !up);
      await Promise.allSettled(shut.map(({ ifindex }) => network.setLinkUp(ifindex, true)));
    }
    const identity = await makeIdentity();
    await keep(identity);
    // Somebody else may have begun meanwhile.
    this.#mayBegin();
    this.#identity = identity;
    return identity;
  }

  #begin(input: CeremonyInput): PairingShown {
    this.#trouble = null;
    this.#input(input);
    return this.shown();
  }

  /** One after the other: an action's outcome is an input of its own. */
  #input(input: CeremonyInput): void {
    this.#inputs.push(input);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
      const { state, actions } = stepCeremony(primitives, this.#state, next, this.#now());
      this.#state = state;
      for (const action of actions) this.#carryOut(action);
    }
    this.#busy = false;
    this.#arrange();
  }

  #carryOut(action: CeremonyAction): void {
    const { log } = this.#options;
    switch (action.kind) {
      case "dial":
        return this.#lines.dial(action.connection, action.place, () => this.#connected(action.connection));
      case "send":
        return this.#lines.send(action.connection, encodeCeremonyMessage(action.message));
      case "close":
        return this.#lines.close(action.connection);
      case "stretch": {
        const { connection, text, salt } = action;
        void stretch(text, salt).then((key) => this.#input({ kind: "stretched", connection, key }));
        return;
      }
      case "takeClock": {
        const verdict = takeClock(this.#options.hal.wallClock, action.difference, log);
        return this.#input({ kind: "clockTaken", verdict });
      }
      case "keep":
        return this.#input({ kind: "disk", ok: this.#keep(action.pairing) });
      case "undo":
        return this.#undo();
      case "ended":
        log.info("pairing-ended", { ...action.ending });
        if (action.ending.kind === "paired") void this.#paired();
    }
  }

  #connected(connection: number): void {
    this.#input({ kind: "connected", connection, secrets: talkSecrets() });
  }

  #keep(pairing: Pairing): boolean {
    const { stateDirectory, log } = this.#options;
    const met = this.#met();
    if (this.#identity === undefined || met === undefined) return false;
    const { role, letter, seed, peerCertificate } = pairing;
    const file: PairingFile = {
      version: 1,
      letter,
      role,
      pairKey: Buffer.from(pairing.pairKey).toString("hex"),
      seed,
      ...this.#identity,
      peerCertificate,
      rotation: null,
      met,
      since: new Date().toISOString(),
    };
    try {
      writePairing(stateDirectory, file);
      return true;
    } catch (error) {
      log.error("pairing-not-kept", { error: String(error) });
      return false;
    }
  }

  #met(): PairingFile["met"] | undefined {
    const conversation = this.#state.kind === "idle" ? undefined : this.#state.conversation;
    return conversation === undefined ? undefined : this.#lines.placeOf(conversation.connection);
  }

  /** The former peer, if there was one, is the peer again. */
  #undo(): void {
    const { stateDirectory, standing, log } = this.#options;
    try {
      writePairing(stateDirectory, standing.pairing);
    } catch (error) {
      log.error("pairing-not-undone", { error: String(error) });
    }
  }

  /** Who joins gives up the configuration that it had: it stays in the history, and the other box's is taken. */
  async #paired(): Promise<void> {
    const pairing = readPairing(this.#options.stateDirectory);
    if (pairing?.role === "joiner") await giveUp(pairing, this.#options);
    this.#changed("paired");
  }

  #changed(reason: string, millis = TOLD_MILLIS): void {
    setTimeout(() => this.#options.restart(reason), millis);
  }

  /** Sockets and timers as the state asks for them. */
  #arrange(): void {
    const tag = tagHeard(this.#state);
    const wanted = tag !== undefined ? "listen" : isSeeking(this.#state) ? "seek" : "none";
    const have = this.#search === undefined ? "none" : this.#door === undefined ? "seek" : "listen";
    if (wanted !== have) {
      this.#closeSockets();
      if (wanted !== "none") this.#openSockets(wanted === "listen");
    }
    clearTimeout(this.#timer);
    const at = nextTimeout(this.#state);
    if (at === undefined) return;
    const millis = Math.max(1, Math.ceil((at - this.#now()) / 1_000));
    this.#timer = setTimeout(() => this.#input({ kind: "timeout" }), millis);
    this.#timer.unref();
  }

  #openSockets(listens: boolean): void {
    const onFault = (error: Error) => this.#onFault(error);
    const onMessage = (message: SearchMessage, from: Sender) => this.#onSearch(message, from);
    this.#search = new Search(listens ? PAIRING_PORT : 0, { onMessage, onFault });
    if (listens) this.#door = this.#lines.listen((connection) => this.#connected(connection), onFault);
    void this.#listPorts();
    this.#ports = setInterval(() => void this.#listPorts(), PORTS_MILLIS);
  }

  async #listPorts(): Promise<void> {
    const links = await this.#options.hal.network.links();
    const live = links.filter(({ mac, up, carrier }) => mac !== undefined && up && carrier);
    this.#search?.setDevices(live.map(({ ifname }) => ifname));
  }

  #onSearch(message: SearchMessage, from: Sender): void {
    if (message.kind === "here") {
      const connection = this.#lines.nextNumber();
      return this.#input({ kind: "found", tag: message.tag, place: from.address, connection });
    }
    const tag = tagHeard(this.#state);
    if (tag !== undefined) this.#search?.answer(tag, from);
  }

  #onFault(error: Error): void {
    this.#options.log.error("pairing-socket", { error: error.message });
    this.#trouble = `port ${PAIRING_PORT} cannot be used: ${error.message}`;
    this.#input({ kind: "cancel" });
  }

  #closeSockets(): void {
    clearInterval(this.#ports);
    this.#search?.close();
    this.#search = undefined;
    this.#door?.close();
    this.#door = undefined;
  }

  #now(): Instant {
    return this.#options.hal.clock.now();
  }
}
