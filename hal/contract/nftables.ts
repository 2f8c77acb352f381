/**
 * The kernel's packet filter as hal offers it: rules as text of nft(8), and the connections that the kernel tracks.
 * Implemented by `hal/nftables` on the real kernel and by `hal/fake` in memory.
 */

/** Connections that carry one mark. */
export interface MarkedConnections {
  readonly all: number;
  /** Those that both ends take for open: TCP between handshake and end, UDP that was answered. */
  readonly open: number;
}

export interface Nftables {
  /**
   * Carries out a document of nft commands, all of them or none. Throws HalError with nft's own words, ENOTSUP where
   * the program is missing, and ETIMEDOUT when it does not end.
   */
  apply(document: string): Promise<void>;
  /** Which rules stand: another number after each change by anybody. */
  generation(): Promise<number>;
  /**
   * A table of family inet as nft prints it, without what packets change in it; undefined when there is none. Good for
   * comparing with what was printed before, not with what was applied.
   */
  table(name: string): Promise<string | undefined>;
  /** The tracked connections whose mark is `mark` in the bits of `mask`, by their whole mark. */
  marked(mark: number, mask: number): Promise<ReadonlyMap<number, MarkedConnections>>;
  /** Forgets these connections: their next packet begins a new one, or belongs to none. */
  forget(mark: number, mask: number): Promise<void>;
  close(): void;
}
