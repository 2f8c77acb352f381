/**
 * The words of a lab script: {"scenario": NAME, "steps": […]}, or a mere list of steps for the scenario "balanced".
 *
 * Boxes are called "a", "b", "active", "standby", or "victim": the box to which the newest step with
 * "active" or "standby" did something. A web server that runs on a box goes by the box.
 */
import type { Component } from "./box.ts";
import type { BackendName, Port } from "./topology.ts";

export type BoxReference = "a" | "b" | "active" | "standby" | "victim";
export type ServerReference = BackendName | BoxReference;

export type Expectation =
  /** The box says that it has this role. */
  | { readonly what: "role"; readonly box: BoxReference; readonly role: string }
  /** Of the boxes that run, exactly one is active and the other is standby and hears its peer. */
  | { readonly what: "oneActive" }
  | { readonly what: "web" }
  /** The boxes that run have nothing to complain about. */
  | { readonly what: "noAlarm" }
  | { readonly what: "answers" }
  /** The client's neighbour entries are the active box's, learnt since the mark by announcement, without asking. */
  | { readonly what: "announced" }
  /** Of the HTTP connections that were open at the mark none was broken, and they are answered. */
  | { readonly what: "keptAlive" }
  /** All HTTP connections that were open at the mark were ended, and as many opened anew are answered. */
  | { readonly what: "keptRenewed" }
  /** The same of `one-arm` and `direct`; and each UDP client is still answered by the server that it had at the mark. */
  | { readonly what: "everyMode" }
  /** The iperf3 stream that runs since the start moves data. */
  | { readonly what: "stream" }
  | { readonly what: "noProbeLost" }
  /** What the newest drill says of the VIPs is what the lab's own prober saw since the mark. */
  | { readonly what: "drillAgrees" }
  /** New HTTP connections are served, and of those that began since the mark none failed. */
  | { readonly what: "noRequestFailed" }
  /** The box's own web server answers at the box's own addresses, and its Ethernet address gives no answer for a VIP. */
  | { readonly what: "silentForVip"; readonly box: BoxReference }
  /** The box's Ethernet address has stopped answering ARP for the VIP. */
  | { readonly what: "arpSilent"; readonly box: BoxReference }
  /** Since the mark no ARP request was answered by two boxes. */
  | { readonly what: "arpNeverBoth" }
  /** The component runs again, as another process than at the mark. */
  | { readonly what: "restarted"; readonly box: BoxReference; readonly component: Component }
  /** New connections to each address are served, and this server is among those who do. */
  | { readonly what: "serves"; readonly server: ServerReference }
  /** The server is out of rotation: for a whole second no new connection is served by it, while others are. */
  | { readonly what: "spares"; readonly server: ServerReference };

export type Step =
  | { readonly do: "say"; readonly text: string }
  | { readonly do: "wait"; readonly milliseconds: number }
  /** Starts a new chapter: "since the mark" means since here. */
  | { readonly do: "mark" }
  | { readonly do: "watchArp"; readonly on: boolean }
  | { readonly do: "powerOff" | "powerOn" | "freeze" | "thaw"; readonly box: BoxReference }
  | { readonly do: "pull" | "plug"; readonly box: BoxReference; readonly port: Port }
  | { readonly do: "kill"; readonly box: BoxReference; readonly component: Component }
  | { readonly do: "switchover" }
  /** `futago drill` on the active box, with `--kill` or without. */
  | { readonly do: "drill"; readonly kill: boolean }
  | { readonly do: "stopServer" | "startServer"; readonly server: ServerReference }
  /** Both boxes are given the configuration with `preempt` so or so, by `futago config apply`. */
  | { readonly do: "configure"; readonly preempt: boolean }
  /** Prints a figure; never a reason to fail. */
  | { readonly do: "measure"; readonly what: Measure }
  | ({ readonly do: "expect"; readonly withinMilliseconds?: number } & Expectation);

/** In words in {@link MEASURES}. */
export type Measure = "silence" | "outage" | "requests" | "rotation" | "arpSilence";

export const MEASURES: Readonly<Record<Measure, string>> = {
  silence: "silence",
  outage: "time without a page",
  requests: "requests lost",
  rotation: "rotation",
  arpSilence: "arpSilence",
};

/** The step as a person would say it. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case "say":
      return step.text;
    case "wait":
      return `wait ${step.milliseconds} ms`;
    case "mark":
      return "mark";
    case "watchArp":
      return step.on ? "watch ARP for the VIP, 1,000 requests a second" : "stop watching ARP";
    case "powerOff":
      return `power off ${step.box}`;
    case "powerOn":
      return `power on ${step.box}`;
    case "freeze":
      return `SIGSTOP everything of ${step.box}`;
    case "thaw":
      return `SIGCONT everything of ${step.box}`;
    case "pull":
    case "plug":
      return `${step.do} the ${step.port} cable of ${step.box}`;
    case "kill":
      return `kill -9 ${step.component} of ${step.box}`;
    case "switchover":
      return "switch over";
    case "drill":
      return step.kill ? "drill --kill" : "drill";
    case "stopServer":
      return `kill -9 ${describeServer(step.server)}`;
    case "startServer":
      return `start ${describeServer(step.server)}`;
    case "configure":
      return `configure both boxes with "preempt": ${step.preempt}`;
    case "measure":
      return `measure ${MEASURES[step.what]}`;
    case "expect":
      return describeExpectation(step);
  }
}

function describeExpectation(expectation: Expectation): string {
  switch (expectation.what) {
    case "role":
      return `${expectation.box} is ${expectation.role}`;
    case "web":
      return "the web UI of each box that runs answers this machine";
    case "oneActive":
      return "one box is active, the other standby";
    case "noAlarm":
      return "no box has an alarm";
    case "answers":
      return "the VIP answers";
    case "announced":
      return "the client learnt the new MAC by gratuitous ARP";
    case "keptAlive":
      return "kept-alive HTTP connections go on";
    case "keptRenewed":
      return "kept-alive HTTP connections ended, and are open again";
    case "everyMode":
      return "one-arm, direct and UDP go on, each at its server";
    case "stream":
      return "the iperf3 stream goes on";
    case "noProbeLost":
      return "no probe was lost";
    case "drillAgrees":
      return "the drill saw what the client's prober saw";
    case "noRequestFailed":
      return "no HTTP request failed";
    case "silentForVip":
      return `the web server of ${expectation.box} answers, but not for the VIP`;
    case "arpSilent":
      return `${expectation.box} answers no ARP for the VIP`;
    case "arpNeverBoth":
      return "never did two boxes answer one ARP request";
    case "restarted":
      return `${expectation.component} of ${expectation.box} runs again`;
    case "serves":
      return `${describeServer(expectation.server)} serves`;
    case "spares":
      return `${describeServer(expectation.server)} is asked nothing`;
  }
}

function describeServer(server: ServerReference): string {
  return /^s\d$/.test(server) ? `web server ${server}` : `the web server of ${server}`;
}
