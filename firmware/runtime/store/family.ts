/**
 * How the stored revisions descend from one another, seen from the head: which are in its lineage, how old each is, and
 * in which order people read them. Holds ids only; does not judge documents and writes nothing. Pure.
 */

export interface Member {
  /** The order in which revisions came to this box. */
  readonly number: number;
  readonly id: string;
  /** Need not be stored. */
  readonly parent: string | undefined;
}

/** Of a revision to the head: "relative" is stored, but not in the lineage. */
export type Kinship = "head" | "ancestor" | "relative" | "unknown";

export class Family {
  readonly #members = new Map<string, Member>();
  /** The lineage, the oldest first, and where in it each id stands. */
  readonly #line: Member[] = [];
  readonly #places = new Map<string, number>();

  constructor(members: Iterable<Member>, head: string | undefined) {
    for (const member of members) this.#members.set(member.id, member);
    if (head !== undefined) this.moveHead(head);
  }

  add(member: Member): void {
    if (this.#members.has(member.id)) return;
    this.#members.set(member.id, member);
    const head = this.#line.at(-1);
    if (head === undefined || this.#line[0]?.parent !== member.id) return;
    this.#line.length = 0;
    this.#places.clear();
    this.moveHead(head.id);
  }

  /** Walks from the new head to where the lineage of the old one begins: for a commit a single step. */
  moveHead(id: string): void {
    const fresh = new Map<string, Member>();
    let at = this.#members.get(id);
    // A parent that is a descendant, which only a forged summary can name, ends the walk.
    while (at !== undefined && !this.#places.has(at.id) && !fresh.has(at.id)) {
      fresh.set(at.id, at);
      at = at.parent === undefined ? undefined : this.#members.get(at.parent);
    }
    const shared = at === undefined ? 0 : (this.#places.get(at.id) ?? -1) + 1;
    for (const gone of this.#line.splice(shared)) this.#places.delete(gone.id);
    for (const member of [...fresh.values()].toReversed()) this.#places.set(member.id, this.#line.push(member) - 1);
  }

  /** Steps from the head; -1 outside the lineage. */
  age(id: string): number {
    const place = this.#places.get(id);
    return place === undefined ? -1 : this.#line.length - 1 - place;
  }

  kinship(id: string): Kinship {
    const age = this.age(id);
    if (age === 0) return "head";
    if (age > 0) return "ancestor";
    return this.#members.has(id) ? "relative" : "unknown";
  }

  /** The head first, back to but without `until`. */
  lineage(limit: number, until: string | undefined): readonly Member[] {
    const first = until === undefined ? 0 : (this.#places.get(until) ?? -1) + 1;
    return this.#line.slice(Math.max(first, this.#line.length - limit)).toReversed();
  }

  /** All, the newest first: the lineage by descent, and each of the others where its number puts it among them. */
  newestFirst(): readonly Member[] {
    const line = this.#line.toReversed();
    const others = [...this.#members.values()].filter(({ id }) => !this.#places.has(id));
    others.sort((a, b) => b.number - a.number);
    const all: Member[] = [];
    let next = 0;
    for (const member of line) {
      for (let other = others[next]; other !== undefined && other.number > member.number; other = others[++next])
        all.push(other);
      all.push(member);
    }
    return [...all, ...others.slice(next)];
  }
}
