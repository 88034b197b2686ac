// A tile of the spectrum as a picture, made once in the colours of the theme.

import { isDark } from "./colour.js";
import { BINS } from "./tiles.js";

const BANDS = 64;
const QUIET = 55, LOUD = 205;  // levels of 255: below is paper, above is full

// From paper to ink, by way of the accent: red, green, blue.
const STOPS = {
  light: [[244, 243, 249], [186, 184, 236], [98, 92, 196], [38, 28, 96]],
  dark: [[21, 21, 28], [50, 46, 110], [128, 120, 232], [240, 236, 255]],
};

const tables = {};

function table(dark) {
  const name = dark ? "dark" : "light";
  tables[name] ??= Uint32Array.from({ length: 256 }, (_, value) => {
    const share = Math.max(0, Math.min(1, (value - QUIET) / (LOUD - QUIET))) * 3;
    const from = Math.min(2, Math.floor(share)), part = share - from;
    const [red, green, blue] = [0, 1, 2].map((i) => Math.round(STOPS[name][from][i] * (1 - part) + STOPS[name][from + 1][i] * part));
    return (red | green << 8 | blue << 16 | 255 << 24) >>> 0;
  });
  return tables[name];
}

export function level(value) {
  const packed = table(isDark())[value];
  return `rgb(${packed & 255} ${packed >> 8 & 255} ${packed >> 16 & 255})`;
}

// The picture of a tile, low frequencies at the bottom.
export function ready(tile) {
  const dark = isDark();
  if (tile.picture && tile.dark === dark) return tile.picture;
  const picture = tile.picture ?? Object.assign(document.createElement("canvas"), { width: BINS, height: BANDS });
  const context = picture.getContext("2d");
  const image = context.createImageData(BINS, BANDS);
  const pixels = new Uint32Array(image.data.buffer), colours = table(dark);
  for (let bin = 0; bin < BINS; bin++) {
    for (let band = 0; band < BANDS; band++) pixels[(BANDS - 1 - band) * BINS + bin] = colours[tile.bands[bin * BANDS + band]];
  }
  context.putImageData(image, 0, 0);
  return Object.assign(tile, { picture, dark }).picture;
}
