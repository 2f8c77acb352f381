/** Calls the API of a box. The cookie goes by itself; the proof that goes with it is the caller's to keep. */
import { ApiProblem, NoAnswer, problemOf } from "./problem.ts";
import type { Answer, Route, Wish } from "./routes.ts";

export interface ApiOptions {
  /** "" for the origin of the page. */
  readonly origin: string;
  readonly fetch: typeof fetch;
  /** Undefined while nobody is signed in. */
  readonly proof: () => string | undefined;
}

export interface Answered<Name extends Route> {
  readonly answer: Answer<Name>;
  readonly etag: string | undefined;
}

export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  async call<Name extends Route>(route: Name, wish?: Wish<Name>): Promise<Answer<Name>> {
    return (await this.whole(route, wish)).answer;
  }

  /** With the entity tag of what was answered. */
  async whole<Name extends Route>(route: Name, wish?: Wish<Name>): Promise<Answered<Name>> {
    const [method = "GET", template = ""] = route.split(" ");
    const given: AnyWish = wish ?? {};
    const response = await this.raw(method, fillPath(template, given.path) + queryText(given.query), given);
    const answer = (await response.json()) as Answer<Name>;
    return { answer, etag: response.headers.get("etag") ?? undefined };
  }

  /** An answer that is not JSON: a stream or a download. Refusals throw here, too. */
  async raw(method: string, path: string, wish: AnyWish = {}): Promise<Response> {
    const response = await this.#send(method, path, wish);
    if (response.ok) return response;
    const body: unknown = await response.json().catch(() => undefined);
    const retry = Number(response.headers.get("retry-after") ?? Number.NaN);
    throw new ApiProblem(problemOf(response.status, body), Number.isFinite(retry) ? retry : undefined);
  }

  async #send(method: string, path: string, wish: AnyWish): Promise<Response> {
    const proof = this.#options.proof();
    const isBytes = wish.body instanceof Uint8Array;
    const { fetch } = this.#options;
    try {
      return await fetch(`${this.#options.origin}/api/v1/${path}`, {
        method,
        cache: "no-store",
        headers: {
          ...(proof === undefined ? {} : { "futago-proof": proof }),
          ...(wish.ifMatch === undefined ? {} : { "if-match": wish.ifMatch }),
          ...(wish.body === undefined
            ? {}
            : { "content-type": isBytes ? "application/octet-stream" : "application/json" }),
          ...wish.headers,
        },
        ...(wish.body === undefined ? {} : { body: bodyOf(wish.body) }),
        ...(wish.signal === undefined ? {} : { signal: wish.signal }),
      });
    } catch (error) {
      if (wish.signal?.aborted === true) throw error;
      throw new NoAnswer(error);
    }
  }
}

export interface AnyWish {
  readonly body?: unknown;
  readonly query?: unknown;
  readonly path?: unknown;
  readonly ifMatch?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

function bodyOf(body: unknown): string | Uint8Array<ArrayBuffer> {
  return body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body);
}

export function fillPath(template: string, values: unknown): string {
  return template.replaceAll(/:(\w+)/g, (_, key: string) =>
    encodeURIComponent(String(entriesOf(values).get(key) ?? "")),
  );
}

export function queryText(query: unknown): string {
  const pairs = [...entriesOf(query)].filter(([, value]) => value !== undefined && value !== "");
  if (pairs.length === 0) return "";
  return `?${new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, String(value)])).toString()}`;
}

type Plain = string | number | boolean | undefined;

function entriesOf(value: unknown): ReadonlyMap<string, Plain> {
  return new Map<string, Plain>(typeof value === "object" && value !== null ? Object.entries(value) : []);
}
