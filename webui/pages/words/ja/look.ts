import type { Words } from "../words.ts";

export const look: Words["look"] = {
  language: "言語",
  theme: "配色",
  themes: { system: "端末に合わせる", light: "ライト", dark: "ダーク" },
};
