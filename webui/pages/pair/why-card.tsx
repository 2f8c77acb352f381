/** The timeline of both boxes: what happened to roles, and on what evidence. */
import type { TimelineEvent } from "@futago/firmware/runtime/control.ts";
import { Awaited, Card, Empty } from "../parts/card.tsx";
import { BoxMark, roleWord } from "../parts/role.tsx";
import { clock, decimal } from "../parts/text.ts";
import { useAsked } from "../parts/asked.ts";
import { happened, status } from "../state/live.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

const eventsMax = 100;

export function WhyCard() {
  const say = words.value.pair;
  const asked = useAsked(
    () => api.call("GET why"),
    [status.value?.role, status.value?.peer?.role, happened.value[0]?.at],
  );
  return (
    <Card title={say.why} icon="clock">
      <p class="quiet">{say.whyLead}</p>
      <Awaited asked={asked}>
        {(events) =>
          events.length === 0 ? (
            <Empty text={say.noWhy} />
          ) : (
            <ol class="timeline">
              {events
                .toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at))
                .slice(0, eventsMax)
                .map((event) => (
                  <Happened key={`${event.box} ${event.at} ${event.event} ${event.group}`} event={event} />
                ))}
            </ol>
          )
        }
      </Awaited>
    </Card>
  );
}

export function Happened({ event }: { readonly event: TimelineEvent }) {
  const say = words.value.pair;
  const evidence = Object.entries(event.evidence);
  return (
    <li>
      <BoxMark box={event.box} />
      <div>
        <p>
          <time class="quiet">{clock(event.at)}</time>{" "}
          {event.clock !== null && <small class="quiet">{say.clockUnsure(decimal(event.clock.exactMillis, 1))}</small>}{" "}
          {Object.hasOwn(say.events, event.event) ? say.events[event.event] : <code>{event.event}</code>}{" "}
          {event.group !== undefined && <strong>{event.group}</strong>}{" "}
          {event.to !== undefined && (
            <span>
              {event.from === undefined ? "" : `${roleWord(event.from)} → `}
              <strong>{roleWord(event.to)}</strong>
            </span>
          )}
        </p>
        <p>{event.reason}</p>
        {evidence.length > 0 && (
          <details>
            <summary>{say.evidence}</summary>
            <small class="quiet mono">{evidence.map(([key, value]) => `${key}=${value}`).join("  ")}</small>
          </details>
        )}
      </div>
    </li>
  );
}
