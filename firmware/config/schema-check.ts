/** The schema of health checks, the same for pools and for what a failover group tracks. */
import { Type } from "typebox";
import {
  checkIntervalMsDefault,
  checkTimeoutMsDefault,
  dnsPortDefault,
  expectStatusDefault,
  fallDefault,
  httpPathDefault,
  httpPortDefault,
  httpsPortDefault,
  riseDefault,
  verifyDefault,
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

/** The port of a check whose protocol has a usual one. */
function portOr(usual: number) {
  return Type.Optional({
    ...Port,
    description: `The port to look at. Left out, the backend's own port in a pool, ${usual} in \`track\`.`,
  });
}

const IcmpCheck = closed(
  { type: Type.Literal("icmp"), ...timing },
  { description: "The address answers an ICMP echo request (layer 3)." },
);

const TcpCheck = closed(
  { type: Type.Literal("tcp"), port: checkPort, ...timing },
  { description: "The port accepts a connection (layer 4)." },
);

const answer = {
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
  expectBody: Type.Optional(
    Type.String({
      maxLength: 1_024,
      format: "bodyText",
      description: "A text that the first 64 KiB of the body must hold, letter for letter.",
    }),
  ),
} as const;

const HttpCheck = closed(
  { type: Type.Literal("http"), port: portOr(httpPortDefault), ...answer, ...timing },
  { description: "An HTTP/1.1 GET is answered with an expected status and body (layer 7)." },
);

const HttpsCheck = closed(
  {
    type: Type.Literal("https"),
    port: portOr(httpsPortDefault),
    ...answer,
    sni: Type.Optional(
      Type.String({
        maxLength: 255,
        format: "serverName",
        description:
          "The name asked for in the TLS handshake and looked for in the certificate. Left out, `host` when that is a name; else none is asked for, and the certificate must hold the address.",
      }),
    ),
    verify: Type.Optional(
      Type.Boolean({
        default: verifyDefault,
        description: "Whether an expired certificate, one for another name or of an unknown authority is a failure.",
      }),
    ),
    ...timing,
  },
  { description: "An HTTP/1.1 GET over TLS is answered with an expected status and body (layer 7)." },
);

const DnsCheck = closed(
  {
    type: Type.Literal("dns"),
    port: portOr(dnsPortDefault),
    query: Type.String({
      maxLength: 254,
      format: "dnsName",
      description:
        "The domain name to ask for, over UDP: its IPv6 addresses when `expectAnswer` is one, else its IPv4.",
    }),
    expectAnswer: Type.Optional({
      ...Ip,
      description: "An address that must be among the answers. Left out, any answer without error counts as good.",
    }),
    ...timing,
  },
  { description: "A DNS server answers a question (layer 7)." },
);

const NoCheck = closed(
  { type: Type.Literal("none") },
  { description: "Never looks: every backend counts as healthy." },
);

/** A health check. */
export const CheckSchema = Type.Union([IcmpCheck, TcpCheck, HttpCheck, HttpsCheck, DnsCheck, NoCheck], {
  by: "type",
  description: "A health check.",
});
