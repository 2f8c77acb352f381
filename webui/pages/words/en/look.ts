/** Language and colours. */
export const look = {
  language: "Language",
  theme: "Colours",
  themes: { system: "As the device", light: "Light", dark: "Dark" },
};
