/** The drawn pair at the width that there is, and the same as a table. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import { portKey } from "../logic/rates.ts";
import { Table } from "../parts/table.tsx";
import { bitRate, duration } from "../parts/text.ts";
import { traffic } from "../state/live.ts";
import { words } from "../state/settings.ts";
import { PairPicture } from "./pair-picture.tsx";

export function PictureCard({ shown }: { readonly shown: BoxesShown }) {
  const { overview, shell } = words.value;
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <section class="picture" aria-label={overview.picture}>
      <div ref={place}>{width > 0 && <PairPicture shown={shown} width={width} />}</div>
      <details>
        <summary>{shell.asTable}</summary>
        <PortsTable shown={shown} />
      </details>
    </section>
  );
}

function PortsTable({ shown }: { readonly shown: BoxesShown }) {
  const { overview: say, shell } = words.value;
  const rows = shown.boxes.flatMap((box) =>
    box.ports.map((port) => {
      const rate = traffic.value.ports[portKey(box.box, port.device)];
      const beat = port.heartbeat;
      return {
        key: portKey(box.box, port.device),
        cells: [
          shell.boxName(box.box),
          `${port.interface ?? "–"} (${port.device})`,
          port.carrier ? say.link.up : port.up ? say.link.down : say.link.off,
          port.speedMbps === null ? "–" : `${port.speedMbps} Mbit/s`,
          rate === undefined ? "–" : bitRate(rate.receivedBits),
          rate === undefined ? "–" : bitRate(rate.sentBits),
          port.addresses.join(" ") || "–",
          port.virtualAddresses.join(" ") || "–",
          beat === null ? "–" : beat.alive ? duration(beat.rttMicros ?? 0) : say.beat.silent,
        ],
      };
    }),
  );
  const columns = [say.box, say.port, say.state, say.speed, say.in, say.out, say.addresses, say.virtualAddresses];
  return <Table label={say.picture} columns={[...columns, say.heartbeat]} rows={rows} numbers={[3, 4, 5]} />;
}
