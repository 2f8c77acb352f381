/** A bundle from the browser to the box: chosen or dropped, judged, sent with its progress, and what the box says of it. */
import { useState } from "preact/hooks";
import type { UpdateShown } from "@futago/firmware/runtime/control-update.ts";
import {
  bundleBytesMax,
  bytesPerSecond,
  magicLength,
  secondsToSend,
  type Sending,
  unfitBundle,
  type Upload,
} from "../logic/sending.ts";
import { isUnderWay } from "../logic/pair-way.ts";
import { Icon } from "../parts/icon.tsx";
import { Check } from "../parts/input.tsx";
import { decimal, scaled, span } from "../parts/text.ts";
import { Trouble } from "../parts/trouble.tsx";
import { status } from "../state/live.ts";
import { tell } from "../state/notices.ts";
import { stayAt } from "../state/place.ts";
import { words } from "../state/settings.ts";
import { cancelSending, sendBundle, upload } from "../state/upload.ts";
import { Bar } from "./update-progress.tsx";

const megabytes = (bytes: number) => decimal(bytes / 1e6, bytes < 1e7 ? 1 : 0);

interface SendProps {
  readonly shown: UpdateShown;
  readonly again: () => Promise<void>;
}

export function SendBundle({ shown, again }: SendProps) {
  const say = words.value.update;
  const [file, setFile] = useState<File | undefined>(undefined);
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const because = isUnderWay(shown) ? say.busy : mayInstall(shown) ? undefined : say.notProven;
  const isPaired = shown.peer !== null || (status.value?.peer ?? null) !== null;
  const now = upload.value;
  const take = async (chosen: File | undefined) => {
    if (chosen === undefined) return;
    upload.value = { kind: "none" };
    const found = await wrongOf(chosen);
    setWrong(found);
    setFile(found === undefined ? chosen : undefined);
  };
  if (now.kind === "sending" || now.kind === "checking") return <OnItsWay now={now} />;
  return (
    <section class="part" aria-label={say.choose}>
      <p class="quiet">{isPaired ? say.lead.pair : say.lead.alone}</p>
      {file === undefined ? (
        <Drop because={because} onFile={take} />
      ) : (
        <Go file={file} isPaired={isPaired} because={because} again={again} onOver={() => setFile(undefined)} />
      )}
      {wrong !== undefined && <Wrong text={wrong} />}
      <CameToNothing now={now} />
    </section>
  );
}

/** Until the version that runs was found good, the other slot is its way back. */
function mayInstall({ slots }: UpdateShown): boolean {
  return slots.some(({ isRunning, verdict }) => isRunning && verdict === "good");
}

/** In words what keeps it from being sent. */
async function wrongOf(file: File): Promise<string | undefined> {
  const say = words.value.update;
  try {
    const unfit = unfitBundle(file.size, new Uint8Array(await file.slice(0, magicLength).arrayBuffer()));
    return unfit && say[unfit](file.name, megabytes(bundleBytesMax));
  } catch {
    // The browser says no more than that it could not.
    return say.unreadable(file.name);
  }
}

interface DropProps {
  readonly because: string | undefined;
  readonly onFile: (file: File | undefined) => Promise<void>;
}

function Drop({ because, onFile }: DropProps) {
  const say = words.value.update;
  const [over, setOver] = useState(false);
  return (
    <div
      class={`drop ${over ? "over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (because === undefined) void onFile(event.dataTransfer?.files[0]);
      }}
    >
      <span class="quiet drop-words">{say.drop}</span>
      <label class={`button ${because === undefined ? "" : "off"}`}>
        <Icon name="up" size={18} />
        {say.choose}
        <input
          class="hidden"
          type="file"
          accept=".raucb"
          disabled={because !== undefined}
          onChange={({ currentTarget }) => {
            void onFile(currentTarget.files?.[0]);
            // The same file may be chosen again once it was mended.
            currentTarget.value = "";
          }}
        />
      </label>
      {because !== undefined && <small class="quiet">({because})</small>}
    </div>
  );
}

interface GoProps {
  readonly file: File;
  readonly isPaired: boolean;
  readonly because: string | undefined;
  readonly again: () => Promise<void>;
  readonly onOver: () => void;
}

function Go({ file, isPaired, because, again, onOver }: GoProps) {
  const say = words.value.update;
  const [onlyThis, setOnlyThis] = useState(false);
  const [force, setForce] = useState(false);
  const isAlone = !isPaired || onlyThis;
  const send = async () => {
    // A page that goes on at another address of the pair goes on here.
    stayAt("system", "update");
    const said = await sendBundle(file, { thisBox: isPaired && onlyThis, force: isAlone && force });
    if (said !== undefined) {
      onOver();
      tell(said);
    }
    await again();
  };
  return (
    <div class="form">
      <p class="chosen">
        <Icon name="logs" size={18} /> <span>{say.chosen(file.name, megabytes(file.size))}</span>
      </p>
      {isPaired && <Check label={say.onlyThis} hint={say.onlyThisHint} value={onlyThis} onValue={setOnlyThis} />}
      {isAlone && <Check label={say.force} hint={say.forceHint} value={force} onValue={setForce} />}
      <div class="actions">
        <button
          type="button"
          class={`button ${isPaired && onlyThis ? "danger" : "main"}`}
          disabled={because !== undefined}
          title={because}
          onClick={() => void send()}
        >
          {isAlone ? say.startOwn : say.startPair}
        </button>
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            upload.value = { kind: "none" };
            onOver();
          }}
        >
          {say.other}
        </button>
        {because !== undefined && <small class="quiet">({because})</small>}
      </div>
    </div>
  );
}

function OnItsWay({ now }: { readonly now: Extract<Upload, { readonly name: string }> }) {
  const say = words.value.update;
  if (now.kind === "checking") {
    return (
      <section class="part" aria-label={say.title}>
        <Bar sentence={say.checking(now.name)} percent={null} beside="" />
      </section>
    );
  }
  return (
    <section class="part" aria-label={say.title}>
      <Bar sentence={say.sending(now.name)} percent={(100 * now.sent) / now.length} beside={besideOf(now)}>
        <p class="quiet">{say.stayHere}</p>
      </Bar>
      <div class="actions">
        <button
          type="button"
          class="button"
          onClick={() => {
            cancelSending();
            tell(say.cancelled);
          }}
        >
          <Icon name="cross" size={18} />
          {say.cancel}
        </button>
      </div>
    </section>
  );
}

function besideOf(sending: Sending): string {
  const say = words.value.update;
  const seconds = secondsToSend(sending);
  const sent = say.sent(megabytes(sending.sent), megabytes(sending.length), scaled(bytesPerSecond(sending) ?? 0));
  return seconds === undefined ? sent : `${sent}, ${say.left(span(Math.max(1, seconds)))}`;
}

function CameToNothing({ now }: { readonly now: Upload }) {
  const say = words.value.update;
  switch (now.kind) {
    case "refused":
      return <Trouble error={now.error} />;
    case "cutOff":
      return <Wrong text={say.cutOff(megabytes(now.sent), megabytes(now.length))} />;
    case "cutAfter":
      return <Wrong text={say.cutAfter} />;
    case "none":
    case "sending":
    case "checking":
      return null;
  }
}

function Wrong({ text }: { readonly text: string }) {
  return (
    <div class="trouble" role="alert">
      <Icon name="alert" />
      <p>{text}</p>
    </div>
  );
}
