/** A table that becomes a list of cards where the page is narrow: each cell knows the name of its column. */
import type { ComponentChildren } from "preact";
import { words } from "../state/settings.ts";

export interface TableProps {
  readonly label: string;
  readonly columns: readonly string[];
  readonly rows: readonly {
    readonly key: string;
    readonly cells: readonly ComponentChildren[];
    readonly class?: string;
  }[];
  /** Columns of numbers, from 0. */
  readonly numbers?: readonly number[];
}

export function Table({ label, columns, rows, numbers = [] }: TableProps) {
  const kind = (index: number) => (numbers.includes(index) ? "number" : undefined);
  return (
    <div class="table">
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={column} scope="col" class={kind(index)}>
                {column === "" ? <span class="hidden">{words.value.shell.actions}</span> : column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} class={row.class}>
              {row.cells.map((cell, index) => (
                <td key={columns[index]} data-column={columns[index]} class={kind(index)}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
