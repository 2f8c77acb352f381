/** Tables for people: columns aligned by what the terminal shows, two blanks between them, no lines drawn. Pure. */

const GAP = "  ";
const BELOW = "      ";

/** `align[i]` "right" is for numbers. The last column is never padded. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly ("left" | "right")[] = [],
): string {
  const all = [head, ...rows.map((row) => row.map(printable))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))));
  return all.map((row) => line(row, widths, align)).join("\n");
}

/** A table for so many terminal columns: what does not fit stands below its row, behind the title of its column. */
export function narrowTable(
  columns: number,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly ("left" | "right")[] = [],
): string {
  const printed = rows.map((row) => row.map(printable));
  let room = columns + GAP.length;
  let fit = 0;
  for (const [column, title] of head.entries()) {
    room -= Math.max(width(title), ...printed.map((row) => width(row[column] ?? ""))) + GAP.length;
    if (room < 0) break;
    fit = column + 1;
  }
  const [titles = "", ...lines] = table(
    head.slice(0, fit),
    rows.map((row) => row.slice(0, fit)),
    align,
  ).split("\n");
  const below = printed.map((row) =>
    row.flatMap((cell, column) => (column < fit || cell === "" ? [] : [`${head[column]?.toLowerCase()} ${cell}`])),
  );
  const full = lines.flatMap((text, i) => [text, ...(below[i]?.length ? [BELOW + below[i].join(GAP)] : [])]);
  return [titles, ...full].join("\n");
}

function line(row: readonly string[], widths: readonly number[], align: readonly ("left" | "right")[]): string {
  const cells = widths.map((columnWidth, column) => {
    const cell = row[column] ?? "";
    const gap = " ".repeat(columnWidth - width(cell));
    if (align[column] === "right") return gap + cell;
    return column === widths.length - 1 ? cell : cell + gap;
  });
  return cells.join(GAP).trimEnd();
}

/** Terminal columns: East Asian wide letters, which notes and host names may hold, take two. */
function width(text: string): number {
  let columns = 0;
  for (const letter of text)
    columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(
      letter,
    )
      ? 2
      : 1;
  return columns;
}

/** Text from the network or a peer, with what a terminal would obey taken out. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}
