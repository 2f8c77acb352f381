/** The pages' own pictures of things, on a grid of 24. Decoration: a word always stands beside. */

const paths = {
  active: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M10 8.5l5.5 3.5-5.5 3.5z",
  standby: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M10 9v6M14 9v6",
  spare: "M12 3v18M4.2 7.5l15.6 9M19.8 7.5l-15.6 9",
  maintenance:
    "M14.5 6.5a4 4 0 0 1 5-1l-3 3 .5 2 2 .5 3-3a4 4 0 0 1-5.500 5L8 20.500a2 2 0 0 1-3-3l8.500-8a4 4 0 0 1 1-3z",
  fault: "M12 3.500 22 20.500H2zM12 10v5M12 17.800v.2",
  alone: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10",
  initialize: "M12 3a9 9 0 1 1-9 9",
  unknown:
    "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.7.3-1 .8-1 1.700M12 16.600v.2",
  check: "M4.500 12.500l5 5 10-11",
  cross: "M6 6l12 12M18 6L6 18",
  alert: "M12 3.500 22 20.500H2zM12 10v5M12 17.800v.2",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 11v6M12 7.500v.2",
  menu: "M4 7h16M4 12h16M4 17h16",
  plus: "M12 5v14M5 12h14",
  pencil: "M4 20l1-4L16.500 4.500a2 2 0 0 1 3 3L8 19zM14.500 6.500l3 3",
  bin: "M4 7h16M9 7V4h6v3M6.500 7l1 13h9l1-13M10 11v5M14 11v5",
  next: "M9 5l7 7-7 7",
  refresh: "M20 11a8 8 0 1 0-2.300 6M20 5v6h-6",
  download: "M12 4v11M7 10.500l5 5 5-5M4 20h16",
  beat: "M2 12h5l2-5 4 11 3-8 1.500 2H22",
  user: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 21c0-4.500 3.500-7 8-7s8 2.500 8 7",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3.500 2",
  swap: "M4 8h15M15 4l4 4-4 4M20 16H5M9 12l-4 4 4 4",
  power: "M12 3v9M6.500 6.500a8 8 0 1 0 11 0",
  overview: "M3 5h8v8H3zM13 11h8v8h-8zM11 9h4v2M9 13v4h4",
  services: "M12 3l9 4.500-9 4.500-9-4.500zM3 12l9 4.500 9-4.500M3 16.500L12 21l9-4.500",
  addresses: "M12 21c4-5 7-8 7-11.500a7 7 0 0 0-14 0C5 13 8 16 12 21M12 7a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5",
  network: "M4 4h16v10H4zM8 14v-4h8v4M12 14v6M7 20h10",
  pair: "M3 8h10v10H3zM11 6h10v10h-8",
  history: "M4 12a8 8 0 1 1 2.500 5.800M4 20v-5h5M12 8v4.500l3 2",
  system:
    "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6M12 3v3M12 18v3M3 12h3M18 12h3M5.600 5.600l2.200 2.200M16.200 16.200l2.200 2.200M5.600 18.400l2.200-2.200M16.200 7.800l2.200-2.200",
  logs: "M5 4h14v16H5zM8.500 8.500h7M8.500 12h7M8.500 15.500h4",
  diagnostics:
    "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13M15.500 15.500L21 21M7.500 10.500h2l1.500-3 1.500 5 1-2h1",
  start: "M5 21V4M5 5h11l-2 4 2 4H5",
  drain: "M4 5h16l-6 8v6l-4 2v-8z",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  lamp: "M9 18h6M10 21h4M12 3a6 6 0 0 0-3.500 10.900V16h7v-2.100A6 6 0 0 0 12 3",
  down: "M12 4v15M6 13l6 6 6-6",
  up: "M12 20V5M6 11l6-6 6 6",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
