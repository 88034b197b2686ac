// All segments at once as a cloud: every one a soft dot, the more the stronger, in the colour of its place, of a column,
// or of nothing but how many there are.

import { colour, isDark, oklch } from "./colour.js";
import { palette } from "./palette.js";

const SIDE = 64;  // colours are looked up on a grid
const LEVELS = 1024;  // and strengths in a table
const SCALE = 65535;  // of the values; this one itself is a place that is not known

// `values` are valence and arousal in turn; `edge` is left free around the plane, in css pixels. `look` may hold
// `seen`: the part {left, right, low, high} of the scale 1 to 7; `rows`: 1 for each segment that is drawn;
// `codes` and `numbers`: the colour of each, see palette.js; `alone`: one colour for all; `every`: only each so many-th.
export function density(canvas, values, edge, ratio, look = {}) {
  const { width, height } = canvas;
  const drawn = binned(values, width, height, edge, ratio, look);
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.putImageData(coloured(context, stamped(drawn, width, ratio), drawn, edge, ratio, look), 0, 0);
}

// Few are drawn as dots that can be told apart, many as fine grain.
const radius = (many) => Math.max(1.1, Math.min(4, 4.6 - 0.7 * Math.log10(Math.max(10, many))));

// How many lie in each pixel, and where they have colours, these added up behind it: four numbers a pixel lie together,
// so that memory is reached once a point. A million points fill far fewer pixels, and only these are drawn as dots.
function binned(values, width, height, edge, ratio, { seen, rows, codes, numbers, every = 1 }) {
  const unit = (x) => (x - 1) / 6 * SCALE;
  const [from, to, low, high] = seen ? [seen.left, seen.right, seen.low, seen.high].map(unit) : [0, SCALE, 0, SCALE];
  const left = edge.left * ratio, bottom = height - edge.bottom * ratio;
  const across = (width - left - edge.right * ratio) / (to - from), up = (bottom - edge.top * ratio) / (high - low);
  const x0 = left + 0.5 - from * across, y0 = bottom + 0.5 + low * up;
  const stride = codes ? 4 : 1;
  const sums = new Float32Array(stride * width * height);
  const table = codes ? Float32Array.from(palette(numbers).flatMap((rgb) => [1, ...rgb])) : null;
  let many = 0;
  for (let i = 0, row = 0; i < values.length; i += 2 * every, row += every) {
    const x = values[i], y = values[i + 1];
    if (x === SCALE || x < from || x > to || y < low || y > high || (rows && !rows[row])) continue;
    many++;
    const at = stride * ((y0 - y * up | 0) * width + (x0 + x * across | 0));
    sums[at]++;
    if (codes) {
      const code = 4 * codes[row];
      sums[at + 1] += table[code + 1];
      sums[at + 2] += table[code + 2];
      sums[at + 3] += table[code + 3];
    }
  }
  return { sums, stride, many };
}

// Every pixel that holds some as a soft dot. The margin is wider than a dot, so that none runs over an edge.
function stamped({ sums, stride, many }, width, ratio) {
  const reach = radius(many) * ratio, far = Math.ceil(reach);
  const brush = [];
  for (let dy = -far; dy <= far; dy++) {
    for (let dx = -far; dx <= far; dx++) {
      const weight = 1 - Math.hypot(dx, dy) / (reach + 0.5);
      if (weight > 0) brush.push([stride * (dy * width + dx), Math.min(1, 2 * weight)]);
    }
  }
  const offsets = Int32Array.from(brush, ([offset]) => offset), weights = Float32Array.from(brush, ([, weight]) => weight);
  const out = new Float32Array(sums.length);
  for (let at = 0; at < sums.length; at += stride) {
    if (!sums[at]) continue;
    const count = sums[at];
    if (stride === 1) {
      for (let j = 0; j < offsets.length; j++) out[at + offsets[j]] += weights[j] * count;
      continue;
    }
    const red = sums[at + 1], green = sums[at + 2], blue = sums[at + 3];
    for (let j = 0; j < offsets.length; j++) {
      const to = at + offsets[j], weight = weights[j];
      out[to] += weight * count;
      out[to + 1] += weight * red;
      out[to + 2] += weight * green;
      out[to + 3] += weight * blue;
    }
  }
  return out;
}

function coloured(context, sums, { many, stride }, edge, ratio, { seen, alone }) {
  const { width, height } = context.canvas;
  const dark = isDark();
  const { left, right, low, high } = seen ?? { left: 1, right: 7, low: 1, high: 7 };
  const only = alone && oklch(dark ? [0.8, 0.13, 85] : [0.45, 0.16, 285]);
  const grid = Array.from({ length: SIDE * SIDE }, (_, i) => only || colour(
    left + (right - left) * (i % SIDE) / (SIDE - 1), high - (high - low) * Math.floor(i / SIDE) / (SIDE - 1), dark));
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
      const at = stride * i, sum = sums[at];
      if (!sum) continue;
      const strength = strengths[Math.min(LEVELS - 1, Math.ceil(sum / most * (LEVELS - 1)))] << 24;
      pixels[i] = stride === 1 ? packed[row + columns[x]] | strength
        : sums[at + 1] / sum | (sums[at + 2] / sum | 0) << 8 | (sums[at + 3] / sum | 0) << 16 | strength;
    }
  }
  return image;
}
