/** The schema of health checks, the same for pools and for what a failover group tracks. */
import { Type } from "typebox";
import {
  checkIntervalMsDefault,
  checkTimeoutMsDefault,
  expectStatusDefault,
  fallDefault,
  httpPathDefault,
  httpPortDefault,
  riseDefault,
} from "./defaults.ts";
import { closed, Ip, Port } from "./schema-parts.ts";

const timing = {
  intervalMs: Type.Optional(
    Type.Integer({
      minimum: 20,
      maximum: 3_600_000,
      default: checkIntervalMsDefault,
      description:
        "A check starts at least this often, in milliseconds. A backend that dies is out of rotation after at most `intervalMs` × `fall` (and 50 ms).",
    }),
  ),
  timeoutMs: Type.Optional(
    Type.Integer({
      minimum: 5,
      maximum: 60_000,
      default: checkTimeoutMsDefault,
      description:
        "How long one check may take, in milliseconds; at most `intervalMs`. Left out: 500, and never more than half of `intervalMs`.",
    }),
  ),
  rise: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      default: riseDefault,
      description: "Good answers in a row that make it healthy.",
    }),
  ),
  fall: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      default: fallDefault,
      description: "Failures in a row that make it unhealthy. A refused connection does so at once.",
    }),
  ),
  address: Type.Optional({
    ...Ip,
    description: "Only in `track`: the address to look at. Left out, the check looks at the box itself.",
  }),
} as const;

const checkPort = Type.Optional({
  ...Port,
  description: "The port to look at. Left out in a pool, the backend's own port.",
});

const notBuilt = ["sni", "verify", "expectBody", "query", "expectAnswer"];

const IcmpCheck = closed(
  { type: Type.Literal("icmp"), ...timing },
  { description: "The address answers an ICMP echo request (layer 3).", notBuilt },
);

const TcpCheck = closed(
  { type: Type.Literal("tcp"), port: checkPort, ...timing },
  { description: "The port accepts a connection (layer 4).", notBuilt },
);

const HttpCheck = closed(
  {
    type: Type.Literal("http"),
    port: Type.Optional({
      ...Port,
      description: `The port to look at. Left out, the backend's own port in a pool, ${httpPortDefault} in \`track\`.`,
    }),
    path: Type.Optional(
      Type.String({
        maxLength: 1_024,
        format: "httpPath",
        default: httpPathDefault,
        description: "What to GET; begins with a slash.",
      }),
    ),
    host: Type.Optional(
      Type.String({
        maxLength: 255,
        format: "httpHost",
        description: "The Host header. Left out, the backend's address.",
      }),
    ),
    expectStatus: Type.Optional(
      Type.String({
        maxLength: 200,
        format: "statusRanges",
        default: expectStatusDefault,
        description: "The status codes that count as good: numbers and ranges with commas, such as `200-299,404`.",
      }),
    ),
    ...timing,
  },
  { description: "An HTTP/1.1 GET is answered with an expected status (layer 7).", notBuilt },
);

const NoCheck = closed(
  { type: Type.Literal("none") },
  { description: "Never looks: every backend counts as healthy." },
);

/** A health check. */
export const CheckSchema = Type.Union([IcmpCheck, TcpCheck, HttpCheck, NoCheck], {
  by: "type",
  notBuilt: ["https", "dns"],
  description: "A health check.",
});
