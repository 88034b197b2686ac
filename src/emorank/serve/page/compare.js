// The same search of two indexes, side by side, and how far they agree. What is asked is in the address.

import * as api from "./api.js";
import { css } from "./colour.js";
import { $, clock, count, element } from "./dom.js";
import { Player } from "./player.js";

const TOP = 20;  // hits of a column
const NOT = -0.5;  // as everywhere, see state.js
const SIDES = ["left", "right"];

let asking = null;
const rows = new Map();  // row -> hit

const player = new Player((now) => {
  for (const [row, hit] of rows) {
    const playing = now.playing && now.hit.id === hit.id && now.hit.at === hit.at;
    row.classList.toggle("playing", playing);
    row.querySelector(".play").setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${hit.file} from ${clock(hit.start)}`);
  }
});

const address = (name) => `${encodeURIComponent(name)}/`;
const list = (side) => $(side).closest("section").querySelector("ol");

function place(elsewhere) {
  if (!elsewhere) return "not in there";
  return elsewhere.rank === null ? "filtered out there" : `number ${elsewhere.rank.toLocaleString("en")} there`;
}

function row(hit, elsewhere) {
  const made = $("row").content.firstElementChild.cloneNode(true);
  const part = (name) => made.querySelector(`.${name}`);
  made.style.setProperty("--dot", css(hit.valence, hit.arousal));
  made.dataset.moment = elsewhere?.id ? [hit.id, elsewhere.id].sort().join() : hit.id;
  part("name").textContent = hit.file;
  part("name").title = hit.path;
  const places = ["valence", "arousal"].filter((name) => hit[name] !== null).map((name) => `${name} ${hit[name].toFixed(1)}`);
  part("span").textContent = [`${clock(hit.start)} – ${clock(hit.end)}`, ...places].join(" · ");
  part("there").textContent = place(elsewhere);
  part("play").addEventListener("click", async () => {
    part("wrong").textContent = "";
    part("wrong").textContent = await player.toggle(hit) ?? "";
  });
  for (const [event, lit] of [["pointerenter", true], ["focusin", true], ["pointerleave", false], ["focusout", false]]) {
    made.addEventListener(event, () => {
      for (const other of rows.keys()) other.classList.toggle("lit", lit && other.dataset.moment === made.dataset.moment);
    });
  }
  rows.set(made, hit);
  return made;
}

// In words, because a number alone says little.
function told({ common, correlation, first, overlap }) {
  if (!common) return "The two have no moment in common: agreement is told where both hold the same recordings.";
  const same = first === 1 ? `Of the ${count(common, "moment")} that both have, ` : `Of the first ${first} of the ${count(common, "moment")} that both have, `;
  const shared = first === 1 ? "there is nothing to order." : `${overlap === first ? "all" : overlap || "none"} are the same.`;
  const order = correlation === null ? "" : ` Rank correlation over all of them: ${correlation.toFixed(2)}.`;
  return same + shared + order;
}

function show(answer, names) {
  rows.clear();
  SIDES.forEach((side, i) => list(side).replaceChildren(...answer.hits[i].hits.map((hit, rank) =>
    row({ ...hit, at: address(names[i]) }, answer.elsewhere[i][rank]))));
  $("agreed").textContent = told(answer.agreement);
  $("hint").textContent = answer.hints.map(({ message }) => message).join(" ");
  player.changed();
}

async function search() {
  asking?.abort();
  const mine = asking = new AbortController();
  const text = $("text").value.trim(), not = $("not").value.trim();
  const names = SIDES.map((side) => $(side).value);
  document.title = `${text || "Side by side"} · emorank`;
  $("failed").textContent = "";
  if (!text) return;
  document.body.classList.add("searching");
  try {
    const texts = [{ text, weight: 1 }, ...(not ? [{ text: not, weight: NOT }] : [])];
    const answer = await api.compare({ indexes: names, texts, top: TOP }, mine.signal);
    if (mine === asking) show(answer, names);
  } catch (refusal) {
    if (refusal.name === "AbortError" || mine !== asking) return;
    $("failed").textContent = refusal.message;
  } finally {
    if (mine === asking) document.body.classList.remove("searching");
  }
}

function read() {
  const query = new URLSearchParams(location.search);
  $("text").value = query.get("q") ?? "";
  $("not").value = query.get("not") ?? "";
  const names = [...$("left").options].map(({ value }) => value);
  const asked = (side) => names.find((name) => name === query.get(side));
  $("left").value = asked("left") ?? names.find((name) => name !== asked("right"));
  $("right").value = asked("right") ?? names.find((name) => name !== $("left").value);
}

function changed() {
  const query = new URLSearchParams({ q: $("text").value.trim() });
  if ($("not").value.trim()) query.set("not", $("not").value.trim());
  for (const side of SIDES) query.set(side, $(side).value);
  history.pushState(null, "", `?${query}`);
  search();
}

async function start() {
  try {
    for (const { name } of await api.indexes()) {
      for (const side of SIDES) $(side).append(element("option", { value: name, textContent: name }));
    }
  } catch (refusal) {
    $("failed").textContent = refusal.message;
    return;
  }
  $("search").addEventListener("submit", (event) => {
    event.preventDefault();
    changed();
  });
  $("not").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    $("search").requestSubmit();
  });
  for (const side of SIDES) $(side).addEventListener("change", changed);
  const again = () => {
    read();
    search();
  };
  addEventListener("popstate", again);
  document.addEventListener("theme", () => {
    for (const [made, hit] of rows) made.style.setProperty("--dot", css(hit.valence, hit.arousal));
  });
  again();
}

start();
