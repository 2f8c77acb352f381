/** The verbs that change the configuration, carried out. */
import type { Committed } from "../runtime/control-configuration.ts";
import { ask } from "./client.ts";
import type { Command } from "./command.ts";
import type { ConfigurationCommand } from "./command-configuration.ts";
import { readDocumentFile } from "./document-file.ts";
import { asRead, edit } from "./edit.ts";
import { answer, author, json, said } from "./output.ts";
import { renderChanged, renderCommitted, renderDiff, renderHistory } from "./render-configuration.ts";

/** What `futago history` prints where nothing else is said. */
const HISTORY_LIMIT = 20;

export async function changeConfiguration(
  command: Extract<Command, { kind: ConfigurationCommand["kind"] }>,
): Promise<number> {
  const { stateDirectory } = command;
  const by = { author: author() };
  switch (command.kind) {
    case "set": {
      const { path, value } = command;
      return answer(command, await ask(stateDirectory, "set", { path, value, ...by }), renderChanged);
    }
    case "delete":
      return answer(command, await ask(stateDirectory, "delete", { path: command.path, ...by }), renderChanged);
    case "edit":
      return edit(command);
    case "diff":
      return answer(command, await ask(stateDirectory, "diff", {}), renderDiff);
    case "discard":
      return said(command, (await ask(stateDirectory, "discard", { force: command.force, ...by })).message);
    case "commit":
      return committed(command, await ask(stateDirectory, "commit", { ...command.how, ...by }));
    case "confirm": {
      const { revision, force } = command;
      const which = revision === undefined ? {} : { revision };
      return said(command, (await ask(stateDirectory, "confirm", { ...which, force, ...by })).message);
    }
    case "rollback":
      return committed(command, await ask(stateDirectory, "rollback", { to: command.to, ...command.how, ...by }));
    case "history": {
      const query = { limit: HISTORY_LIMIT, ...command.query };
      const entries = await ask(stateDirectory, "history", query);
      return answer(command, entries, () => renderHistory(entries, query.limit));
    }
    case "apply": {
      const document = readDocumentFile(command.file);
      return committed(command, await ask(stateDirectory, "apply", { document, ...command.how, ...by }));
    }
    case "showConfig": {
      const { revision, candidate } = command;
      const query = { candidate, ...(revision === undefined ? {} : { revision }) };
      // The document itself either way, so that `show config > file` and `config apply file` go round.
      return answer(command, await asRead((await ask(stateDirectory, "config", query)).document), json);
    }
  }
}

function committed(command: { readonly json: boolean }, done: Committed): number {
  for (const warning of done.warnings) process.stderr.write(`futago: warning: ${warning}\n`);
  return answer(command, done, renderCommitted);
}
