/** What one entry of the API's table says: from it come the route itself and its place in the OpenAPI document. */
import type { Scope } from "@futago/firmware/runtime/control-access.ts";
import type { Static, TObject, TSchema } from "typebox";
import type { WebMethod, WebMethods } from "../client/control.ts";
import type { Exchange } from "./exchange.ts";

export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export type MediaType =
  | "application/json"
  | "application/octet-stream"
  | "application/x-ndjson"
  | "application/x-pcapng"
  | "application/age"
  | "text/event-stream";

/** What core is asked. */
export interface Question {
  readonly method: WebMethod;
  readonly params: unknown;
}

/** What somebody asked, checked. Parts that a route has not are empty objects. */
export interface Asked {
  /** Of the path. */
  readonly place: never;
  readonly query: never;
  readonly body: never;
}

export type Does =
  /** Core is asked, and its answer is the answer. */
  | { readonly kind: "core"; readonly question: (asked: Asked) => Question }
  /** Something more than that; sends the answer itself. */
  | { readonly kind: "own"; readonly run: (exchange: Exchange, asked: Asked) => Promise<void> };

export interface Route {
  readonly method: HttpMethod;
  /** Below `/api/v1`: "/users/{name}". */
  readonly path: string;
  /** "session": anybody who signed in. */
  readonly scope: Scope | "public" | "session";
  /** The words of the command line that do the same; null: it has none. */
  readonly verb: string | null;
  readonly summary: string;
  readonly place?: TObject;
  readonly query?: TObject;
  /** JSON, but for `media`. */
  readonly body?: TSchema;
  /** Of the body, where it is not JSON. */
  readonly bodyMedia?: MediaType;
  /** Headers that the route reads. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer: TSchema;
  /** Of the answer, where it is not JSON. */
  readonly media?: MediaType;
  readonly bodyBytesMax?: number;
  /** The body is read by the route, as it comes. */
  readonly streamsBody?: boolean;
  /** The body stays text, as it came. */
  readonly keepText?: boolean;
  readonly does: Does;
}

type Of<Schema> = Schema extends TSchema ? Static<Schema> : Record<string, never>;

interface AskedOf<Place, Query, Body> {
  readonly place: Of<Place>;
  readonly query: Of<Query>;
  readonly body: Of<Body>;
}

interface Shape<Place, Query, Body> extends Omit<Route, "place" | "query" | "body" | "does"> {
  readonly place?: Place;
  readonly query?: Query;
  readonly body?: Body;
}

type QuestionOf<Method extends WebMethod> = {
  readonly [M in Method]: readonly [method: M, params: Omit<WebMethods[M]["params"], "author">];
}[Method];

/** A route that core answers. Who asks is known to core, which names the author itself. */
export function coreRoute<
  Method extends WebMethod,
  Place extends TObject | undefined = undefined,
  Query extends TObject | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(shape: Shape<Place, Query, Body>, question: (asked: AskedOf<Place, Query, Body>) => QuestionOf<Method>): Route {
  const does: Does = {
    kind: "core",
    question: (asked) => {
      const [method, params] = question(asked);
      return { method, params };
    },
  };
  return { ...shape, does } as Route;
}

export function ownRoute<
  Place extends TObject | undefined = undefined,
  Query extends TObject | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(
  shape: Shape<Place, Query, Body>,
  run: (exchange: Exchange, asked: AskedOf<Place, Query, Body>) => Promise<void>,
): Route {
  return { ...shape, does: { kind: "own", run } } as Route;
}

/** "switchover", "usersByName": what generated clients call it. */
export function operationId({ method, path }: Pick<Route, "method" | "path">): string {
  const parts = path.split(/[/.-]/).filter((part) => part !== "");
  const camel = [method.toLowerCase(), ...parts].map((part, at) => {
    const word = part.startsWith("{")
      ? `by-${part.slice(1, -1)}`.replace(/-(\w)/, (_, c: string) => c.toUpperCase())
      : part;
    return at === 0 ? word : `${word[0]?.toUpperCase()}${word.slice(1)}`;
  });
  return camel.join("");
}
