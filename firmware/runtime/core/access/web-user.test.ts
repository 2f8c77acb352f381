import { expect, it } from "vitest";
import { webUser } from "./web-user.ts";

it.each([
  ["root:x:0:0::/root:/bin/sh\nfutago-web:x:412:413::/:/usr/sbin/nologin\n", { uid: 412, gid: 413 }],
  ["root:x:0:0::/root:/bin/sh\n", { uid: 64_910, gid: 64_910 }],
  ["futago-web:x:0:0::/:/bin/sh\n", { uid: 64_910, gid: 64_910 }],
  ["futago-web:x:12:0::/:/bin/sh\n", { uid: 64_910, gid: 64_910 }],
  ["futago-web\n", { uid: 64_910, gid: 64_910 }],
  ["", { uid: 64_910, gid: 64_910 }],
])("the web process is nobody with privileges: %j", (passwd, user) => expect(webUser(passwd)).toEqual(user));
