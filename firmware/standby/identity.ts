/** Numbers that both boxes derive from names, so that no list and no order has to agree. */

/** FNV-1a over the UTF-8 bytes of a name: 32 bits, never 0. */
export function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash === 0 ? 1 : hash;
}

/** Gives each name a slot below `slotsMax` and lets names that had one keep it. Names beyond the last slot get none. */
export function assignSlots(
  before: ReadonlyMap<string, number>,
  names: readonly string[],
  slotsMax: number,
): ReadonlyMap<string, number> {
  const slots = new Map<string, number>();
  for (const name of names) {
    const kept = before.get(name);
    if (kept !== undefined) slots.set(name, kept);
  }
  const used = new Set(slots.values());
  for (const name of names) {
    if (slots.has(name)) continue;
    const free = Array.from({ length: slotsMax }, (_, i) => i).find((i) => !used.has(i));
    if (free === undefined) break;
    slots.set(name, free);
    used.add(free);
  }
  return slots;
}
