/** The values of a log line's fields as text. */

export function fieldText(fields: Readonly<Record<string, unknown>>, key: string): string {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

/** "backend=web/s1 reason=…", without those named. */
export function restText(fields: Readonly<Record<string, unknown>>, without: readonly string[] = []): string {
  return Object.keys(fields)
    .filter((key) => !without.includes(key))
    .map((key) => `${key}=${fieldText(fields, key)}`)
    .join("  ");
}
