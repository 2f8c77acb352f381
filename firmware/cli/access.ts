/** `futago web|user|token|session|audit`: who may use the web UI and the API. */
import { ExitCode, RefusalError } from "../runtime/exit-code.ts";
import { ask } from "./client.ts";
import type { CommandOf } from "./command.ts";
import type { AccessCommand } from "./command-access.ts";
import { answer, json, print, said } from "./output.ts";
import { newPassword } from "./passphrase.ts";
import { renderAudit, renderSessions, renderTokens, renderUsers, renderWeb } from "./render-access.ts";

const HOUR_MILLIS = 3_600_000;
const UNITS: Readonly<Record<string, number>> = { h: HOUR_MILLIS, d: 24 * HOUR_MILLIS, w: 168 * HOUR_MILLIS };

type Order<Kind extends AccessCommand["kind"]> = Extract<AccessCommand, { readonly kind: Kind }>;

export async function access(command: CommandOf<"access">): Promise<number> {
  const { stateDirectory, order } = command;
  switch (order.kind) {
    case "web":
      return answer(command, await ask(stateDirectory, "webAccess", {}), renderWeb);
    case "users":
      return answer(command, await ask(stateDirectory, "users", {}), renderUsers);
    case "userAdd": {
      const { name, role } = order;
      const password = await newPassword(order);
      return said(command, (await ask(stateDirectory, "userAdd", { name, role, password })).message);
    }
    case "userSet":
      return userSet(command, order);
    case "userDelete":
      return said(command, (await ask(stateDirectory, "userDelete", { name: order.name })).message);
    case "tokens":
      return answer(command, await ask(stateDirectory, "tokens", {}), renderTokens);
    case "tokenCreate":
      return tokenCreate(command, order);
    case "tokenRevoke":
      return said(command, (await ask(stateDirectory, "tokenRevoke", { id: order.id })).message);
    case "sessions":
      return answer(command, await ask(stateDirectory, "sessions", {}), renderSessions);
    case "sessionEnd":
      return said(command, (await ask(stateDirectory, "sessionEnd", { id: order.id })).message);
    case "audit":
      return answer(command, await ask(stateDirectory, "audit", order.query), renderAudit);
  }
}

/** Without a role it is about the password. Whether there is such a user is asked before anybody types. */
async function userSet(command: CommandOf<"access">, order: Order<"userSet">): Promise<number> {
  const { stateDirectory } = command;
  const { name, role, passwordFile } = order;
  const users = await ask(stateDirectory, "users", {});
  if (!users.some((user) => user.name === name)) {
    const mend = "`futago user list` shows them.";
    throw new RefusalError({ exitCode: ExitCode.failed, what: `there is no user ${JSON.stringify(name)}`, mend });
  }
  const wantsPassword = role === undefined || passwordFile !== undefined;
  const wish = {
    name,
    ...(role === undefined ? {} : { role }),
    ...(wantsPassword ? { password: await newPassword(order) } : {}),
  };
  return said(command, (await ask(stateDirectory, "userSet", wish)).message);
}

async function tokenCreate(command: CommandOf<"access">, order: Order<"tokenCreate">): Promise<number> {
  const { stateDirectory } = command;
  const { name, scopes, expires } = order;
  const expiresAt = expires === undefined ? {} : { expiresAt: expiryOf(expires, Date.now()) };
  const created = await ask(stateDirectory, "tokenCreate", { name, scopes, ...expiresAt });
  // The token stands alone on standard output, for scripts.
  print(command.json ? json(created) : `${created.token}\n`);
  if (!command.json && process.stderr.isTTY)
    process.stderr.write("It is told this once: keep it where no one else reads.\n");
  return ExitCode.done;
}

/** "90d" from now on; anything else as it is written. */
export function expiryOf(written: string, now: number): string {
  const [, number = "", unit = ""] = /^(\d{1,5})([hdw])$/.exec(written) ?? [];
  const millis = UNITS[unit];
  return millis === undefined ? written : new Date(now + Number(number) * millis).toISOString();
}
