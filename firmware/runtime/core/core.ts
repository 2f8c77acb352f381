/**
 * The core of a box: takes the configuration from the store, brings kernel, sentinel, checks and balancer to it, keeps
 * them there, and answers on the control socket. It decides no role; it may die and come back without a packet lost.
 */
import { join } from "node:path";
import type { JsonInPieces } from "../json-pieces.ts";
import type { SentinelEvent, SentinelStatus } from "../messages.ts";
import { openAccess } from "./access/access-of-core.ts";
import type { AccessRoom } from "./access/access-room.ts";
import { AlarmBoard } from "./alarm-board.ts";
import type { Candidate } from "./candidate/candidate.ts";
import { openCandidate } from "./candidate/open-candidate.ts";
import { PairCommits } from "./commit/commits.ts";
import { Committer } from "./commit/committer.ts";
import { RevisionWatch } from "./commit/revision-watch.ts";
import { Configuration, logApplied } from "./configuration.ts";
import type { CoreOptions, Parts } from "./core-options.ts";
import { answersOfCore } from "./control/answers-of-core.ts";
import { ControlSockets } from "./control/control-sockets.ts";
import { coreHandlers } from "./control/core-handlers.ts";
import { type Answers, statusQuery } from "./control/handlers.ts";
import { servicesAsked } from "./control/large-answers.ts";
import { StatusPublisher } from "./control/status-publisher.ts";
import { Toolbox } from "./control/toolbox.ts";
import { type Log, logAlarm, logEvent } from "./log.ts";
import { loadMemories } from "./memories.ts";
import { NetworkKeeper } from "./network/network-keeper.ts";
import { PairLink } from "./pair-link.ts";
import type { Pair } from "./pair.ts";
import { panelOfCore } from "./panel/panel-of-core.ts";
import type { PanelRoom } from "./panel/panel-room.ts";
import { PairingRoom } from "./pairing/pairing-room.ts";
import { joinedBy, standingOf } from "./pairing/standing.ts";
import { ReplicationKeeper } from "./replication/replication-keeper.ts";
import { commitAlarms, missingDevice, noConfiguration, revisionsDiffer, SENTINEL_AWAY } from "./sentences.ts";
import { SentinelLink } from "./sentinel-link.ts";
import { SentinelReady } from "./sentinel-ready.ts";
import { BalancerLoading } from "./balancer/load-balancer.ts";
import { Serving } from "./serving.ts";
import { statusOfCore } from "./status-of-core.ts";
import { Turns } from "./turns.ts";
import { VipConnections } from "./vip-connections.ts";

