// The second view: how many segments lie where in each dimension, by the groups that colour the plane.

import * as api from "./api.js";
import { $, element } from "./dom.js";
import { css, OTHERS, palette } from "./palette.js";
import { called, heading } from "./value.js";

const WIDE = 300, TALL = 74, FOOT = 14;  // units of the drawing
const SVG = "http://www.w3.org/2000/svg";

let shown = null;  // {histograms, group, code}
let asking = 0;

// `code(value)` is the colour of a group, see palette.js.
export async function show(filters, group, code) {
  const mine = ++asking;
  const { histograms } = await api.histograms({ ...filters, group });
  if (mine !== asking) return;
  shown = { histograms, group, code };
  redraw();
}

export function redraw() {
  if (!shown || $("bars").hidden) return;
  const { histograms, group, code } = shown, all = palette(false);
  const colours = (histograms[0]?.groups ?? []).map(({ value }) => all[code(value)]);
  const names = histograms[0]?.groups.map(({ value }) => called(group, value)) ?? [];
  const key = group === null ? [] : [element("ul", { className: "key-of" },
    ...[...names, ...(some(histograms) ? ["others"] : [])].map((name, i) => {
      const dot = element("i");
      dot.style.background = css(colours[i] ?? all[OTHERS]);
      return element("li", {}, dot, name);
    }))];
  $("bars").replaceChildren(element("p", { className: "quiet", textContent: group === null ? "All that pass" : `By ${heading(group)}, the largest` }),
    ...key, ...histograms.map((one) => drawn(one, group, colours, all[OTHERS])));
}

const some = (histograms) => histograms.some(({ others }) => others.some(Boolean));

function drawn({ dimension, groups, others }, group, colours, rest) {
  const layers = [...groups.map(({ counts }, i) => [counts, group === null ? null : colours[i]]), [others, rest]];
  const sums = others.map((_, bin) => layers.reduce((sum, [counts]) => sum + counts[bin], 0));
  const most = Math.max(1, ...sums), bins = sums.length, step = WIDE / bins;
  const svg = made("svg", { viewBox: `0 0 ${WIDE} ${TALL + FOOT}`, role: "img" });
  const total = sums.reduce((a, b) => a + b, 0);
  const mean = total ? sums.reduce((sum, n, bin) => sum + n * (1 + 6 * (bin + 0.5) / bins), 0) / total : null;
  svg.setAttribute("aria-label", `${dimension}: ${total} moments${mean === null ? "" : `, on average ${mean.toFixed(1)}`}`);
  const floor = new Float64Array(bins);
  for (const [counts, colour] of layers) {
    let path = "";
    counts.forEach((number, bin) => {
      if (!number) return;
      const high = number / most * TALL;
      path += `M${(bin * step + 0.5).toFixed(2)} ${(TALL - floor[bin]).toFixed(2)}h${(step - 1).toFixed(2)}v${(-high).toFixed(2)}h${(1 - step).toFixed(2)}z`;
      floor[bin] += high;
    });
    if (path) svg.append(made("path", { d: path, class: colour ? "" : "plain", ...(colour ? { fill: css(colour) } : {}) }));
  }
  for (let tick = 1; tick <= 7; tick++) {
    const text = made("text", { x: Math.min(WIDE - 4, Math.max(4, (tick - 1) / 6 * WIDE)), y: TALL + FOOT - 2, "text-anchor": "middle" });
    text.textContent = tick;
    svg.append(text);
  }
  return element("figure", {}, element("figcaption", { textContent: dimension }), svg);
}

function made(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
