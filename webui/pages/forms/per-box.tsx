/** A value that both boxes share, or that each has for itself. */
import { useId } from "preact/hooks";
import { at, forBox, isTree, withAt } from "../logic/document.ts";
import { below } from "../logic/position.ts";
import { BoxMark } from "../parts/role.tsx";
import { words } from "../state/settings.ts";
import { candidate } from "../state/candidate.ts";
import type { OneFieldProps } from "./context.ts";
import { labelOf } from "./field-words.ts";
import { ValueField } from "./value-field.tsx";

export function PerBoxField(props: OneFieldProps) {
  const { field, path, value, onValue } = props;
  const id = useId();
  const say = words.value.fields;
  const isEach = isTree(value);
  const isPair = isTree(candidate.value) && candidate.value["pair"] !== undefined;
  if (!isPair && !isEach) return <ValueField {...props} />;
  const toggle = () => onValue(isEach ? forBox(value, "a") : { a: value, b: value });
  return (
    <div class="per-box" role="group" aria-labelledby={id}>
      <div class="per-box-head">
        <span class="label" id={id}>
          {labelOf(field)}
        </span>
        <button type="button" class="button small quiet" aria-pressed={isEach} onClick={toggle}>
          {isEach ? say.sameOnBoth : say.eachBox}
        </button>
      </div>
      {isEach ? (
        <div class="two">
          {(["a", "b"] as const).map((box) => (
            <div key={box} class="box-value">
              <BoxMark box={box} />
              <ValueField
                field={field}
                label={words.value.shell.boxName(box)}
                path={below(path, box)}
                value={at(value, [box])}
                onValue={(after) => onValue(withAt(value, [box], after))}
              />
            </div>
          ))}
        </div>
      ) : (
        <ValueField {...props} label={say.bothBoxes} />
      )}
    </div>
  );
}
