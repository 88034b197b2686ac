// The name of a dot of the plane, with what can be done with it: a small card beside the dot.

import * as api from "./api.js";
import { $, clock } from "./dom.js";
import { whole } from "./value.js";

const AWAY = 14;  // css pixels from the dot
const STAY = 250;  // milliseconds in which the pointer can come over to the tip

let plane, on, shown = null, leaving = 0;

// `on`: toggle(hit) plays, more(hit), stale() where the index has changed, colour(row) is the value that gives the colour.
export function install(of, acts) {
  [plane, on] = [of, acts];
  $("tip").addEventListener("pointerenter", () => clearTimeout(leaving));
  $("tip").addEventListener("pointerleave", hide);
  $("tip").addEventListener("focusout", (event) => { if (!$("tip").contains(event.relatedTarget)) hide(); });
  $("tip").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    hide();
    plane.marks.focus();
  });
  $("tip-play").addEventListener("click", async () => {
    const hit = shown;
    $("tip-wrong").textContent = "";
    const wrong = await on.toggle(hit);
    if (hit === shown) $("tip-wrong").textContent = wrong ?? "";
  });
  $("tip-like").addEventListener("click", () => {
    on.more(shown);
    hide();
  });
}

export function hide() {
  clearTimeout(leaving);
  shown = null;
  $("tip").hidden = true;
}

// A dot as {hit} or {row} with its place; null when the pointer has left. `focused` brings the focus along.
export async function show(dot, focused = false) {
  clearTimeout(leaving);
  if (!dot) {
    if ($("tip").contains(document.activeElement)) return;
    leaving = setTimeout(hide, STAY);
    return;
  }
  const mine = shown = dot.hit ?? { row: dot.row };
  let hit = dot.hit;
  try {
    hit ??= await api.dot(dot.row, plane.version);
  } catch (refusal) {
    if (mine === shown) hide();
    if (refusal.status === 409) on.stale();
    return;
  }
  if (mine !== shown) return;
  shown = hit;
  $("tip-name").textContent = hit.file;
  const coloured = dot.hit && !plane.whole ? "" : on.colour(dot.hit ? hit.row : dot.row);
  $("tip-what").textContent = [
    `${clock(hit.start)} – ${clock(hit.end)}`, `valence ${whole(hit.valence)}, arousal ${whole(hit.arousal)}`, coloured,
  ].filter(Boolean).join(" · ");
  $("tip-wrong").textContent = "";
  $("tip").hidden = false;
  place(dot);
  played(null);
  if (focused) $("tip-play").focus();
}

function place({ valence, arousal }) {
  const { view } = plane, tip = $("tip");
  const x = view.x(valence), y = view.y(arousal), wide = tip.offsetWidth, tall = tip.offsetHeight;
  const left = Math.max(4, Math.min(view.width - wide - 4, x - wide / 2));
  tip.style.left = `${left}px`;
  tip.style.top = `${y > tall + AWAY + 4 ? y - tall - AWAY : Math.min(view.height - tall - 4, y + AWAY)}px`;
}

export function played(player) {
  if (!shown) return;
  const playing = player?.hit?.id === shown.id && player.playing;
  $("tip").classList.toggle("playing", Boolean(playing));
  $("tip-play").setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${shown.file ?? ""}`);
}
