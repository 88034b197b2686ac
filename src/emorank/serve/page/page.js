// The page: what a person does becomes a state, the state an address and a search, the answer cards and dots.

import * as api from "./api.js";
import { card, clock, draw, element } from "./cards.js";
import { fill } from "./filters.js";
import { Plane } from "./plane.js";
import { Player } from "./player.js";
import { asks, body, empty, filter, read, write } from "./state.js";
import { Timeline } from "./timeline.js";

const TOP = 20;
const EXAMPLES = ["furious, shouting", "cold fury, quiet", "exhausted, defeated", "thrilled, breathless",
  "slightly weary, subdued", "warm, calm, content", "terrified, trembling"];
const $ = (id) => document.getElementById(id);

let state = read(location.search);
let clip = null;  // a file to search by; it has no place in the address
let hits = [];
let version = null;
let asking = null;

const cardOf = (row) => document.querySelector(`.card[data-row="${row}"]`);
const player = new Player((hit, part, playing) => {
  for (const one of document.querySelectorAll(".card")) {
    const mine = one.dataset.id === hit?.id;
    if (mine || one.classList.contains("playing")) draw(one, mine ? part : 0);
    one.classList.toggle("playing", mine && playing);
  }
});
const plane = new Plane($("points"), $("marks"), {
  chosen: (place) => change(place),
  lit: (row) => document.querySelectorAll(".card").forEach((one) => one.classList.toggle("lit", Number(one.dataset.row) === row)),
  radius: () => Number($("radius").value) || 0.6,
});
const timeline = new Timeline($("timeline"), (segment, part) =>
  play({ ...segment, audio_start: timeline.hit.audio_start - timeline.hit.start + segment.start }, part));

async function said(hit, trouble) {
  const error = document.querySelector(`.card[data-id="${hit.id}"] .error`);
  const sentence = await trouble;
  if (error) error.textContent = sentence ?? "";
}
const play = (hit, part) => said(hit, player.play(hit, part));
const without = (values, value) => values.filter((one) => one !== value);
const actions = {
  play,
  toggle: (hit) => said(hit, player.toggle(hit)),
  more: (hit) => change({ likes: [...without(state.likes, hit.id), hit.id], unlikes: without(state.unlikes, hit.id) }),
  less: (hit) => change({ unlikes: [...without(state.unlikes, hit.id), hit.id], likes: without(state.likes, hit.id) }),
  timeline: (hit) => timeline.open(hit).catch((refusal) => said(hit, refusal.message)),
  lit: (hit) => plane.highlight(hit?.row ?? null),
};

// A new state: into the address, onto the page, to the server.
function change(part) {
  state = { ...state, ...part };
  history.pushState(null, "", write(state));
  show();
}

function show() {
  $("text").value = state.texts[0] ?? "";
  $("and").value = "";
  $("not").value = "";
  $("where").value = state.where;
  $("group").checked = state.group;
  document.title = state.texts.length ? `${state.texts.join(", ")} – emorank` : "emorank";
  if (state.near) for (const name of ["valence", "arousal", "radius"]) $(name).value = state.near[name].toFixed(1);
  for (const pick of document.querySelectorAll("[data-column]")) pick.value = state.picks[pick.dataset.column] ?? "";
  chips();
  search(0);
}

function chips() {
  const chip = (text, part) => {
    const made = element("button", { className: "chip", type: "button", textContent: text, title: "Take this out" });
    made.addEventListener("click", part);
    return made;
  };
  const short = (x) => x.toFixed(1);
  const { near, region } = state;
  $("chips").replaceChildren(
    ...(clip ? [chip(`clip: ${clip.name}`, () => { clip = null; $("clip").value = ""; show(); })] : []),
    ...state.texts.slice(1).map((text) => chip(`and ${text}`, () => change({ texts: without(state.texts, text) }))),
    ...state.nots.map((text) => chip(`not ${text}`, () => change({ nots: without(state.nots, text) }))),
    ...state.likes.map((id, i) => chip(`more like ${i + 1}`, () => change({ likes: without(state.likes, id) }))),
    ...state.unlikes.map((id, i) => chip(`less like ${i + 1}`, () => change({ unlikes: without(state.unlikes, id) }))),
    ...(near ? [chip(`near valence ${short(near.valence)}, arousal ${short(near.arousal)}`, () => change({ near: null }))] : []),
    ...(region ? [chip(`valence ${region.valence.map(short).join("–")}, arousal ${region.arousal.map(short).join("–")}`,
      () => change({ region: null }))] : []),
  );
}

async function search(offset) {
  asking?.abort();
  const mine = asking = new AbortController();
  const nothing = !clip && !asks(state);
  $("welcome").hidden = !nothing;
  $("problem").hidden = true;
  $("where-error").hidden = true;
  if (nothing) return found({ hits: [], total: 0, index_version: version }, 0, true);
  document.body.classList.add("searching");
  if (!offset) $("status").textContent = "Searching …";
  try {
    const page = { where: filter(state), group: state.group, offset, top: TOP };
    const answer = clip ? await api.searchClip(clip, page, mine.signal) : await api.search(body(state, offset, TOP), mine.signal);
    if (mine === asking) found(answer, offset, false);
  } catch (refusal) {
    if (refusal.name === "AbortError" || mine !== asking) return;
    $("status").textContent = "";
    if (refusal.code === "bad_filter") {
      $("filters").open = true;
      $("where-error").textContent = refusal.message;
      $("where-error").hidden = false;
    }
    problem(refusal, () => search(offset));
  } finally {
    if (mine === asking) document.body.classList.remove("searching");
  }
}

