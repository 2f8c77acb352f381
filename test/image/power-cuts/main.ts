/**
 * A box whose power is cut again and again, in the middle of whatever it is at: it must always boot, from the slot that its boot
 * state says, and have what it acknowledged. What the disk had not been told to flush is lost or torn at each cut.
 *
 *   node test/image/power-cuts/main.ts [--cuts 50] [--seed 1] [--minutes 90] [--resume] [--only boot]
 */
import { execFileSync } from "node:child_process";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type BootState, chooseBootState, decodeBootState } from "@futago/firmware/update/boot-state.ts";
import { loaderBoots } from "@futago/firmware/update/boot-steps.ts";
import { Random } from "../../sim/random.ts";
import { BlockServer } from "../appliance/block-server.ts";
import { imageFile } from "../appliance/image.ts";
import { Machine } from "../appliance/machine.ts";
import { type Lost, VolatileDisk } from "../appliance/volatile-disk.ts";
import { Disk } from "../disk/disks.ts";
import { enterShell, shell } from "../update/shell.ts";
import { bundleOf } from "../update/variant.ts";
import {
  acknowledgedIn,
  type ActName,
  ACTS,
  checkTaken,
  pickAct,
  type Promised,
  promisedAfter,
  settle,
  untilCut,
  VERSIONS,
} from "./acts.ts";

const BUILD = fileURLToPath(new URL("../../../images/build", import.meta.url));
const LOADER_MILLIS = 900_000;
const GOOD_MILLIS = 1_200_000;
const LOOK_MILLIS = 5_000;
/** Starts that are left before a box is let be found good, so that it has not used up both slots' tries. */
const FEW_TRIES = 3;

interface Journal {
  readonly seed: number;
  readonly done: number;
  readonly promised: Promised;
}

const { values } = parseArgs({
  options: {
    cuts: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "600" },
    resume: { type: "boolean", default: false },
    only: { type: "string" },
  },
});
const number = (name: "cuts" | "seed" | "minutes") => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} ${values[name]}: a whole number above 0 is wanted`);
};

const only = (Object.keys(ACTS) as ActName[]).find((name) => name === values.only);
if (values.only !== undefined && only === undefined)
  throw new Error(`--only ${values.only}: one of ${Object.keys(ACTS).join(", ")} is wanted`);

/** Another seed's runs may go on beside this one. */
const PLACE = join(BUILD, `power-cuts-${number("seed")}`);
const image = join(PLACE, "disk.raw");
const media = join(PLACE, "media.img");
const journalFile = join(PLACE, "journal.json");
const say = (line: string) => {
  process.stdout.write(`${line}\n`);
  appendFileSync(join(PLACE, "cuts.log"), `${line}\n`);
};

async function begin(): Promise<Journal> {
  if (values.resume && existsSync(journalFile)) return JSON.parse(readFileSync(journalFile, "utf8")) as Journal;
  rmSync(PLACE, { recursive: true, force: true });
  mkdirSync(PLACE, { recursive: true });
  execFileSync("cp", ["--sparse=always", imageFile(), image]);
  const directory = join(PLACE, "media");
  mkdirSync(directory);
  for (const days of VERSIONS)
    copyFileSync(await bundleOf({ name: `later-${days}`, days }), join(directory, `${days}.raucb`));
  execFileSync("mksquashfs", [directory, media, "-noD", "-noappend", "-quiet", "-no-progress"]);
  return { seed: number("seed"), done: 0, promised: { revision: "", mayBeForgotten: false } };
}

/** What lies on the disk that is off. A copy may be torn, both never. */
function stateOnDisk(): { readonly state: BootState; readonly whole: string } {
  const disk = new Disk(image);
  const copies = [disk.copy("bs0"), disk.copy("bs1")] as const;
  const chosen = chooseBootState(copies);
  if (chosen.from === "defaults") throw new Error("neither copy of the boot state counts");
  const counts = copies.map((copy) => decodeBootState(copy).ok);
  const whole = chosen.isWhole ? "both alike" : counts.every(Boolean) ? "the second is older" : "one is torn";
  return { state: chosen.state, whole };
}

const triesLeft = ({ slots }: BootState) =>
  [slots.a, slots.b].reduce((sum, { verdict, tries }) => sum + (verdict === "bad" ? 0 : tries), 0);

const LOADER = /Futago: slot ([ab]), (\d) tries left|rescue>/;

/** Holds what the loader said against the state that was on the disk. */
function checkLoader(said: string, { state }: { readonly state: BootState }): void {
  const boot = loaderBoots(state);
  if (boot.slot === undefined) throw new Error("no slot may be tried any more; the test has used them up");
  const wanted = `Futago: slot ${boot.slot}, ${boot.saved.slots[boot.slot].tries} tries left`;
  if (said !== wanted) throw new Error(`"${wanted}" should be said by the loader, and it said "${said}"`);
}

async function untilGood(box: Machine): Promise<void> {
  const end = performance.now() + GOOD_MILLIS;
  let text = "";
  while (performance.now() < end) {
    ({ text } = await shell(box, "futago update status --json"));
    if (/"proof": *\{\s*"state": *"good"/.test(text)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));
  }
  throw new Error(`the version was not found good: ${text}`);
}

/** One start, one act, one cut. */
async function once(cut: number, { seed, promised }: Journal): Promise<Promised> {
  const random = new Random(seed * 1_000_003 + cut);
  const before = stateOnDisk();
  const isLate = triesLeft(before.state) <= FEW_TRIES;
  const act = isLate ? "mark-good" : (only ?? (cut === 1 ? "commit" : pickAct(random)));
  const volatile = new VolatileDisk(image);
  rmSync(join(PLACE, "disk.sock"), { force: true });
  const server = await BlockServer.listen(volatile, join(PLACE, "disk.sock"));
  const box = new Machine({
    name: "box",
    directory: PLACE,
    image,
    drive: `nbd+unix:///?socket=${join(PLACE, "disk.sock")}`,
    hasOwnTime: true,
    devices: [
      "-drive",
      `file=${media},if=none,id=media,format=raw,readonly=on`,
      "-device",
      "virtio-blk-pci,drive=media",
      // A port with a link, and nobody at its other end.
      "-netdev",
      "hubport,id=port,hubid=0",
      "-device",
      "virtio-net-pci,netdev=port",
    ],
  });
  let after = promised;
  let moment: string;
  let lost: Lost;
  try {
    const early = act === "boot" ? untilCut(act, server, random) : undefined;
    await box.start();
    // The first writes are the loader's, and the power may go before it says anything.
    if (early === undefined)
      ({ moment, after } = await throughAct(box, server, { act, random, before, promised, isLate }));
    else moment = `${await early}, ${wordsOfLoader(box, before)}`;
  } finally {
    server.close();
    await box.cut();
    lost = volatile.cut(random, random.chance(0.3) ? 1 : random.between(0, 1));
    volatile.close();
  }
  const { state, whole } = stateOnDisk();
  const slot = (one: "a" | "b") => `${one} ${state.slots[one].verdict} ${state.slots[one].tries}`;
  const writes = `${lost.kept} unflushed writes stayed, ${lost.lost} lost, ${lost.torn} torn`;
  say(
    `${cut}: ${act}, ${moment}; ${writes}; boot state ${whole}: ${slot("a")}, ${slot("b")}; revision ${after.revision}`,
  );
  return after;
}

