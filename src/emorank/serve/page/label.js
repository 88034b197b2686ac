// How a moment sounds, as a person says: the dot of the model is confirmed or dragged, or a category is written.

import * as api from "./api.js";
import { css, HIGH, LOW } from "./colour.js";
import { $, clock, element } from "./dom.js";

const INSET = 10, SIDE = 120;  // of the drawn plane, in its own units
const STEP = 0.1;
const DIMENSIONS = ["valence", "arousal", "dominance"];

let hit = null;
let scopes = null;
let save = () => {};

const field = (name) => $(`own-${name}`);
const inside = (x) => Math.min(HIGH, Math.max(LOW, Math.round(x * 10) / 10));
const remembered = (name) => {
  try {
    return localStorage.getItem(`own:${name}`) ?? "";
  } catch {
    return "";  // storage is forbidden
  }
};

export const allow = (about) => {
  ({ scopes } = about);
  document.body.classList.toggle("may-label", scopes.includes("collect"));
};

function draw() {
  const [valence, arousal] = ["valence", "arousal"].map((name) => Number(field(name).value) || null);
  const put = (circle, across, up) => {
    circle.setAttribute("cx", (INSET + SIDE * (across - LOW) / (HIGH - LOW)).toFixed(1));
    circle.setAttribute("cy", (INSET + SIDE * (HIGH - up) / (HIGH - LOW)).toFixed(1));
  };
  put($("dial").querySelector(".mine"), valence ?? 4, arousal ?? 4);
  put($("dial").querySelector(".model"), hit.valence ?? 4, hit.arousal ?? 4);
  $("dial").style.setProperty("--dot", css(valence, arousal));
  $("dial").ariaValueNow = String(valence ?? "");
  $("dial").ariaValueText = `valence ${valence}, arousal ${arousal}`;
}

function move(valence, arousal) {
  field("valence").value = inside(valence).toFixed(1);
  field("arousal").value = inside(arousal).toFixed(1);
  draw();
}

function drag(event) {
  if (!$("dial").hasPointerCapture(event.pointerId)) return;
  const box = $("dial").querySelector("svg").getBoundingClientRect();
  const part = (at, start, size) => ((at - start) / size * (SIDE + 2 * INSET) - INSET) / SIDE;
  move(LOW + (HIGH - LOW) * part(event.clientX, box.left, box.width), HIGH - (HIGH - LOW) * part(event.clientY, box.top, box.height));
}

export async function open(of) {
  hit = of;
  $("labelled").textContent = `${hit.file}, ${clock(hit.start)} – ${clock(hit.end)}`;
  for (const name of DIMENSIONS) field(name).value = hit[name]?.toFixed(1) ?? "";
  field("dominance").closest("label").hidden = hit.dominance === null;
  field("category").value = "";
  for (const name of ["by", "collection"]) field(name).value ||= remembered(name);
  $("own-wrong").textContent = "";
  draw();
  $("labelling").showModal();
  $("dial").focus();
  const known = await api.collections().catch(() => []);
  $("collections").replaceChildren(...known.map(({ name }) => element("option", { value: name })));
}

async function submit() {
  const values = Object.fromEntries(DIMENSIONS.filter((name) => field(name).value).map((name) => [name, Number(field(name).value)]));
  const category = field("category").value.trim();
  const by = field("by").value.trim(), name = field("collection").value.trim();
  $("own-wrong").textContent = by && name ? "" : "Write your name, and the collection in which the label is kept.";
  if (!by || !name) return;
  try {
    await api.collect(name, [hit.id]);
    await api.label(name, [hit.id], { by, ...values, ...(category ? { category } : {}) });
    for (const [key, value] of [["by", by], ["collection", name]]) localStorage.setItem(`own:${key}`, value);
  } catch (refusal) {
    if (refusal.name !== "SecurityError") {  // it is kept all the same
      $("own-wrong").textContent = refusal.message;
      return;
    }
  }
  $("labelling").close();
  save(hit, `Labelled in “${name}”: ${[...Object.entries(values).map(([key, value]) => `${key} ${value.toFixed(1)}`), category].filter(Boolean).join(", ")}.`);
}

// `saved(hit, sentence)` is called when a label is kept.
export function install(saved) {
  save = saved;
  const dial = $("dial");
  dial.addEventListener("pointerdown", (event) => {
    dial.setPointerCapture(event.pointerId);
    drag(event);
  });
  dial.addEventListener("pointermove", drag);
  dial.addEventListener("keydown", (event) => {
    const [across, up] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (!across && !up) return;
    event.preventDefault();
    move(Number(field("valence").value) + across * STEP, Number(field("arousal").value) + up * STEP);
  });
  for (const name of DIMENSIONS) field(name).addEventListener("input", draw);
  document.addEventListener("theme", () => { if (hit) draw(); });
  $("judging").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}
