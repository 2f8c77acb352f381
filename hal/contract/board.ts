/** What of a machine means what: which LED or line is which light, where the button is, which watchdog it has. */

export interface BoardDescription {
  readonly name: string;
  readonly watchdog: WatchdogPlace | undefined;
  readonly lights: Readonly<Partial<Record<LightName, LightPlace>>>;
  /** LEDs that follow the link of a port. The LEDs in a socket are its driver's and follow it by themselves. */
  readonly links: readonly LinkPlace[];
  readonly button: ButtonPlace | undefined;
}

export type LightName = "role" | "peer" | "alarm" | "locate";

export interface WatchdogPlace {
  /** Of /dev: "watchdog0". */
  readonly device: string;
  readonly seconds: number;
}

export type LightPlace =
  /** An LED class device by its name, in which * stands for anything. */
  { readonly kind: "led"; readonly name: string } | LinePlace;

export interface LinePlace {
  readonly kind: "gpio";
  /** A chip's label, or its device "gpiochip0". */
  readonly chip: string;
  readonly line: number;
  readonly activeLow: boolean;
}

export interface LinkPlace {
  readonly led: string;
  /** The port: where it is on the machine, such as "0000:01:00.0" or "fe300000.ethernet", or how it is called. */
  readonly port: { readonly bus: string } | { readonly device: string };
}

export type ButtonPlace =
  /** A key of the first of these input devices that has it. */
  { readonly kind: "key"; readonly inputs: readonly string[]; readonly code: number } | LinePlace;

/** A board's description, and what was wrong with one that could not be taken. */
export interface ChosenBoard {
  readonly description: BoardDescription;
  readonly problem: string | undefined;
}
