/** What the console menu is told of the box, asked of it again and again; the configuration only when it changed. */
import { COLUMNS, wrapped } from "../console/draw.ts";
import type { Facts, InterfaceFacts, Page } from "../console/facts.ts";
import type { HistoryEntry } from "../runtime/control-configuration.ts";
import type { BoxStatus } from "../runtime/control.ts";
import { RefusalError } from "../runtime/exit-code.ts";
import { foundBackupFiles } from "../runtime/machine-system.ts";
import { ask } from "./client.ts";
import { author as whoSits } from "./output.ts";
import { editorsSentence, peerSentence, renderStatus, roleSentence, when } from "./render-status.ts";
import { renderWeb } from "./render-access.ts";
import { renderWhy } from "./render-why.ts";
import { VERBS } from "./verbs.ts";

const REVISIONS_SHOWN = 100;

export const NO_FACTS: Facts = {
  trouble: "the box is being asked",
  hostname: "",
  box: "alone",
  role: "",
  peer: null,
  isCold: false,
  maintenance: "off",
  unconfirmed: null,
  summary: [],
  alarms: [],
  pages: { status: [], why: [] },
  interfaces: [],
  revisions: [],
  users: [],
  slot: null,
  isLocked: false,
  isPasswordAsked: false,
  backupFiles: [],
  verbs: VERBS.map(({ name }) => name),
};

/** `page` is the one on the screen. */
export async function gatherFacts(stateDirectory: string, before: Facts, page: Page | undefined): Promise<Facts> {
  try {
    const status = await ask(stateDirectory, "status", page === "status" ? {} : { services: [] });
    const isSame = before.trouble === undefined && before.revisions[0]?.id === status.revision;
    const users = await ask(stateDirectory, "users", {});
    const configured = isSame ? before : await configuration(stateDirectory, status);
    return {
      ...configured,
      trouble: undefined,
      hostname: status.hostname,
      box: status.box,
      role: status.role,
      peer: status.peer,
      summary: [roleSentence(status), peerSentence(status), editorsSentence(status.editors)].filter(
        (sentence) => sentence !== "",
      ),
      isCold: status.activation !== null,
      maintenance: maintenanceOf(status),
      unconfirmed: unconfirmedOf(status),
      users: users.map(({ name, role }) => ({ name, role })),
      slot: status.system.slot,
      isPasswordAsked: status.system.passwordRequest,
      backupFiles: foundBackupFiles(),
      alarms: status.alarms.filter(({ kind }) => kind !== "unconfirmed").map(({ sentence }) => sentence),
      pages: {
        status: page === "status" ? await statusPage(stateDirectory, status) : before.pages.status,
        why:
          page === "why"
            ? paged(renderWhy((await ask(stateDirectory, "timeline", {})).toReversed()))
            : before.pages.why,
      },
    };
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    // What was known of a box that does not answer may be over.
    return { ...before, trouble: error.refusal.what, summary: [], alarms: [], unconfirmed: null };
  }
}

/** The code that claims a box stands first: there is little else to see on it yet. */
async function statusPage(stateDirectory: string, status: BoxStatus): Promise<readonly string[]> {
  const web = await ask(stateDirectory, "webAccess", {});
  const parts = [renderStatus(status, Date.now(), COLUMNS), renderWeb(web)];
  return paged((web.claimCode === null ? parts : parts.toReversed()).join("\n"));
}

function maintenanceOf({ role, alarms }: BoxStatus): Facts["maintenance"] {
  if (role === "maintenance") return "on";
  return alarms.some(({ kind }) => kind === "maintenance-waits") ? "waits" : "off";
}

function unconfirmedOf({ unconfirmed }: BoxStatus): Facts["unconfirmed"] {
  if (unconfirmed === null) return null;
  const { revision, author: committer, rollsBackAt } = unconfirmed;
  const secondsLeft = Math.max(0, Math.ceil((Date.parse(rollsBackAt) - Date.now()) / 1_000));
  return { revision, author: committer, isOwn: committer === whoSits(), secondsLeft };
}

function paged(text: string): readonly string[] {
  return text.trimEnd().split("\n").flatMap(wrapped);
}

async function configuration(stateDirectory: string, { revision, box }: BoxStatus): Promise<Facts> {
  if (revision === "") return NO_FACTS;
  const { document } = await ask(stateDirectory, "config", {});
  const history = await ask(stateDirectory, "history", { limit: REVISIONS_SHOWN });
  // What the box never had in force is no way back that a tired person should find here.
  const line = history.filter(({ age }) => age >= 0);
  const revisions = line.map((entry) => ({ id: entry.id, title: titleOf(entry), whole: entry.whole }));
  return { ...NO_FACTS, revisions, interfaces: interfacesOf(document as Configured, box) };
}

function titleOf({ id, time, author, comment }: HistoryEntry): string {
  return `${id.slice(0, 16)}  ${when(time)}  ${author}  ${comment}`.trimEnd();
}

/** What of a document that the box accepted is looked at here. */
interface Configured {
  readonly interfaces?: readonly {
    readonly name: string;
    readonly device: PerBox<string>;
    readonly addresses?: PerBox<readonly string[]>;
  }[];
}
type PerBox<T> = T | Readonly<Record<string, T>>;

function interfacesOf({ interfaces = [] }: Configured, box: string): readonly InterfaceFacts[] {
  return interfaces.map(({ name, device, addresses = [] }) => {
    const path = `interfaces.${name}.addresses`;
    const isShared = Array.isArray(addresses);
    const own: readonly string[] = isShared ? addresses : ((addresses as Record<string, readonly string[]>)[box] ?? []);
    return {
      name,
      device: typeof device === "string" ? device : (device[box] ?? ""),
      addresses: own,
      path: isShared ? path : `${path}.${box}`,
    };
  });
}
