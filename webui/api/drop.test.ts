import { describe, expect, it } from "vitest";
import { parseAddress } from "./address.ts";
import { webUser } from "./drop.ts";

describe("the web process's user", () => {
  it.each([
    ["root:x:0:0::/:/bin/sh\nfutago-web:x:901:902::/:/bin/false\n", { uid: 901, gid: 902 }],
    ["root:x:0:0::/:/bin/sh\n", { uid: 64_910, gid: 64_910 }],
    ["futago-web:x:0:0::/:/bin/sh\n", { uid: 64_910, gid: 64_910 }],
    ["futago-web:x::1::/:/bin/sh\n", { uid: 64_910, gid: 64_910 }],
    ["xfutago-web:x:5:5\n", { uid: 64_910, gid: 64_910 }],
    ["", { uid: 64_910, gid: 64_910 }],
  ])("of %j is %j, and never root", (passwd, user) => {
    expect(webUser(passwd)).toEqual(user);
  });
});

describe("where it listens", () => {
  it.each([
    ["[::]:8443", "::", 8_443],
    ["0.0.0.0:443", "0.0.0.0", 443],
    [":8443", "::", 8_443],
    ["[fd00::1]:1", "fd00::1", 1],
  ])("%s is %s port %i", (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
  });
});
