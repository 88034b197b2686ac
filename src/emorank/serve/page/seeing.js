// How the plane is seen: its colours with their legend, the segments that pass the filters, its tools, and the histograms.

import * as api from "./api.js";
import { $, button, count, element } from "./dom.js";
import * as histogram from "./histogram.js";
import { css, NOTHING, OTHERS, palette } from "./palette.js";
import { called, heading } from "./value.js";

const PLACE = "", DENSITY = "density";  // colours that no column gives

let plane, problem, columns = [], filters = {}, filtered = null;
let by = PLACE, legend = null, codes = null, hidden = new Set();
let asked = 0;

// `wrong(sentence)` tells what went wrong.
export function install(of, wrong) {
  [plane, problem] = [of, wrong];
  for (const tool of document.querySelectorAll("#tools [data-tool]")) {
    tool.addEventListener("click", () => take(tool.dataset.tool));
  }
  $("closer").addEventListener("click", () => plane.gestures.step(true));
  $("farther").addEventListener("click", () => plane.gestures.step(false));
  $("everything").addEventListener("click", () => plane.gestures.whole());
  $("colour").addEventListener("change", () => paint($("colour").value));
  $("histogram").addEventListener("click", () => bars($("histogram").ariaExpanded !== "true"));
  document.addEventListener("theme", () => {
    show();
    histogram.redraw();
  });
  viewed();
}

function take(tool) {
  plane.gestures.tool = tool;
  plane.box.dataset.tool = tool;
  for (const each of document.querySelectorAll("#tools [data-tool]")) each.ariaPressed = String(each.dataset.tool === tool);
}

// Another part of the plane is seen.
export function viewed() {
  $("everything").disabled = $("farther").disabled = !plane.view.zoomed;
}

// The index as it is now.
export async function renew(about) {
  const usable = ({ name, kind, values, low, high }) => name !== "valence" && name !== "arousal"
    && (kind === "truth" || values?.length > 1 || (kind === "number" && low !== null && low < high && name !== "start" && name !== "end"));
  columns = ["recording", ...about.columns.filter(usable).map(({ name }) => name), "day"];
  if (!columns.includes(by) && by !== DENSITY) by = PLACE;
  $("colour").replaceChildren(
    element("option", { value: PLACE, textContent: "place" }), element("option", { value: DENSITY, textContent: "density" }),
    ...columns.map((value) => element("option", { value, textContent: heading(value) })));
  $("colour").value = by;
  await Promise.all([paint(by), pass()]);
}

// Only what passes the filters of a search is drawn; `now` are those filters, as the API has them.
export async function follow(now) {
  const same = JSON.stringify(now) === JSON.stringify(filters);
  filters = now;
  if (!same) await pass();
}

async function pass() {
  const mine = ++asked;
  const nothing = !filters.where && !filters.choices?.length;
  try {
    const rows = nothing ? null : await api.passing(filters, plane.values.length / 2);
    if (mine !== asked) return;
    filtered = rows;
    apply();
    if (!$("bars").hidden) await histogram.show(filters, group(), code);
  } catch (refusal) {
    if (mine === asked && refusal.code !== "bad_filter") problem(refusal.message);  // that is said beside its field
  }
}

async function paint(column) {
  by = column;
  hidden = new Set();
  legend = codes = null;
  if (column !== PLACE && column !== DENSITY) {
    try {
      const [made, bytes] = await Promise.all([api.colours(column), api.codes(column)]);
      if (by !== column) return;
      [legend, codes] = [made, bytes];
    } catch (refusal) {
      problem(refusal.message);
    }
  }
  apply();
  if (!$("bars").hidden) await histogram.show(filters, group(), code);
}

// The colour of a value of the column.
function code(value) {
  const place = legend?.values.indexOf(value) ?? -1;
  return value === null ? NOTHING : place < 0 ? OTHERS : place;
}

// A column of numbers has no groups.
const group = () => legend && !legend.numbers ? by : null;

// The rows that are drawn: those that pass, and whose colour is not switched off.
function apply() {
  let rows = filtered;
  if (codes && hidden.size) {
    rows = new Uint8Array(codes.length);
    for (let i = 0; i < rows.length; i++) rows[i] = (!filtered || filtered[i]) && !hidden.has(codes[i]) ? 1 : 0;
  }
  plane.coloured(codes && { codes, numbers: legend.numbers }, by === DENSITY);
  plane.only(rows);
  show();
}

function counted() {
  const counts = new Uint32Array(256);
  for (let i = 0; i < codes.length; i++) if (!filtered || filtered[i]) counts[codes[i]]++;
  return counts;
}

function show() {
  $("legend").hidden = !codes;
  if (!codes) return $("legend").replaceChildren();
  const focused = document.activeElement?.closest?.("#legend") ? document.activeElement.dataset.code : null;
  const counts = counted(), colours = palette(legend.numbers);
  const entries = legend.numbers ? [] : legend.values.map((value, code) => [code, called(by, value)]);
  if (!legend.numbers && counts[OTHERS]) entries.push([OTHERS, "others"]);
  if (counts[NOTHING]) entries.push([NOTHING, "none"]);
  $("legend").replaceChildren(...(legend.numbers ? [ramp(colours)] : []), ...entries.map(([code, name]) => {
    const made = button("", () => {
      if (!hidden.delete(code)) hidden.add(code);
      apply();
    }, { className: "entry", ariaPressed: String(!hidden.has(code)) });
    made.dataset.code = code;
    const dot = element("i");
    dot.style.background = css(colours[code]);
    made.append(dot, element("span", { textContent: name }), element("b", { textContent: counts[code].toLocaleString("en") }));
    made.title = `${count(counts[code], "moment")}; click to show or hide`;
    return element("li", {}, made);
  }));
  if (focused !== null) $("legend").querySelector(`[data-code="${focused}"]`)?.focus();
  return null;
}

function ramp(colours) {
  const stripe = element("i", { className: "ramp" });
  stripe.style.background = `linear-gradient(90deg, ${[0, 64, 127, 191, 254].map((code) => css(colours[code])).join(", ")})`;
  return element("li", { className: "scale" }, element("span", { textContent: called(by, legend.low) }), stripe,
    element("span", { textContent: called(by, legend.high) }));
}

// What gives the colour of a row, in words; "" where its place does.
export function colour(row) {
  if (!codes || row === undefined) return "";
  const code = codes[row];
  if (code === NOTHING) return `${heading(by)}: none`;
  if (legend.numbers) {
    return `${heading(by)} ${called(by, Math.round((legend.low + code / OTHERS * (legend.high - legend.low)) * 10) / 10)}`;
  }
  return code === OTHERS ? "" : called(by, legend.values[code]);
}

async function bars(yes) {
  $("histogram").ariaExpanded = String(yes);
  $("bars").hidden = !yes;
  try {
    if (yes) await histogram.show(filters, group(), code);
  } catch (refusal) {
    problem(refusal.message);
  }
}
