// All segments at once as a cloud: every one a soft dot, the more the stronger, in the colour of its place.

import { colour, isDark } from "./colour.js";

const SIDE = 64;  // colours are looked up on a grid
const LEVELS = 1024;  // and strengths in a table

// `values` are valence and arousal in turn, 0..65535; `edge` is left free around the plane, in css pixels.
export function density(canvas, values, edge, ratio) {
  const { width, height } = canvas;
  const sums = summed(values, width, height, edge, ratio);
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.putImageData(coloured(context, sums, values.length / 2, edge, ratio), 0, 0);
}

// Few are drawn as dots that can be told apart, many as fine grain.
const radius = (many) => Math.max(1.1, Math.min(4, 4.6 - 0.7 * Math.log10(Math.max(10, many))));

function summed(values, width, height, edge, ratio) {
  const reach = radius(values.length / 2) * ratio;
  const sums = new Float32Array(width * height);
  const far = Math.ceil(reach);
  const brush = [];
  for (let dy = -far; dy <= far; dy++) {
    for (let dx = -far; dx <= far; dx++) {
      const weight = 1 - Math.hypot(dx, dy) / (reach + 0.5);
      if (weight > 0) brush.push([dy * width + dx, Math.min(1, 2 * weight)]);
    }
  }
  const offsets = Int32Array.from(brush, ([offset]) => offset), weights = Float32Array.from(brush, ([, weight]) => weight);
  const left = edge.left * ratio, bottom = height - edge.bottom * ratio;
  const across = (width - left - edge.right * ratio) / 65535, up = (bottom - edge.top * ratio) / 65535;
  for (let i = 0; i < values.length; i += 2) {  // the margin is wider than a dot, so that none runs over an edge
    const middle = Math.round(bottom - values[i + 1] * up) * width + Math.round(left + values[i] * across);
    for (let j = 0; j < offsets.length; j++) sums[middle + offsets[j]] += weights[j];
  }
  return sums;
}

function coloured(context, sums, many, edge, ratio) {
  const { width, height } = context.canvas;
  const dark = isDark();
  const grid = Array.from({ length: SIDE * SIDE }, (_, i) =>
    colour(1 + 6 * (i % SIDE) / (SIDE - 1), 7 - 6 * Math.floor(i / SIDE) / (SIDE - 1), dark));
  const packed = Uint32Array.from(grid, ([red, green, blue]) => red | green << 8 | blue << 16);
  // One dot is always seen, the fainter the more there are; full strength is where as many lie as in a dense part of an
  // index of this size.
  const one = Math.max(0.18, 0.95 - 0.15 * Math.log10(Math.max(1, many)));
  const most = 1.5 + many / 400;
  const strengths = Uint32Array.from({ length: LEVELS }, (_, i) => {
    const sum = i / (LEVELS - 1) * most;
    return 255 * Math.min(1, sum < 1 ? one * sum : one + (1 - one) * Math.log(sum) / Math.log(most));
  });
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const cell = (share) => Math.max(0, Math.min(SIDE - 1, Math.floor(share * SIDE)));
  const columns = Uint16Array.from({ length: width }, (_, x) =>
    cell((x / ratio - edge.left) / (width / ratio - edge.left - edge.right)));
  for (let y = 0, i = 0; y < height; y++) {
    const row = cell((y / ratio - edge.top) / (height / ratio - edge.top - edge.bottom)) * SIDE;
    for (let x = 0; x < width; x++, i++) {
      if (!sums[i]) continue;
      const level = Math.min(LEVELS - 1, Math.ceil(sums[i] / most * (LEVELS - 1)));
      pixels[i] = packed[row + columns[x]] | strengths[level] << 24;
    }
  }
  return image;
}
