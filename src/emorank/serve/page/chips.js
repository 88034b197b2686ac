// The parts of a search as chips; a click takes one out.

import * as api from "./api.js";
import { $, button, clock, element } from "./dom.js";
import { heading, unit } from "./value.js";

const names = new Map();  // id of a segment -> how a chip calls it

export const remember = (hit) => names.set(hit.id, `${hit.file} ${clock(hit.start)}`);

export const called = (id) => names.get(id) ?? "The moment";

const without = (list, gone) => list.filter((one) => one !== gone);
const short = (x) => x.toFixed(1);
const SIGNS = { eq: "is", is: "is", no: "is", min: "≥", max: "≤", from: "from", to: "to" };

export function show(state, clip, change, dropClip) {
  const { near, region } = state;
  const range = ([low, high]) => `${short(low)}–${short(high)}`;
  const list = [];
  const chip = (kind, text, part, title) => {
    const made = chipOf(kind, text, () => change(part));
    if (title) made.title = title;
    list.push(made);
  };
  if (clip) {
    const made = chipOf("like the recording", clip.name, dropClip);
    made.title = "It stays in this tab: a copied link does not hold it.";
    list.push(made);
  }
  for (const text of state.texts.slice(1)) chip("and", text, { texts: without(state.texts, text) });
  for (const text of state.nots) chip("but not", text, { nots: without(state.nots, text) });
  for (const [kind, name] of [["more like", "likes"], ["less like", "unlikes"]]) {
    for (const id of state[name]) {
      chip(kind, names.get(id) ?? "…", { [name]: without(state[name], id) });
      if (!names.has(id)) named(id, list.at(-1));
    }
  }
  if (near) chip("near", `valence ${short(near.valence)}, arousal ${short(near.arousal)}, within ${short(near.radius)}`, { near: null });
  if (region?.corners) chip("region", `drawn, ${region.corners.length} corners`, { region: null });
  else if (region) chip("region", `valence ${range(region.valence)}, arousal ${range(region.arousal)}`, { region: null });
  for (const pick of state.picks) {
    const value = { is: pick.value === "true" ? "yes" : "no", no: "none" }[pick.test] ?? pick.value;
    const of = ["min", "max"].includes(pick.test) && unit(pick.column);
    chip(heading(pick.column), `${SIGNS[pick.test]} ${value}${of ? ` ${of}` : ""}`, { picks: without(state.picks, pick) });
  }
  if (state.where) chip("where", state.where, { where: "" });
  $("chips").replaceChildren(...list.map((made) => element("li", {}, made)));
}

function chipOf(kind, text, remove) {
  const made = button("", remove, { className: "chip" });
  made.append(element("span", { textContent: `${kind} ` }), element("b", { textContent: text }));
  made.setAttribute("aria-label", `Take out: ${kind} ${text}`);
  return made;
}

// A shared link knows a segment by its id alone.
async function named(id, made) {
  try {
    remember(await api.segment(id));
  } catch {
    names.set(id, "a moment that is gone");
  }
  const text = names.get(id);
  made.querySelector("b").textContent = text;
  made.setAttribute("aria-label", `Take out: ${made.querySelector("span").textContent}${text}`);
}
