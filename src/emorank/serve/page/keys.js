// The keyboard; never while something is being written.

import { hitOf } from "./card.js";
import { $ } from "./dom.js";
import { step } from "./results.js";

const WRITING = "input:not([type=checkbox]), select, textarea";

// `on`: toggle(hit), more(hit), skip(hit, seconds), choose(hit, range), tray(), leave() for the plane.
export function install(on) {
  const actions = {
    "/": () => $("text").select(),
    "?": () => $("help").showModal(),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Escape: () => on.leave(),
    t: () => on.tray(),
  };
  const cards = {
    " ": (hit) => on.toggle(hit),
    m: (hit) => on.more(hit),
    x: (hit) => on.choose(hit, false),
    X: (hit) => on.choose(hit, true),
    ArrowLeft: (hit) => on.skip(hit, -1),
    ArrowRight: (hit) => on.skip(hit, 1),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches(WRITING)) return;
    if (document.querySelector("dialog[open]")) return;
    const card = event.target.closest(".card");
    const act = actions[event.key] ?? (card && cards[event.key]);
    if (!act || (event.key === " " && event.target !== card)) return;  // a button within has its own use for it
    if (event.key.startsWith("Arrow") && !card && !document.querySelector(".card")) return;
    event.preventDefault();
    act(card && hitOf(card));
  });
}
