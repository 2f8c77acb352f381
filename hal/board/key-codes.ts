/** Keys that front panels have. @see linux/input-event-codes.h */
export const KEY_CODES: Readonly<Record<string, number>> = {
  KEY_F12: 88,
  KEY_POWER: 116,
  KEY_SETUP: 141,
  KEY_PROG1: 148,
  KEY_CONFIG: 171,
  KEY_RFKILL: 247,
  BTN_0: 256,
  BTN_1: 257,
  KEY_VENDOR: 360,
  KEY_RESTART: 408,
  KEY_WPS_BUTTON: 529,
};