/** Of a start that was cut off. */
function wordsOfLoader(box: Machine, before: { readonly state: BootState }): string {
  const said = LOADER.exec(box.serial.text)?.[0];
  if (said === undefined) return "the loader had not told its slot";
  checkLoader(said, before);
  return "the loader had told the right slot";
}

interface Plan {
  readonly act: ActName;
  readonly random: Random;
  readonly before: { readonly state: BootState };
  readonly promised: Promised;
  /** The box is let be found good first. */
  readonly isLate: boolean;
}

async function throughAct(
  box: Machine,
  server: BlockServer,
  { act, random, before, promised, isLate }: Plan,
): Promise<{ readonly moment: string; readonly after: Promised }> {
  checkLoader((await box.serial.expect(LOADER, LOADER_MILLIS))[0], before);
  await enterShell(box);
  if (box.serial.text.includes("the data partition is not used")) throw new Error("the data were given up");
  const settled = await settle(box, promised);
  // An installation is refused until what runs was found good.
  if (act === "update" || isLate) await untilGood(box);
  const from = box.serial.text.length;
  const cut = untilCut(act, server, random);
  const { line } = ACTS[act];
  if (line !== undefined) box.serial.send(`${line}\r`);
  const when = await cut;
  const words = box.serial.text.slice(from);
  if (act === "update") checkTaken(words);
  const moment = act === "commit" ? `${when}, ${acknowledgedIn(words).length} commits acknowledged` : when;
  return { moment, after: promisedAfter(act, settled, words) };
}

let journal = await begin();
const end = performance.now() + number("minutes") * 60_000;
while (journal.done < number("cuts") && performance.now() < end) {
  const promised = await once(journal.done + 1, journal);
  journal = { ...journal, done: journal.done + 1, promised };
  writeFileSync(journalFile, JSON.stringify(journal));
}
say(`${journal.done} cuts by seed ${journal.seed}; the box came up after each of them that was followed by another`);
process.exit(0);
