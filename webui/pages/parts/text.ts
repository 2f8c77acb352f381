/** Figures in the language chosen. */
import * as figures from "../logic/figures.ts";
import { now } from "../state/now.ts";
import { language } from "../state/settings.ts";

export const bitRate = (bits: number) => figures.bitRate(language.value, bits);
export const count = (value: number) => figures.count(language.value, value);
export const duration = (micros: number) => figures.duration(language.value, micros);
export const decimal = (value: number, digits: number) => figures.decimal(language.value, value, digits);
export const moment = (at: string) => figures.moment(language.value, at);
export const clock = (at: string) => figures.clock(language.value, at, now.peek());
export const timeOfDay = (millis: number) => figures.timeOfDay(language.value, new Date(millis));
export const ago = (at: string) => figures.ago(language.value, at, now.value);
export const span = (seconds: number) => figures.span(language.value, seconds);
export const scaled = (value: number) => figures.scaled(language.value, value);
