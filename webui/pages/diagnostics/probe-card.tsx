/** Ping and traceroute: each line as it comes, and a way to stop. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { PingEvent, TracerouteEvent } from "@futago/firmware/runtime/control-ports.ts";
import { linesOf } from "../../client/events.ts";
import { Card } from "../parts/card.tsx";
import { Form } from "../parts/form.tsx";
import { Input } from "../parts/input.tsx";
import { duration } from "../parts/text.ts";
import { api } from "../state/session.ts";
import { words } from "../state/settings.ts";

export function PingCard() {
  const say = words.value.tools;
  const [times, setTimes] = useState("4");
  return (
    <ProbeCard
      title={say.ping}
      path="ping"
      more={{ count: Number(times) }}
      line={(event) => pingLine(event as PingEvent)}
    >
      <Input label={say.count} value={times} onValue={setTimes} numeric />
    </ProbeCard>
  );
}

export function TracerouteCard() {
  const say = words.value.tools;
  return (
    <ProbeCard
      title={say.traceroute}
      path="traceroute"
      more={{}}
      line={(event) => tracerouteLine(event as TracerouteEvent)}
    />
  );
}

interface ProbeProps {
  readonly title: string;
  readonly path: string;
  readonly more: object;
  readonly line: (event: unknown) => string;
  readonly children?: ComponentChildren;
}

function ProbeCard({ title, path, more, line, children }: ProbeProps) {
  const say = words.value.tools;
  const [to, setTo] = useState("");
  const [lines, setLines] = useState<readonly string[]>([]);
  const [running, setRunning] = useState(false);
  const stop = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const send = async () => {
    stop.current = new AbortController();
    setLines([]);
    setRunning(true);
    try {
      const response = await api.raw("POST", path, { body: { to: to.trim(), ...more }, signal: stop.current.signal });
      for await (const event of linesOf(response)) setLines((former) => [...former, line(event)]);
    } catch (error) {
      if (!stop.current.signal.aborted) throw error;
    } finally {
      setRunning(false);
    }
  };
  return (
    <Card title={title} icon="diagnostics">
      <Form send={say.start} onSend={send}>
        <Input label={say.to} value={to} onValue={setTo} />
        {children}
      </Form>
      {running && (
        <button type="button" class="button" onClick={() => stop.current?.abort()}>
          {say.stop}
        </button>
      )}
      {lines.length > 0 && (
        <pre role="log" aria-label={title}>
          {lines.join("\n")}
        </pre>
      )}
    </Card>
  );
}

function pingLine(event: PingEvent): string {
  const say = words.value.tools;
  switch (event.kind) {
    case "began":
      return say.began(event.address);
    case "answer":
      return say.answer(event.sequence, duration(event.rttMicros));
    case "silence":
      return say.silence(event.sequence);
    case "unreachable":
      return say.unreachable(event.sequence, event.from, event.reason);
    case "ended":
      return say.pingEnd(event.received, event.sent);
  }
}

function tracerouteLine(event: TracerouteEvent): string {
  const say = words.value.tools;
  switch (event.kind) {
    case "began":
      return say.began(event.address);
    case "hop":
      if (event.from === null) return say.noHop(event.hop);
      return say.hop(event.hop, event.from, event.rttMicros === null ? "" : duration(event.rttMicros));
    case "ended":
      return event.reached ? say.reached : say.notReached;
  }
}
