/** Boxes, ports, cables and virtual addresses, drawn. What moves between the boxes is seen to move. */
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import { type BoxSpot, type Cable, type PortSpot, pictureOf, shortened, type VipSpot } from "../logic/picture.ts";
import { portKey } from "../logic/rates.ts";
import { roleWord } from "../parts/role.tsx";
import { duration, scaled, span } from "../parts/text.ts";
import { traffic } from "../state/live.ts";
import { words } from "../state/settings.ts";
import { RolePicture } from "./role-picture.tsx";

export function PairPicture({ shown, width }: { readonly shown: BoxesShown; readonly width: number }) {
  const picture = pictureOf(shown, width);
  const { overview, shell } = words.value;
  const label = [
    overview.pictureOf(picture.boxes.length),
    ...picture.boxes.map(({ box }) => `${shell.boxName(box.box)} ${box.hostname}: ${roleWord(box.role)}`),
    ...picture.vips.map((vip) => overview.virtual(vip.address, shell.boxName(vip.box))),
  ].join(". ");
  return (
    <svg
      class="pair-picture"
      width={picture.width}
      height={picture.height}
      viewBox={`0 0 ${picture.width} ${picture.height}`}
      role="img"
      aria-label={label}
    >
      {picture.cables.map((cable) => (
        <CableLine key={cable.interface} cable={cable} />
      ))}
      {picture.boxes.map((spot) => (
        <BoxShape key={spot.box.box} spot={spot} />
      ))}
      {picture.vips.map((vip) => (
        <VipPill key={vip.address} vip={vip} />
      ))}
    </svg>
  );
}

function BoxShape({ spot }: { readonly spot: BoxSpot }) {
  const { box, x, y, width, height } = spot;
  const narrow = width < 200;
  const letters = Math.floor((width - 62) / 8);
  return (
    <g class={`drawn-box box-${box.box} role-${box.role} ${box.own ? "own" : ""}`}>
      <rect class="case" x={x + 1} y={y + 1} width={width - 2} height={height - 2} rx={14} />
      <g transform={`translate(${x + 12} ${y + 14})`}>
        <rect class="mark" width={30} height={30} rx={box.box === "a" ? 15 : 7} />
        <text class="mark-letter" x={15} y={20.5} text-anchor="middle">
          {box.box === "alone" ? "1" : box.box}
        </text>
      </g>
      <text class="hostname" x={x + 50} y={y + 27}>
        {shortened(box.hostname === "" ? words.value.shell.boxName(box.box) : box.hostname, letters)}
      </text>
      <RolePicture x={x + 50} y={y + 33} role={box.role} />
      <text class={`role-word`} x={x + 67} y={y + 45}>
        {roleWord(box.role)}
      </text>
      {!narrow && box.uptimeSeconds !== null && (
        <text class="small" x={x + width - 12} y={y + 27} text-anchor="end">
          {words.value.overview.uptime(span(box.uptimeSeconds))}
        </text>
      )}
      <line class="rule" x1={x + 12} x2={x + width - 12} y1={y + 62} y2={y + 62} />
      {spot.ports.map((port) => (
        <PortShape key={port.port.device} spot={port} box={box.box} narrow={narrow} />
      ))}
    </g>
  );
}

function PortShape(props: { readonly spot: PortSpot; readonly box: string; readonly narrow: boolean }) {
  const { port, x, y, width } = props.spot;
  const rate = traffic.value.ports[portKey(props.box, port.device)];
  const state = port.carrier ? "up" : port.up ? "down" : "off";
  const busy = rate !== undefined && rate.receivedPackets + rate.sentPackets > 0.5;
  const rates =
    rate === undefined
      ? ""
      : `↓${scaled(rate.receivedBits).replace(" ", "")} ↑${scaled(rate.sentBits).replace(" ", "")}`;
  const speed =
    port.speedMbps === null ? "" : port.speedMbps >= 1000 ? `${port.speedMbps / 1000} G` : `${port.speedMbps} M`;
  return (
    <g class={`drawn-port ${state}`}>
      <title>{`${port.device} · ${words.value.overview.link[state]}`}</title>
      <rect class="jack" x={x} y={y + 6} width={20} height={18} rx={3} />
      {state === "up" ? (
        <circle class={busy ? "led busy" : "led"} cx={x + 10} cy={y + 15} r={4} />
      ) : (
        <path class="led-off" d={`M${x + 6} ${y + 11}l8 8m0 -8l-8 8`} />
      )}
      <text class="port-name" x={x + 28} y={y + 15}>
        {shortened(port.interface ?? port.device, props.narrow ? 9 : 20)}
      </text>
      <text class="small" x={x + 28} y={y + 31}>
        {state === "up" ? rates : words.value.overview.link[state]}
      </text>
      {!props.narrow && (
        <text class="small" x={x + width} y={y + 15} text-anchor="end">
          {[port.interface === null ? "" : port.device, speed].filter((one) => one !== "").join(" · ")}
        </text>
      )}
      {!props.narrow && width > 260 && (
        <text class="small" x={x + width} y={y + 31} text-anchor="end">
          {shortened(port.addresses[0] ?? "", 24)}
        </text>
      )}
    </g>
  );
}

function CableLine({ cable }: { readonly cable: Cable }) {
  const { from, to, beat, rttMicros } = cable;
  const middle = (from.x + to.x) / 2;
  const word = words.value.overview.beat[beat];
  const wide = to.x - from.x > 130;
  const label = beat === "alive" && rttMicros !== null ? duration(rttMicros) : wide ? word : "";
  return (
    <g class={`cable ${beat}`}>
      <title>{`${cable.interface}: ${word}`}</title>
      <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
      <circle class="cable-mark" cx={middle} cy={from.y} r={10} />
      <path class="cable-icon" d={iconOf(beat, middle, from.y)} />
      <text class="small" x={middle} y={from.y + 24} text-anchor="middle">
        {label}
      </text>
    </g>
  );
}

/** A pulse for a living path, a cross for a silent one, a bar where none is meant to be. */
function iconOf(beat: Cable["beat"], x: number, y: number): string {
  if (beat === "alive") return `M${x - 6} ${y}h3l1.500 -4 3 8 1.500 -4h3`;
  if (beat === "idle") return `M${x - 4} ${y}h8`;
  return `M${x - 4} ${y - 4}l8 8m0 -8l-8 8`;
}

function VipPill({ vip }: { readonly vip: VipSpot }) {
  const letters = Math.floor((vip.width - 22) / 7.4);
  return (
    <g class={`vip box-${vip.box}`} style={{ transform: `translate(${vip.x}px, ${vip.y}px)` }}>
      <title>{words.value.overview.virtual(vip.address, words.value.shell.boxName(vip.box))}</title>
      <rect width={vip.width} height={vip.height} rx={vip.height / 2} />
      <text x={vip.width / 2} y={vip.height / 2 + 4} text-anchor="middle">
        {shortened(vip.address, letters)}
      </text>
    </g>
  );
}
