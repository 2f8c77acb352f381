import { expect, test } from "vitest";
import { Api, fillPath, queryText } from "./api.ts";
import { ApiProblem, NoAnswer } from "./problem.ts";

function apiThat(answer: () => Response, asked: { url: string; init: RequestInit | undefined }[] = []) {
  const fetch = async (url: unknown, init?: RequestInit) => {
    asked.push({ url: String(url), init });
    return answer();
  };
  return new Api({ origin: "https://x", fetch, proof: () => "p" });
}

test("a call goes to its route with the proof and a body of JSON", async () => {
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const api = apiThat(() => Response.json({ message: "ok" }), asked);
  await api.call("PATCH users/:name", { path: { name: "a/b" }, body: { role: "viewer" } });
  expect(asked[0]?.url).toBe("https://x/api/v1/users/a%2Fb");
  expect(asked[0]?.init).toMatchObject({
    method: "PATCH",
    body: '{"role":"viewer"}',
    headers: { "futago-proof": "p", "content-type": "application/json" },
  });
});

test("a refusal is thrown with its reason and how long to wait", async () => {
  const refusal = { title: "t", detail: "d", reason: "tooManyAttempts", errors: [{ path: "x", detail: "y" }] };
  const api = apiThat(() => Response.json(refusal, { status: 429, headers: { "retry-after": "30" } }));
  const error: unknown = await api.call("GET status").catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiProblem);
  expect((error as ApiProblem).problem).toMatchObject({ status: 429, reason: "tooManyAttempts" });
  expect((error as ApiProblem).retryAfterSeconds).toBe(30);
});

test("an answer of somebody else's making is told by its status", async () => {
  const api = apiThat(() => new Response("<html>", { status: 502 }));
  await expect(api.call("GET status")).rejects.toMatchObject({ problem: { reason: "unknown", detail: "HTTP 502" } });
});

test("no answer is told from a refusal", async () => {
  const api = apiThat(() => {
    throw new TypeError("fetch failed");
  });
  await expect(api.call("GET status")).rejects.toBeInstanceOf(NoAnswer);
});

test("what is left out of a query is not sent", () => {
  expect(queryText({ a: undefined, b: "", c: 0, d: "x y" })).toBe("?c=0&d=x+y");
  expect(queryText(undefined)).toBe("");
  expect(fillPath("tokens/:id", { id: "ü" })).toBe("tokens/%C3%BC");
});
