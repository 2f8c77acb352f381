/** What may be wrong with a configuration: one problem says what, where, and how to mend it. */
import type { Parameters } from "./say.ts";

export interface Problem {
  /** Where, by names: "pools.web.backends.s1.weight". Empty for the document as a whole. */
  readonly path: string;
  /** What is wrong, without the path, as a sentence without full stop. */
  readonly what: string;
  /** How to mend it, as a sentence without full stop. */
  readonly mend: string;
  readonly code: ProblemCode;
  /** The values in `what`, for whoever says it in another language. */
  readonly parameters?: Parameters;
}

/** Every code with its meaning, as docs/configuration.md shows it. Scripts may rely on the codes. */
export const problemCodes = {
  tooLarge: "The document is larger than 24 MiB.",
  encoding: "The bytes are not UTF-8 text.",
  syntax: "The text is not JSON. Comments and trailing commas are not part of JSON.",
  duplicateKey: "An object holds the same key twice; JSON readers disagree on which counts.",
  tooDeep: "Objects and lists are nested deeper than any configuration.",
  tooManyProblems: "There are more problems than are shown.",
  unknownKey: "No such key here.",
  notBuilt: "Part of the design, but this version cannot do it yet.",
  missingKey: "A key that must be there is not.",
  wrongType: "A number where a text is asked for, a list where an object is, and so on.",
  outOfRange: "A number is too small, too large or not in step.",
  wrongCount: "A list or a text is too short or too long.",
  wrongWord: "The value is not one of the words possible here.",
  malformed: "A text does not have the form asked for, such as an address.",
  perBoxNotHere: "A value is written per box where both boxes must share it.",
  perBoxAlone: "A value is written per box in a document without `pair`.",
  boxUnknown: "The document describes a pair, but this box was not told whether it is a or b.",
  pairOnly: "The key has a meaning only in a pair.",
  duplicateName: "Two things of one kind have the same name.",
  duplicateDevice: "Two interfaces use the same device.",
  missingDevice: "The box has no such network device.",
  duplicateAddress: "Two interfaces or both boxes have the same address.",
  duplicateRoute: "Two routes lead to the same place with the same metric.",
  unreachableGateway: "A route's gateway lies in no subnet of the box.",
  badAddress: "An address that cannot stand here, such as multicast, loopback or a subnet's own.",
  unknownName: "The name refers to nothing in the document.",
  duplicateEntry: "A list holds the same thing twice.",
  witnessesNeeded: "`safety` needs witnesses: without one a box alone would never serve.",
  coldWithoutHeartbeat: "A spare of a cold pair would have shut every port that carries heartbeats.",
  witnessIsOurs: "A witness is an address of the pair itself, which proves nothing about the network.",
  overlappingVrid: "Two virtual routers of one family use the same VRID on one interface.",
  vridsExhausted: "No VRID is left on the interface.",
  mixedFamilies:
    "IPv4 and IPv6 are mixed where only one can be: in a virtual router, a route, a service and its backends.",
  vipOutsideSubnet: "A virtual address lies outside its interface's subnets.",
  vipIsOwnAddress: "A virtual address is a box's own address.",
  duplicateVip: "A virtual address is used twice.",
  tooManyVips: "More virtual addresses than the gate can hold.",
  priorityDiffers: "Virtual routers of one group, which share one state, have different priorities.",
  priorityOwner: "Priority 255 without owning the addresses, or in a pair.",
  checkTimes: "A check may take longer than its interval.",
  checkAddress: "A check of a pool names an address of its own.",
  checkPort: "A TCP check that looks at the box itself does not say which port.",
  poolEmpty: "A pool has no backends.",
  duplicateBackend: "Two backends of a pool have the same address and port.",
  backendIsOurs: "A backend has an address of the box or a virtual address.",
  backendUnreachable: "A backend lies in no subnet of the box and no route leads to it.",
  backendInTwoServices: "The same backend address and port serves two virtual addresses or ports in mode `nat`.",
  backendNotOnLink: "A backend of a `direct` service lies in no subnet of the box.",
  directPort: "A backend of a `direct` service has another port than the service.",
  directNeedsLoopback: "Backends of a `direct` service must have its address on their loopback device.",
  sorryPoolSame: "A service's sorry pool is its own pool.",
  tooManyEntries: "More entries of `allow` and `deny` than the balancer can hold.",
  shortIdleTimeout: "Connections are forgotten after less than a minute of silence.",
  tcpCheckForUdp: "Backends of a UDP service are looked at by TCP, because their pool says nothing.",
  unverified: "An `https` check takes any certificate.",
  namelessCertificate: "An `https` check has no name to look for in the certificate.",
  serviceWithoutVip: "A service's address is no virtual address of the document.",
  duplicateService: "Two services have the same address, protocol and port.",
  groupsDiffer: "A service's address and its backends' gateway move separately.",
  gatewayMissing: "The backends' interface has no virtual address that could be their gateway.",
} as const;

export type ProblemCode = keyof typeof problemCodes;
