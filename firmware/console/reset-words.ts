/** What a factory reset costs, and the word that nobody types by mistake. */
export const RESET_WORD = "RESET";

export const LOST_BY_RESET = [
  "This box forgets its configuration with the whole history, what is edited, its",
  "settings, its users, and whose peer it is. Only a backup file brings that back.",
] as const;
