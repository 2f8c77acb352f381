/** The first steps, one after the other: what is done is ticked, what comes next is open. */
import { useState } from "preact/hooks";
import { doneSteps, type FirstStep, firstSteps, mayRepeat } from "../logic/first-steps.ts";
import { Empty, PageHead } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { candidate, diff } from "../state/candidate.ts";
import { status } from "../state/live.ts";
import { may, who } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { AddressesStep } from "./addresses-step.tsx";
import { PairStep } from "./pair-step.tsx";
import { PortsStep } from "./ports-step.tsx";
import type { StepProps } from "./step.ts";
import { Stick } from "./stick.tsx";
import { ServiceStep } from "./service-step.tsx";

export function Start() {
  const { start: say, shell } = words.value;
  const [chosen, choose] = useState<FirstStep | undefined>(undefined);
  const [skipped, skip] = useState<readonly FirstStep[]>([]);
  if (!may("admin")) {
    return (
      <>
        <PageHead title={shell.pages.start} />
        <Empty text={shell.notAllowed(shell.userRoles[who.value?.role ?? "viewer"])} />
      </>
    );
  }
  const done = doneSteps({
    document: candidate.value,
    revision: status.value?.revision ?? "",
    paired: status.value?.pairing.kind === "paired" || status.value?.pairing.kind === "key",
    drilled: status.value?.lastDrill?.passed === true,
    pending: diff.value?.changes.map(({ path }) => path) ?? [],
  });
  const next = firstSteps.find((step) => !done.has(step) && !skipped.includes(step));
  const open = chosen ?? next;
  return (
    <>
      <PageHead title={shell.pages.start} />
      <p class="quiet">{say.lead}</p>
      {status.value?.revision === "" && <Stick />}
      <ol class="first-steps">
        {firstSteps.map((step, index) => (
          <li key={step} class={done.has(step) ? "done" : ""} aria-current={step === open ? "step" : undefined}>
            <header>
              <span class="step-mark" aria-hidden="true">
                {done.has(step) ? <Icon name="check" size={18} /> : index + 1}
              </span>
              <h2>
                {say.steps[step]}
                {done.has(step) && <span class="hidden"> ({say.done})</span>}
              </h2>
              {step !== open && mayRepeat(step, candidate.value, skipped) && (
                <button type="button" class="button small quiet" onClick={() => choose(step)}>
                  {say.again}
                </button>
              )}
            </header>
            {step === open && (
              <StepBody
                step={step}
                onDone={() => choose(undefined)}
                onSkip={() => {
                  choose(undefined);
                  skip([...skipped, step]);
                }}
              />
            )}
          </li>
        ))}
      </ol>
      {open === undefined && (
        <div>
          <Link page="overview" class="button main">
            {say.finish}
          </Link>
        </div>
      )}
    </>
  );
}

function StepBody({ step, ...rest }: StepProps & { readonly step: FirstStep }) {
  const { start: say } = words.value;
  switch (step) {
    case "claim":
      return null;
    case "ports":
      return <PortsStep {...rest} />;
    case "addresses":
      return <AddressesStep {...rest} />;
    case "pair":
      return <PairStep {...rest} />;
    case "service":
      return <ServiceStep {...rest} />;
    case "drill":
      return (
        <div class="form">
          <p class="quiet">{say.drillLead}</p>
          <div class="actions">
            <Link page="pair" class="button main">
              {say.steps.drill}
            </Link>
            <Link page="overview" class="button">
              {say.finish}
            </Link>
          </div>
        </div>
      );
  }
}
