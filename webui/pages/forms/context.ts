/** What all fields of a form know of it, and what they are given. */
import { type ComponentType, createContext } from "preact";
import type { PlacedProblem } from "../../client/problem.ts";
import type { Field } from "../logic/schema.ts";

export interface FieldsProps {
  readonly fields: readonly Field[];
  readonly value: unknown;
  readonly onValue: (value: unknown) => void;
  readonly path: string;
  /** Shown at once; left out, what is required. */
  readonly first?: readonly string[];
  readonly hide?: readonly string[];
}

export interface OneFieldProps {
  readonly field: Field;
  readonly path: string;
  readonly value: unknown;
  readonly onValue: (value: unknown) => void;
}

export interface FormContext {
  readonly errors: readonly PlacedProblem[];
  /** Fields say where they are, so that a refusal of another place is told apart. */
  readonly shown: Set<string>;
  /** Shows fields within a field. */
  readonly Inner: ComponentType<FieldsProps>;
}

export const FormKnows = createContext<FormContext>({ errors: [], shown: new Set(), Inner: () => null });
