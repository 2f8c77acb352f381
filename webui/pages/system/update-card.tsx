/** What both boxes run, what is in this one's slots, and how an update goes. It is seen by everybody and made by admins. */
import { useEffect } from "preact/hooks";
import type { ProofShown, SlotShown, UpdateShown } from "@futago/firmware/runtime/control-update.ts";
import { isUnderWay } from "../logic/pair-way.ts";
import { Ask } from "../parts/ask.tsx";
import { Awaited, Card } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { useAsked } from "../parts/asked.ts";
import { boxes, status } from "../state/live.ts";
import { place } from "../state/place.ts";
import { api, may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { BoxProgress, PairProgress } from "./update-progress.tsx";
import { SendBundle } from "./update-send.tsx";

const busyMillis = 1_000;
const quietMillis = 10_000;

function pause(shown: UpdateShown | undefined): number {
  if (shown === undefined) return busyMillis;
  const proofs = [shown.proof.state, shown.peer?.proof];
  const isRestless = proofs.some((proof) => proof === "soaking" || proof === "waiting");
  return isUnderWay(shown) || isRestless ? busyMillis : quietMillis;
}

export function UpdateCard() {
  const say = words.value.update;
  const asked = useAsked(() => api.call("GET update"), [status.value?.box], pause);
  const isThere = asked.answer !== undefined;
  // An alarm leads here; what stands above has come by then.
  useEffect(() => {
    if (isThere && place.peek()?.rest[0] === "update") document.querySelector("#update")?.scrollIntoView();
  }, [isThere]);
  return (
    <Card title={say.title} icon="refresh" class="update" id="update">
      <Awaited asked={asked}>{(shown) => <Body shown={shown} again={asked.again} />}</Awaited>
    </Card>
  );
}

interface BodyProps {
  readonly shown: UpdateShown;
  readonly again: () => Promise<void>;
}

function Body({ shown, again }: BodyProps) {
  const say = words.value.update;
  if (shown.slots.length === 0) return <p class="quiet">{say.noImage}</p>;
  const { peer, pair, version } = shown;
  const differ = peer !== null && peer.version !== null && peer.version !== version && !isUnderWay(shown);
  return (
    <>
      <ul class="versions">
        <Version own version={version} proof={shown.proof} />
        {peer !== null && <Version version={peer.version} proof={{ state: peer.proof }} />}
      </ul>
      {differ && (
        <p class="wait-text">
          <Icon name="alert" size={16} /> {say.versionsDiffer}
        </p>
      )}
      {pair !== null && <PairProgress pair={pair} again={again} />}
      {(pair === null || pair.outcome !== "running") && <BoxProgress shown={shown} />}
      <Slots slots={shown.slots} running={version} />
      {may("admin") && <SendBundle shown={shown} again={again} />}
      {may("admin") && <Back shown={shown} again={again} />}
    </>
  );
}

interface VersionProps {
  readonly own?: boolean;
  readonly version: string | null;
  readonly proof: Partial<ProofShown> & Pick<ProofShown, "state">;
}

const proofKinds = { off: "", waiting: "wait", soaking: "wait", good: "good", givenUp: "bad" } as const;

function Version({ own = false, version, proof }: VersionProps) {
  const { update: say, shell } = words.value;
  const box = boxes.value?.boxes.find((one) => one.own === own);
  const { state, findings = [], secondsLeft = null } = proof;
  return (
    <li data-box={box?.box}>
      <small class="quiet">
        {[box === undefined ? undefined : shell.boxName(box.box), box?.hostname, own ? say.thisOne : undefined]
          .filter((word) => word !== undefined && word !== "")
          .join(" · ")}
      </small>
      <strong class="version">{version ?? say.noVersion}</strong>
      <span class={`chip ${proofKinds[state]}`}>
        {state === "good" && <Icon name="check" size={14} />}
        {state === "soaking" && secondsLeft !== null ? say.provenIn(secondsLeft) : say.proofs[state]}
      </span>
      {findings.length > 0 && (
        <div class="findings">
          <small class="quiet">{say.against}</small>
          <ul>
            {findings.map((finding) => (
              <li key={finding}>{finding}</li>
            ))}
          </ul>
        </div>
      )}
    </li>
  );
}

const verdictKinds = { good: "good", trial: "wait", bad: "bad" } as const;

function Slots(props: { readonly slots: readonly SlotShown[]; readonly running: string | null }) {
  const { slots, running } = props;
  const say = words.value.update;
  return (
    <section class="slots" aria-label={say.slots}>
      {slots.map(({ slot, isRunning, isFirst, verdict, tries, version }) => (
        <div key={slot} class="slot">
          <strong>{say.slot(slot.toUpperCase())}</strong>
          <span>{(isRunning ? running : version) ?? say.asDelivered}</span>
          <span class={`chip ${verdictKinds[verdict]}`}>{say.verdicts[verdict]}</span>
          <small class="quiet">
            {[isRunning ? say.runs : "", isFirst ? say.first : "", verdict === "bad" ? "" : say.tries(tries)]
              .filter((word) => word !== "")
              .join(" · ")}
          </small>
        </div>
      ))}
    </section>
  );
}

function Back({ shown, again }: BodyProps) {
  const say = words.value.update;
  const other = shown.slots.find(({ isRunning }) => !isRunning);
  if (other === undefined) return null;
  const because = isUnderWay(shown) ? say.busy : other.verdict === "bad" ? say.backBecause : undefined;
  return (
    <div class="actions">
      <Ask
        title={say.back}
        text={say.backAsk(other.slot.toUpperCase(), other.version ?? say.asDelivered)}
        icon="history"
        force={say.force}
        because={because}
        act={async (force) => {
          const { message } = await api.call("POST update/back", { body: { force } });
          await again();
          return message;
        }}
      />
    </div>
  );
}
