import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RefusalError } from "../../exit-code.ts";
import { AccessBook } from "./access-book.ts";
import { makeOwnCertificate } from "./own-certificate.ts";
import { WebFace } from "./web-face.ts";

const DAY = 86_400_000;
let now: number;
let alarm: string | undefined;
let book: AccessBook;

beforeEach(async () => {
  now = Date.UTC(2027, 0, 1);
  alarm = undefined;
  book = await AccessBook.load({
    settings: { setting: () => Promise.resolve(undefined), putSetting: () => Promise.resolve() },
    now: () => now,
    onPut: () => undefined,
    onChange: () => undefined,
    onTrouble: () => undefined,
  });
});
afterEach(() => vi.useRealTimers());

function face(isWanted = true): WebFace {
  return new WebFace({
    book,
    now: () => now,
    names: () => ({ hosts: ["edge"], addresses: ["10.0.0.1", "fd00::9"] }),
    ownAddresses: () => ["10.0.0.1", "fd00::1"],
    claimCode: () => null,
    isWanted,
    setAlarm: (sentence) => (alarm = sentence),
    onChange: () => undefined,
  });
}

describe("the certificate", () => {
  it("is made once, whoever asks how often, and again before it ends", async () => {
    const web = face(false);
    expect(web.fingerprint).toBe("");
    const [one, two] = await Promise.all([web.identity(), web.identity()]);
    expect(one).toEqual(two);
    expect(await web.certificateShown()).toMatchObject({
      selfSigned: true,
      subject: "CN=edge",
      fingerprint: web.fingerprint,
    });
    now += 760 * DAY;
    expect(await web.identity()).toEqual(one);
    now += 20 * DAY;
    expect(await web.identity()).not.toEqual(one);
  });

  it("is the owner's until he asks for another one, and is not renewed", async () => {
    const web = face(false);
    const { certificate, key } = await makeOwnCertificate({ hosts: ["www.example.test"], addresses: [] }, now);
    expect(await web.setCertificate(certificate, key)).toMatchObject({
      selfSigned: false,
      subject: "CN=www.example.test",
    });
    now += 790 * DAY;
    expect(await web.identity()).toEqual({ certificate, key });
    await expect(web.setCertificate("", key)).rejects.toBeInstanceOf(RefusalError);
    expect(await web.newCertificate()).toMatchObject({ selfSigned: true, subject: "CN=edge" });
  });
});

describe("the web process", () => {
  it("is missed when it does not say for ten seconds where it listens, at the start and after it ended", () => {
    vi.useFakeTimers();
    const web = face();
    vi.advanceTimersByTime(9_999);
    expect(alarm).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(alarm).toContain("the web UI does not run");
    web.listens({ address: "0.0.0.0", port: 8_443 });
    expect(alarm).toBeUndefined();
    web.left();
    expect(web.urls).toEqual([]);
    vi.advanceTimersByTime(9_999);
    expect(alarm).toBeUndefined();
    web.listens({ address: "0.0.0.0", port: 8_443 });
    vi.advanceTimersByTime(60_000);
    expect(alarm).toBeUndefined();
    web.close();
  });

  it("is not missed where nobody wants it", () => {
    vi.useFakeTimers();
    const web = face(false);
    web.left();
    vi.advanceTimersByTime(60_000);
    expect(alarm).toBeUndefined();
  });

  it.each([
    [{ address: "0.0.0.0", port: 8_443 }, ["https://10.0.0.1:8443/"]],
    [{ address: "::", port: 443 }, ["https://10.0.0.1/", "https://[fd00::1]/"]],
    [{ address: "FD00:0::9", port: 8_443 }, ["https://[fd00::9]:8443/"]],
    [{ address: "edge", port: 8_443 }, ["https://edge:8443/"]],
    [{ address: "edge.example", port: 8_443 }, []],
    [{ address: "203.0.113.9", port: 443 }, []],
  ])("that listens at %o is at %o", (listening, urls) => {
    const web = face(false);
    web.listens(listening);
    expect(web.urls).toEqual(urls);
  });
});
