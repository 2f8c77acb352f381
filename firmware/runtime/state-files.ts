/** The names of what a state directory keeps. */

/** Revisions and settings. */
export const DATABASE_FILE = "futago.db";
/** Of the database, for when that is damaged. */
export const COPY_FILE = "configuration.json";
export const PAIRING_FILE = "pairing.json";
