/** How an update goes: of the pair, or of this box alone. */
import type { ComponentChildren } from "preact";
import type { PairUpdateShown, UpdateShown, UpdateStep } from "@futago/firmware/runtime/control-update.ts";
import { wayOf } from "../logic/pair-way.ts";
import { Ask } from "../parts/ask.tsx";
import { Icon } from "../parts/icon.tsx";
import { clock, count } from "../parts/text.ts";
import { api, may } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function PairProgress(props: { readonly pair: PairUpdateShown; readonly again: () => Promise<void> }) {
  const { pair, again } = props;
  const say = words.value.update;
  const isOver = pair.outcome !== "running";
  return (
    <section class="part" aria-label={say.underWay(pair.version)}>
      <div class="part-head">
        <h3>{say.underWay(pair.version)}</h3>
        <small class="quiet">{say.by(pair.author, clock(pair.startedAt))}</small>
      </div>
      <Way pair={pair} />
      {isOver ? <Outcome pair={pair} /> : <Stage pair={pair} />}
      <Log steps={pair.steps} open={!isOver} />
      {pair.canStop && may("admin") && (
        <div class="actions">
          <Ask
            title={say.stop}
            text={say.stopAsk}
            icon="cross"
            kind="danger"
            act={async () => {
              const { message } = await api.call("POST update/stop", { body: {} });
              await again();
              return message;
            }}
          />
        </div>
      )}
    </section>
  );
}

function Way({ pair }: { readonly pair: PairUpdateShown }) {
  const say = words.value.update;
  const parts = wayOf(pair);
  if (parts.length === 0) return null;
  return (
    <div class="way" role="group" aria-label={say.way}>
      {parts.map(({ box, steps }, index) => (
        <div key={box} data-box={box} class={`way-part of-${steps.length}`}>
          <small class="way-box">{index === 0 ? say.firstBox(box) : say.thenBox(box)}</small>
          <ol>
            {steps.map(({ stage, state }) => (
              <li key={stage} class={state} aria-current={state === "now" ? "step" : undefined}>
                <span>{say.stages[stage]}</span>
                <span class="hidden">: {say.states[state]}</span>
              </li>
            ))}
          </ol>
        </div>
      ))}
    </div>
  );
}

function Stage({ pair }: { readonly pair: PairUpdateShown }) {
  const say = words.value.update;
  const { percent, secondsLeft, findings } = pair;
  const sentence = say.now[pair.stage](pair.box);
  const beside = percent !== null ? `${count(percent)} %` : secondsLeft !== null ? say.secondsLeft(secondsLeft) : "";
  return (
    <Bar sentence={sentence} percent={percent} beside={beside}>
      <ul class="findings">
        {findings.map((finding) => (
          <li key={finding}>{finding}</li>
        ))}
      </ul>
    </Bar>
  );
}

interface BarProps {
  readonly sentence: string;
  /** Null: nobody knows how long it takes. */
  readonly percent: number | null;
  /** Changes with each look, and is not read aloud. */
  readonly beside: string;
  readonly children?: ComponentChildren;
}

export function Bar({ sentence, percent, beside, children }: BarProps) {
  return (
    <div class="doing">
      <p role="status">{sentence}</p>
      <progress aria-label={sentence} {...(percent === null ? {} : { value: percent, max: 100 })} />
      <small class="quiet beside">{beside}</small>
      {children}
    </div>
  );
}

function Outcome({ pair: { outcome, version, failure } }: { readonly pair: PairUpdateShown }) {
  const say = words.value.update;
  if (outcome === "running") return null;
  const isGood = outcome === "done";
  return (
    <div class="outcome">
      <p class={`verdict ${isGood ? "good" : "bad"}`}>
        <Icon name={isGood ? "check" : "alert"} />
        {say.outcomes[outcome](version)}
      </p>
      {failure !== null && <p>{failure}</p>}
    </div>
  );
}

/** Of this box alone; nothing once it is over and went well, for then the box was started anew. */
export function BoxProgress({ shown }: { readonly shown: UpdateShown }) {
  const say = words.value.update;
  const { isWorking, percent, failure, steps } = shown;
  if (!isWorking && failure === null) return null;
  return (
    <section class="part" aria-label={say.working}>
      {isWorking && (
        <Bar
          sentence={percent === null ? say.working : say.writing}
          percent={percent}
          beside={percent === null ? "" : `${count(percent)} %`}
        />
      )}
      {failure !== null && (
        <div class="trouble" role="alert">
          <Icon name="alert" />
          <div>
            <p>{say.failed}</p>
            <p class="quiet">{failure}</p>
          </div>
        </div>
      )}
      <Log steps={steps} open={isWorking} />
    </section>
  );
}

function Log({ steps, open }: { readonly steps: readonly UpdateStep[]; readonly open: boolean }) {
  const say = words.value.update;
  if (steps.length === 0) return null;
  return (
    <details class="more" open={open}>
      <summary>{say.log}</summary>
      <ol class="lines">
        {steps.map(({ at, sentence }, index) => (
          <li key={index}>
            <time dateTime={at}>{clock(at)}</time> {sentence}
          </li>
        ))}
      </ol>
    </details>
  );
}
