/** What a form shows at once; the rest is behind a word. */
export const serviceFirst = ["name", "address", "protocol", "port", "pool", "mode"] as const;
