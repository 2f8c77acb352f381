/** What needs somebody. */
import { Card } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { ago } from "../parts/text.ts";
import { status } from "../state/live.ts";
import { words } from "../state/settings.ts";

/** What to do about them is on the card that updates. */
const ofUpdates: ReadonlySet<string> = new Set([
  "update-failed",
  "starts-unproven",
  "boot-state-torn",
  "updater-away",
  "versions-differ",
]);

export function Alarms() {
  const alarms = status.value?.alarms ?? [];
  const { overview, update } = words.value;
  if (alarms.length === 0) return null;
  return (
    <Card title={overview.alarms} icon="alert" class="alarms">
      <ul class="plain">
        {alarms.map((alarm) => (
          <li key={`${alarm.kind} ${alarm.sentence}`}>
            <Icon name="alert" size={18} />
            <div>
              {Object.hasOwn(overview.alarmWords, alarm.kind) && <strong>{overview.alarmWords[alarm.kind]}</strong>}
              <p>{alarm.sentence}</p>
              <small class="quiet">
                <code>{alarm.kind}</code> · {ago(alarm.since)}
                {ofUpdates.has(alarm.kind) && (
                  <>
                    {" · "}
                    <Link page="system" rest={["update"]}>
                      {update.toUpdate}
                    </Link>
                  </>
                )}
              </small>
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}