export class Core {
  readonly #log: Log;
  readonly #onOwner: CoreOptions["onOwner"];
  readonly #parts: Parts;
  readonly #pairing: PairingRoom;
  readonly #alarms: AlarmBoard;
  readonly #network: NetworkKeeper;
  readonly #connections: VipConnections;
  readonly #sentinel: SentinelLink;
  readonly #serving: Serving;
  readonly #link: PairLink;
  readonly #replication: ReplicationKeeper;
  readonly #toolbox: Toolbox;
  readonly #panel: PanelRoom;
  readonly #turns = new Turns();
  readonly #counters = new Map<string, number>();
  readonly #count = (name: string) => void this.#counters.set(name, (this.#counters.get(name) ?? 0) + 1);
  readonly #revisions = new RevisionWatch((differing) => {
    this.#alarms.set("revision-differs", "", differing && revisionsDiffer(differing.mine, differing.theirs));
  });
  readonly #publisher = new StatusPublisher(
    async () => await this.#control?.publishInPieces("watchStatus", (query) => this.#boxStatus(statusQuery(query))),
  );
  #control: ControlSockets | undefined;
  #access: AccessRoom | undefined;
  #candidate: Candidate | undefined;
  #status: SentinelStatus | undefined;
  readonly #ready = new SentinelReady();

  private constructor(options: CoreOptions, parts: Parts) {
    const { hal, log, stateDirectory } = options;
    this.#log = log;
    this.#onOwner = options.onOwner;
    this.#parts = parts;
    this.#alarms = new AlarmBoard(logAlarm(log));
    this.#network = new NetworkKeeper(hal.network, hal.sysctl, log, () => this.#onNetwork());
    this.#connections = new VipConnections(hal.network, log);
    this.#serving = new Serving({
      hal,
      log,
      bpfDirectory: join(stateDirectory, "bpf"),
      seed: parts.seed,
      tables: parts.tables,
      onPenalties: (penalties) => this.#sentinel.sendHealth(penalties),
      onPicture: (pools) => this.#pair?.tell(pools),
      onEnded: (keys) => this.#replication.ended(keys),
      onTables: () => this.#replication.onTables(),
      onChange: () => {
        this.#replication.onTables();
        this.#setServingAlarms();
        this.#publishStatus();
      },
    });
    this.#replication = new ReplicationKeeper({
      clock: hal.clock,
      serving: this.#serving,
      onTold: (told) => this.#sentinel.sendTold(told),
      onChange: () => this.#publishStatus(),
      count: this.#count,
    });
    this.#serving.setDrains(parts.drains.names);
    const link = () => (this.#pair?.up === true ? this.#pair : undefined);
    this.#pairing = new PairingRoom({ ...options, ...parts, link, status: () => this.#status });
    this.#toolbox = new Toolbox({
      hal,
      balancer: this.#serving.balancer,
      config: () => this.#parts.configuration.inForce?.resolved,
      groups: () => this.#status?.groups ?? [],
      healthOf: (pool) => this.#serving.healthOf(pool),
      network: this.#network,
      attachmentOf: (service) => this.#serving.fallback.attachmentOf(service),
      drains: parts.drains,
      onDrains: () => this.#onDrains(),
    });
    this.#sentinel = new SentinelLink(join(stateDirectory, "sentinel.sock"), {
      onStatus: (status) => this.#onStatus(status),
      onEvent: (event) => this.#onEvent(event),
      onStale: (hosts) => this.#pair?.tellStale(hosts),
      onHardware: (report) => this.#panel.setHardware(report),
      onConnected: () => this.#onSentinel(),
      onLost: () => this.#onSentinelLost(options.isEnding()),
    });
    this.#link = this.#newPairLink(options, parts);
    this.#panel = panelOfCore({
      ...options,
      ...parts,
      sentinel: this.#sentinel,
      spare: this.#link.spare,
      alarms: this.#alarms,
      access: () => this.#access,
      status: () => this.#status,
      onChange: () => this.#publishStatus(),
    });
  }

  #newPairLink(options: CoreOptions, parts: Parts): PairLink {
    return new PairLink({
      ...options,
      ...parts,
      network: this.#network,
      sentinel: this.#sentinel,
      serving: this.#serving,
      replication: this.#replication,
      pairing: this.#pairing,
      toolbox: this.#toolbox,
      access: () => this.#access,
      turns: this.#turns,
      alarms: this.#alarms,
      setAlarm: (kind, sentence) => this.#alarms.set(kind, "", sentence),
      status: () => this.#status,
      onPeer: () => this.#onPeer(),
      onEvent: (event) => this.#onEvent(event),
      onChange: () => this.#publishStatus(),
      count: this.#count,
    });
  }

  get #pair(): Pair | undefined {
    return this.#link.pair;
  }

  /** Takes the configuration and answers on the control socket. Refuses what cannot run. */
  static async open(options: CoreOptions): Promise<Core> {
    const { hal, log, stateDirectory, importFile } = options;
    const standing = standingOf(options);
    const devices = async () => (await hal.network.links()).map((link) => link.ifname);
    const loading = new BalancerLoading(hal.bpf, join(stateDirectory, "bpf"), standing.seed);
    const { box, credentials } = standing;
    const hasPairKey = standing.kind !== "alone";
    const known = { stateDirectory, box, hasPairKey, devices, joined: joinedBy(standing) };
    const configuration = await Configuration.open({ ...known, onResolved: loading.expect });
    if (importFile !== undefined) logApplied(log, await configuration.importFile(importFile));
    const seed = await loading.seed(configuration);
    const memories = await loadMemories(configuration);
    const tables = await loading.begin(configuration.inForce?.resolved);
    const committer = await Committer.open({
      hal,
      configuration,
      log,
      box: credentials && box,
      putIntoForce: () => core.#turns.take(() => core.#putIntoForce()),
      send: (message) => core.#pair?.send(message),
      sent: async () => core.#pair?.commitMessagesSent(),
      onChange: () => core.#onCommit(),
    });
    const parts = { configuration, committer, standing, seed, tables, ...memories };
    const core: Core = new Core(options, parts);
    for (const [kind, sentence] of configuration.troubles) core.#alarms.set(kind, "", sentence);
    const answers = core.#answers();
    const commits = new PairCommits({ committer, past: configuration.store, box });
    const candidate = (core.#candidate = await openCandidate({ ...known, configuration }, commits));
    const access = (core.#access = await core.#openAccess(options));
    core.#control = await ControlSockets.open({
      ...options,
      access,
      handlers: coreHandlers({
        ...options,
        ...parts,
        ...known,
        answers,
        commits,
        candidate,
        access,
        pairing: core.#pairing,
        link: core.#link,
        panel: core.#panel,
        sentinel: core.#sentinel,
        status: () => core.#status,
        inTurn: (change) => core.#turns.take(change),
      }),
      begun: core.#toolbox.begun,
      firstStatus: (query) => core.#boxStatus(servicesAsked(configuration.inForce?.resolved, query)),
      onFault: (method, error) => log.error("control-fault", { method, error: String(error) }),
    });
    return core;
  }

  #openAccess(options: CoreOptions): Promise<AccessRoom> {
    return openAccess({
      ...options,
      ...this.#parts,
      isWanted: options.isWebWanted,
      ownAddresses: () => this.#network.reachableAddresses,
      setAlarm: (sentence) => {
        this.#alarms.set("web-away", "", sentence);
        this.#publishStatus();
      },
      onAccess: (event) => this.#control?.publish("watchAccess", event),
      onChange: () => this.#publishStatus(),
    });
  }

  /** Resolves when the box is up: kernel, sentinel and balancer are as configured. */
  async bringUp(): Promise<void> {
    if (this.#parts.configuration.inForce === undefined) {
      this.#alarms.set("no-configuration", "", noConfiguration(this.#parts.standing.kind));
      this.#link.open(undefined);
      this.#onOwner(undefined);
    }
    await this.#parts.committer.bringUp();
    const groups = () => this.#parts.configuration.inForce?.resolved.groups;
    await this.#ready.wait({ log: this.#log, groups, status: () => this.#status });
  }

  /** Lets go of the machine, once the sentinel has handed over. A box that forgets all tells its peer and keeps no address. */
  async stop(isForgotten: boolean): Promise<void> {
    if (isForgotten) await this.#pair?.sayFarewell();
    this.#toolbox.close();
    this.#panel.close();
    this.#parts.committer.close();
    this.#revisions.close();
    this.#control?.close();
    await this.#access?.close();
    this.#pairing.close();
    this.#link.close();
    this.#sentinel.close();
    this.#connections.close();
    await this.#turns.over();
    if (isForgotten) await this.#network.clear();
    await this.#network.close();
    this.#replication.close();
    await this.#serving.remove();
    await this.#parts.configuration.close();
  }

  /**
   * Brings everything to the configuration in force. Each part finds by itself what differs. What the kernel refuses and
   * had not refused before is the answer.
   */
  async #putIntoForce(): Promise<string | undefined> {
    const { inForce } = this.#parts.configuration;
    if (inForce === undefined) return undefined;
    this.#alarms.set("no-configuration", "", undefined);
    const { resolved } = inForce;
    const known = new Set(this.#network.troubles.map(({ action }) => action));
    const system = await this.#link.spare.stand(inForce);
    this.#link.open(resolved);
    await this.#serving.configure(resolved, system, this.#network.links);
    this.#onOwner(resolved.system.hostname ?? "");
    this.#onNetwork();
    this.#pair?.sayRevision();
    return this.#network.troubles.find(({ action }) => !known.has(action))?.sentence;
  }

  #onStatus(status: SentinelStatus): void {
    this.#status = status;
    this.#ready.look();
    this.#pair?.setAddresses(status.peer?.addresses ?? []);
    this.#compareRevisions();
    this.#parts.committer.setRole(status.role === "active", status.peer?.alive === true);
    this.#link.setStatus(status);
    this.#alarms.set("maintenance-waits", "", this.#parts.maintenance.wish(status.role));
    this.#serving.setGroups(status.groups);
    this.#replication.setGroups(status.groups);
    this.#connections.setGroups(status.groups);
    this.#panel.look();
    this.#publishStatus();
  }

  #onSentinel(): void {
    this.#alarms.set("sentinel-away", "", undefined);
    void this.#parts.maintenance.repeat(this.#sentinel);
    this.#pairing.rotation?.announce();
  }

  #onSentinelLost(isOrdered: boolean): void {
    this.#status = undefined;
    // Nobody knows who is active now; the other box may be.
    this.#parts.committer.setRole(false, true);
    if (!isOrdered) this.#alarms.set("sentinel-away", "", SENTINEL_AWAY);
    this.#link.spare.sentinelLost();
    this.#publishStatus();
  }

  #onEvent(event: SentinelEvent): void {
    logEvent(this.#log, event);
    this.#connections.onEvent(event);
    this.#link.onEvent(event);
    this.#control?.publish("watchEvents", event);
  }

  #onPeer(): void {
    this.#compareRevisions();
    this.#pair?.tellDrains(this.#parts.drains.all);
    if (this.#sentinel.connected) this.#pairing.rotation?.announce();
  }

  #onDrains(): void {
    const { names, all } = this.#parts.drains;
    this.#serving.setDrains(names);
    this.#pair?.tellDrains(all);
    this.#log.info("drains", { backends: [...names] });
  }

  #compareRevisions(): void {
    const theirs = this.#pair?.up === true ? this.#pair.revision : this.#status?.peer?.revision;
    this.#revisions.compare(this.#parts.configuration.inForce?.revision.id, theirs);
  }

  #onCommit(): void {
    for (const [kind, sentence] of commitAlarms(this.#parts.committer)) this.#alarms.set(kind, "", sentence);
    this.#publishStatus();
  }

  #onNetwork(): void {
    const missing = this.#network.missingDevices.map((device) => [device, missingDevice(device)] as const);
    this.#alarms.setAll("missing-device", new Map(missing));
    this.#alarms.setAll("network-refused", new Map(this.#network.troubles.map((one) => [one.action, one.sentence])));
    this.#serving.setNetwork(this.#network.links, this.#network.ownAddresses);
    this.#setServingAlarms();
  }

  #answers(): Answers {
    return answersOfCore({
      ...this.#parts,
      log: this.#log,
      network: this.#network,
      sentinel: this.#sentinel,
      serving: this.#serving,
      link: this.#link,
      toolbox: this.#toolbox,
      turns: this.#turns,
      status: (only) => this.#boxStatus(only),
    });
  }

  #setServingAlarms(): void {
    for (const [kind, sentences] of this.#serving.alarms()) this.#alarms.setAll(kind, sentences);
  }

  #publishStatus(): void {
    if (this.#control?.watched !== true) return;
    // Fresh for the next time: a watcher hears at least once a second.
    void this.#serving.countFlows();
    this.#publisher.changed();
  }

  #boxStatus(only: ReadonlySet<string> | undefined): JsonInPieces {
    return statusOfCore(only, {
      ...this.#parts,
      candidate: this.#candidate,
      sentinel: this.#status,
      serving: this.#serving,
      replication: this.#replication,
      link: this.#link,
      panel: this.#panel,
      alarms: this.#alarms,
      counted: this.#counters,
    });
  }
}
