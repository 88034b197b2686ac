// The search form, the numbers of the place, the link to copy, the sentence when something went wrong.

import { css } from "./colour.js";
import { $, button, element } from "./dom.js";
import { share } from "./sharing.js";

const EXAMPLES = [  // and about where they lie
  ["furious, shouting", 2.1, 6.3], ["cold fury, quiet", 2.2, 4.4], ["terrified, trembling", 1.9, 6.0],
  ["exhausted, defeated", 2.2, 2.4], ["slightly weary, subdued", 3.4, 3.0], ["warm, calm, content", 5.6, 2.6],
  ["cheerful, amused", 5.6, 5.0], ["thrilled, breathless", 6.0, 6.3],
];
const DELAY = 250;  // milliseconds after the last move of the slider

export function install(change, now) {
  $("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const [text, and, not] = ["text", "and", "not"].map((id) => $(id).value.trim());
    $("and").value = $("not").value = "";
    const unique = (list) => [...new Set(list)].filter(Boolean);
    change({ texts: unique([text, ...now().texts.slice(1), and]), nots: unique([...now().nots, not]) });
  });
  // Return in these is a submit by itself only while one field is there to write in.
  for (const id of ["and", "not"]) {
    $(id).addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      $("search").requestSubmit();
    });
  }
  $("there").addEventListener("click", () => change({ near: typed(), region: null }));
  let later = 0;
  $("slide").addEventListener("input", () => {
    $("wide").textContent = $("slide").value;
    clearTimeout(later);
    later = setTimeout(() => {
      const { near } = now();
      if (near) change({ near: { ...near, radius: Number($("slide").value) } });
    }, DELAY);
  });
  $("examples").append(...EXAMPLES.map(([text, valence, arousal]) => {
    const made = button("", () => change({ texts: [text] }), { className: "example" });
    const dot = element("i");
    const tinted = () => { dot.style.background = css(valence, arousal); };
    document.addEventListener("theme", tinted);
    tinted();
    made.append(dot, text);
    return element("li", {}, made);
  }));
  share();
}

function typed() {
  const value = (id, low, high) => Math.min(high, Math.max(low, Number($(id).value) || 0));
  return { valence: value("valence", 1, 7), arousal: value("arousal", 1, 7), radius: value("radius", 0.1, 6) };
}

export const radius = () => typed().radius;

export function show(state) {
  $("text").value = state.texts[0] ?? "";
  document.title = state.texts.length ? `${state.texts.join(", ")} · emorank` : "emorank";
  $("reach").hidden = !state.near;
  if (!state.near) return;
  for (const name of ["valence", "arousal", "radius"]) $(name).value = state.near[name].toFixed(1);
  $("slide").value = state.near.radius;
  $("wide").textContent = state.near.radius.toFixed(1);
}

const touched = matchMedia("(pointer: coarse)").matches;

// Where the pointer is on the plane.
export function reading(place) {
  $("reading").textContent = place
    ? `valence ${place.valence.toFixed(1)}, arousal ${place.arousal.toFixed(1)}`
    : touched ? "Tap for what lies near." : "Click for what lies near, drag for a region, rest on a dot for its name.";
}

reading(null);

// A sentence above the results, with what to try again; null takes it away.
export function problem(sentence, again = null) {
  const box = $("problem");
  box.hidden = !sentence;
  box.querySelector("p").textContent = sentence ?? "";
  box.classList.toggle("mild", !again);
  const retry = box.querySelector("button");
  retry.hidden = !again;
  retry.onclick = again;
}
