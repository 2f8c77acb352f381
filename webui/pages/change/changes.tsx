/** Differences between two documents, as a list a person can check. */
import type { ChangeShown } from "@futago/firmware/runtime/control-configuration.ts";
import { changeKind, valueText } from "../logic/diff-words.ts";
import { words } from "../state/settings.ts";

export function Changes({ changes }: { readonly changes: readonly ChangeShown[] }) {
  const { change } = words.value;
  return (
    <ul class="changes">
      {changes.map((one) => {
        const kind = changeKind(one);
        return (
          <li key={`${one.kind} ${one.path}`} class={`change ${kind}`}>
            <span class="change-kind">{change.kinds[kind]}</span>
            <code class="change-path">{one.path}</code>
            <span class="change-values">
              {one.before !== undefined && (
                <del>
                  <span class="hidden">{change.was} </span>
                  {valueText(one.before)}
                </del>
              )}
              {one.after !== undefined && (
                <ins>
                  <span class="hidden">{change.becomes} </span>
                  {valueText(one.after)}
                </ins>
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
