// Colours of a column: one for each of its most frequent values, or a ramp from the lowest number to the highest.

import { isDark, oklch } from "./colour.js";

export const MOST = 12, OTHERS = 254, NOTHING = 255;

// Neighbours differ in hue and in lightness, so that they are told apart by eyes of all kinds.
const HUES = [255, 45, 150, 330, 95, 200, 15, 285, 125, 230, 70, 305];

// 256 colours, [red, green, blue] each, by code.
export function palette(numbers, dark = isDark()) {
  const grey = (lightness) => oklch([lightness, 0.01, 280]);
  const made = Array.from({ length: 256 }, () => grey(dark ? 0.62 : 0.6));
  if (numbers) {
    for (let code = 0; code <= OTHERS; code++) made[code] = ramp(code / OTHERS, dark);
  } else {
    HUES.forEach((hue, code) => {
      const light = (code % 2 ? 0.1 : 0) + (dark ? 0.66 : 0.52);
      made[code] = oklch([light, 0.15, hue]);
    });
  }
  made[NOTHING] = grey(dark ? 0.45 : 0.78);
  return made;
}

function ramp(share, dark) {
  const [from, to] = dark ? [[0.45, 0.12, 285], [0.9, 0.15, 95]] : [[0.82, 0.1, 195], [0.36, 0.17, 305]];
  return oklch(from.map((x, i) => x + share * (to[i] - x)));
}

export const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;
