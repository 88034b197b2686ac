// One result as a card.

import { clipOf } from "./api.js";
import { css } from "./colour.js";
import { $, clock, element } from "./dom.js";
import * as waveform from "./waveform.js";

// When it is spoken, and on which channel where several are heard.
const when = (hit) => `${clock(hit.start)} – ${clock(hit.end)}${hit.channel === null ? "" : `, channel ${hit.channel}`}`;

const cards = new WeakMap();  // article -> {hit, part of its document}

const top = (percent) => percent < 0.1 ? percent.toFixed(2) : percent < 10 ? percent.toFixed(1) : percent.toFixed(0);

// Rounded down: what beats 99.98 % does not beat all.
const beaten = (percent) => percent > 99 ? (Math.floor(percent * 100) / 100).toString() : Math.floor(percent).toString();

// How well it fits, as what it means; the cosine says nothing by itself and is left to the tooltip.
function fit(hit) {
  if (hit.percentile !== null) {
    const cosine = hit.score === null ? "" : ` Cosine to the first description or clip: ${hit.score}.`;
    return [`top ${top(Math.max(0.01, 100 - hit.percentile))} %`, `beats ${beaten(hit.percentile)} % of the index`,
      `Fits better than ${hit.percentile} % of all segments of this index.${cosine}`];
  }
  if (hit.distance !== null) return [hit.distance.toFixed(2), "away on the plane", "Distance from the middle of the place"];
  return ["", "", ""];
}

// What is known of it beside its place, as title, text and perhaps a class; what the user's table says with its column.
function labels(hit, on) {
  const shown = Object.entries(hit.labels).filter(([, value]) => value !== null && value !== "").map(([name, value]) => {
    const text = typeof value === "boolean" ? (value ? "yes" : "no") : value;
    return [`${name}: ${text}`, `${name}: ${text}`];
  });
  if (on.dated() && !("date" in hit.labels)) shown.unshift(["The date of the recording", hit.date ?? "no date"]);
  if (hit.caution) shown.unshift(["Hardly a voice, so place and rank may mean nothing", hit.caution, "caution"]);
  if (hit.damage) shown.push(["What is missing of this recording", hit.damage]);
  return shown;
}

// `on` holds what is done with a hit: toggle, seek(hit, part), pick(hit, yes, range), clip, more, less, label, playOn, lit(id or null);
// whole(hit) gives the address of its recording, dated() says whether dates are shown, group() how a group is called.
export function card(hit, on) {
  const made = $("card").content.firstElementChild.cloneNode(true);
  const part = (name) => made.querySelector(`.${name}`);
  const span = when(hit);
  cards.set(made, { hit, part });
  made.dataset.id = hit.id;
  made.setAttribute("aria-label", `${hit.file}, ${span}`);
  made.style.setProperty("--dot", css(hit.valence, hit.arousal));
  part("name").textContent = hit.file;
  part("span").textContent = span;
  const folder = hit.path.endsWith(hit.file) ? hit.path.slice(0, -hit.file.length - 1) : hit.path;
  part("path").textContent = folder ? `in ${folder}` : "";
  part("path").title = hit.path;
  const [first, second, title] = fit(hit);
  part("fit").title = title;
  part("fit").firstElementChild.textContent = first;
  part("fit").lastElementChild.textContent = second;
  part("fit").hidden = !first;
  for (const name of ["valence", "arousal"]) part(name).textContent = hit[name]?.toFixed(1) ?? "";
  const dot = made.querySelector(".where circle");
  dot.setAttribute("cx", (5 + 30 * (hit.valence - 1) / 6).toFixed(1));
  dot.setAttribute("cy", (35 - 30 * (hit.arousal - 1) / 6).toFixed(1));
  part("labels").append(...labels(hit, on).map(([title, textContent, className = ""]) =>
    element("li", { title, textContent, className })));
  const whole = on.whole(hit), group = on.group();
  if (hit.others) {
    const more = `${hit.others} more ${group === "this day" ? "on" : "in"} ${group}`;
    part("labels").append(element("li", { title: `Further moments of ${group} that fit` },
      group === "this recording" ? element("a", { href: whole, textContent: more }) : more));
  }
  part("play").addEventListener("click", () => on.toggle(hit));
  part("like").addEventListener("click", () => on.more(hit));
  part("unlike").addEventListener("click", () => on.less(hit));
  part("label").addEventListener("click", () => on.label(hit));
  part("course").href = whole;
  part("on").addEventListener("click", () => on.playOn(hit));
  part("clip").href = clipOf(hit.id);
  part("clip").addEventListener("click", (event) => {
    event.preventDefault();  // by script, so that a refusal can be told
    on.clip(hit);
  });
  const box = part("pick").firstElementChild;
  box.addEventListener("click", (event) => on.pick(hit, box.checked, event.shiftKey));
  part("pick").addEventListener("click", (event) => {
    if (!event.shiftKey || event.target === box) return;
    event.preventDefault();  // not every browser lets a label act while Shift is held
    on.pick(hit, !box.checked, true);
  });
  part("course").hidden = hit.moments < 2;
  const wave = part("wave");
  wave.addEventListener("click", (event) => on.seek(hit, event.offsetX / wave.clientWidth));
  for (const [event, id] of [["pointerenter", hit.id], ["focusin", hit.id], ["pointerleave", null], ["focusout", null]]) {
    made.addEventListener(event, () => on.lit(id));
  }
  waveform.follow(wave, hit.id);
  played(made, null);
  allow(made);
  return made;
}

// Show what may be done here, as the body's classes say.
export function allow(made) {
  cards.get(made).part("label").hidden = !document.body.classList.contains("may-label");
}

export const hitOf = (made) => cards.get(made)?.hit ?? null;

// Show what the player does with the segment of a card.
export function played(made, player) {
  const { hit, part } = cards.get(made);
  const mine = player?.hit?.id === hit.id;
  const playing = mine && player.playing;
  made.classList.toggle("playing", playing);
  part("play").setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${hit.file} from ${clock(hit.start)}`);
  part("on").hidden = !(mine && player.longer && !player.on);
  part("span").textContent = playing && player.on
    ? `${clock(player.seconds)}, playing on` : when(hit);
  waveform.draw(part("wave"), mine ? player.part : 0);
}

// Show whether a card is selected; gives it back.
export function picked(made, yes) {
  made.classList.toggle("picked", yes);
  cards.get(made).part("pick").firstElementChild.checked = yes;
  return yes;
}

// A sentence on a card, such as why it cannot be played; "" for none.
export function tell(made, sentence) {
  cards.get(made).part("wrong").textContent = sentence;
}

// What was done with it, as a sentence.
export function note(made, sentence) {
  cards.get(made).part("done").textContent = sentence;
}

export function recolour(made) {
  const { hit } = cards.get(made);
  made.style.setProperty("--dot", css(hit.valence, hit.arousal));
}

export const drop = (made) => waveform.forget(cards.get(made).part("wave"));