function problem(refusal, again) {
  const retry = element("button", { type: "button", textContent: "Try again" });
  retry.addEventListener("click", again);
  const sentence = refusal.status === 401
    ? "This server asks for a token. Open the whole address that emorank serve printed." : refusal.message;
  $("problem").replaceChildren(element("span", { textContent: sentence }), ...(refusal.code === "bad_filter" ? [] : [retry]));
  $("problem").hidden = false;
}

function found(answer, offset, nothing) {
  hits = offset ? [...hits, ...answer.hits] : answer.hits;
  const cards = answer.hits.map((hit) => card(hit, actions));
  if (offset) $("results").append(...cards); else $("results").replaceChildren(...cards);
  plane.found(hits, state.near, state.region);
  $("load").hidden = hits.length >= answer.total || !hits.length;
  const what = state.group ? "recordings" : "moments";
  $("status").textContent = nothing ? ""
    : !hits.length ? "Nothing passes all filters. Take one out, or make the place on the plane larger."
      : `${hits.length} of ${answer.total.toLocaleString("en")} ${what}, best first · ${answer.milliseconds} ms`;
  if (answer.index_version !== version) refresh();
}

// The index and its plane, at the beginning and whenever the index has changed.
async function refresh() {
  try {
    const [about, points] = await Promise.all([api.about(), api.plane()]);
    version = points.version;
    plane.show(points.values);
    const hours = about.seconds / 3600;
    const long = hours >= 1 ? `${hours.toFixed(1)} hours` : `${Math.max(1, Math.round(about.seconds / 60))} minutes`;
    $("size").textContent = `${about.name}: ${about.recordings.toLocaleString("en")} recordings, ${long} of speech`;
    $("note").textContent = `${about.model.name}, labels ${about.model.label_source}. ${about.model.note}`;
    $("about").textContent = about.model.note;
    fill($("picks"), about.columns, (column, value) => {
      const picks = { ...state.picks };
      if (value === "") delete picks[column]; else picks[column] = value;
      change({ picks });
    });
    for (const pick of document.querySelectorAll("[data-column]")) pick.value = state.picks[pick.dataset.column] ?? "";
    if (Object.keys(state.picks).length || state.where) $("filters").open = true;
  } catch (refusal) {
    problem(refusal, () => { $("problem").hidden = true; refresh(); search(0); });
  }
}

$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const [text, and, not] = ["text", "and", "not"].map((id) => $(id).value.trim());
  change({
    texts: [...new Set([text, ...state.texts.slice(1), and])].filter(Boolean),
    nots: [...new Set([...state.nots, not])].filter(Boolean),
  });
});
$("text").addEventListener("search", () => { if (!$("text").value && state.texts.length) change({ texts: state.texts.slice(1) }); });
function byClip(file) {
  if (!file) return;
  clip = file;
  state = { ...empty(), where: state.where, picks: state.picks, group: state.group };
  history.pushState(null, "", write(state));
  show();
}
$("clip").addEventListener("change", () => byClip($("clip").files[0]));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => { event.preventDefault(); byClip(event.dataTransfer.files[0]); });
$("where").addEventListener("change", () => change({ where: $("where").value.trim() }));
$("group").addEventListener("change", () => change({ group: $("group").checked }));
$("there").addEventListener("click", () => {
  const value = (id) => Math.min(7, Math.max(id === "radius" ? 0.1 : 1, Number($(id).value) || 4));
  change({ near: { valence: value("valence"), arousal: value("arousal"), radius: value("radius") }, region: null });
});
$("load").addEventListener("click", () => search(hits.length));
$("examples").append(...EXAMPLES.map((text) => {
  const made = element("button", { type: "button", textContent: text });
  made.addEventListener("click", () => change({ texts: [text] }));
  return made;
}));
$("share").addEventListener("click", async () => {
  await navigator.clipboard.writeText(location.href).then(() => "Copied", () => "Copy the address above")
    .then((text) => { $("share").textContent = text; });
  setTimeout(() => { $("share").textContent = "Copy link"; }, 1600);
});
$("theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  themed(dark ? "light" : "dark");
});
function themed(theme) {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  plane.redraw();
  for (const hit of hits) cardOf(hit.row)?.replaceWith(card(hit, actions).firstChild);
}
$("keys").addEventListener("click", () => $("help").showModal());
addEventListener("popstate", () => { state = read(location.search); clip = null; show(); });

addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea") || document.querySelector("dialog[open]");
  if (event.key === "Escape" && !document.querySelector("dialog[open]") && (state.near || state.region)) {
    change({ near: null, region: null });
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const cards = [...document.querySelectorAll(".card")];
  const at = cards.indexOf(document.activeElement.closest(".card"));
  const hit = hits[at];
  if (event.key === "/") { event.preventDefault(); $("text").select(); }
  if (event.key === "?") $("help").showModal();
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && cards.length) {
    event.preventDefault();
    cards[Math.max(0, Math.min(cards.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))].focus();
  }
  if (event.key === " " && hit && !event.target.matches("button")) { event.preventDefault(); actions.toggle(hit); }
  if (event.key === "m" && hit) actions.more(hit);
});

const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
refresh();
show();
