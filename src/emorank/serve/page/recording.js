// The page of a recording: its course over time, how it looks, the hits of the search that led here.

import * as api from "./api.js";
import { css } from "./colour.js";
import { $, button, clock, count, element, length, sharp, tint } from "./dom.js";
import { Hearing } from "./hearing.js";
import * as hits from "./hits.js";
import { DIMENSIONS, Lanes } from "./lanes.js";
import { RecordingMap } from "./map.js";
import { share } from "./sharing.js";
import { read, write } from "./state.js";
import { Tiles } from "./tiles.js";
import * as touching from "./touching.js";
import { View } from "./view.js";

const id = location.pathname.split("/").filter(Boolean).at(-1);
const query = new URLSearchParams(location.search);
const state = read(location.search);
const SKIP = 5;  // seconds

let view, lanes, map, hearing, moments;
let drawing = null, noting = null, hovered = null;
let known = null;  // the recording

$("back").href = `../${write(state)}`;
$("keys").addEventListener("click", () => $("help").showModal());
$("help").addEventListener("click", (event) => { if (event.target === $("help")) $("help").close(); });
share();
begin();

async function begin() {
  try {
    known = await api.recording(id);
  } catch (refusal) {
    $("file").textContent = "No recording";
    $("problem").hidden = false;
    $("problem").textContent = refusal.message;
    return;
  }
  build();
  stretches();
  $("shown").hidden = false;
  lanes.layout();
  const [from, to] = (query.get("view") ?? "").split(",").map(Number);
  view.last(known.seconds);
  title();
  view.show(0, known.seconds);
  const at = query.has("at") ? Number(query.get("at")) : 0;
  if (at >= 0 && at < known.seconds) hearing.move(at);
  if (to > from && from >= 0) view.show(from, to);
  else if (query.has("at") && known.seconds > 180) view.show(at - 60, at + 120);
  resize();
  mark();
  api.about().then(({ model }) => { $("note").textContent = model.note; }, () => {});
}

function title() {
  document.title = `${known.file} – emorank`;
  $("file").textContent = known.file;
  const folder = known.path.endsWith(known.file) ? known.path.slice(0, -known.file.length - 1) : known.path;
  const labels = Object.entries(known.labels).filter(([name, value]) => value !== null && value !== "" && !name.startsWith("speaker_"))
    .map(([name, value]) => `${name} ${value === true ? "yes" : value === false ? "no" : value}`);
  $("about").textContent = [folder && `in ${folder}`, length(view.total), count(known.moments, "moment"), ...labels, known.damage]
    .filter(Boolean).join(" · ");
}

function build() {
  const { voices, dimensions } = known;
  const shown = DIMENSIONS.filter((name) => dimensions.includes(name));
  view = new View(() => {
    draw();
    note();
  });
  const course = new Tiles(async (part) => numbers(await api.course(id, part)), renew, () => {}, 60);
  moments = new Tiles((part) => api.moments(id, { start: part.start, end: part.end }), draw, () => {}, 40);
  for (const voice of voices) {
    const channel = voice.channel === null ? {} : { channel: voice.channel };
    voice.title = [voice.speaker, voice.channel && `channel ${voice.channel}`].filter(Boolean).join(", ");
    voice.sound = new Tiles((part) => api.sound(id, { ...part, ...channel }), sounded, silence, 64);
  }
  lanes = new Lanes($("drawn"), view, voices, shown, course, moments);
  map = new RecordingMap($("map"), view, voices, course, () => lanes.hits);
  hearing = new Hearing(voices, heard, (sentence) => { $("unplayed").textContent = sentence; });
  $("hear").hidden = voices.length < 2;
  $("voice").append(...voices.map((voice, i) => element("option", { value: i, textContent: voice.title })));
  $("voice").addEventListener("change", () => {
    hearing.voice = Number($("voice").value);
    if (hearing.playing) hearing.play(hearing.seconds);
    heard();
  });
  touching.install($("over"), view, {
    click: (x, y) => play(view.seconds(x), lanes.voiceAt(y)),
    hover: (x) => {
      hovered = x === null || x < view.left ? null : view.seconds(x);
      over();
    },
  });
  $("play").addEventListener("click", () => hearing.toggle());
  $("in").addEventListener("click", () => view.zoom(0.5, anchor()));
  $("out").addEventListener("click", () => view.zoom(2, anchor()));
  $("whole").addEventListener("click", () => view.show(0, view.total));
  addEventListener("keydown", key);
  new ResizeObserver(resize).observe($("lanes"));
  document.addEventListener("theme", () => {
    renew();
    colours();
  });
}

// Numbers as they are drawn: NaN where nothing is spoken.
function numbers(course) {
  for (const voice of course.voices) {
    for (const line of DIMENSIONS.map((name) => voice[name]).filter(Boolean)) {
      for (const name of ["low", "mean", "high"]) line[name] = Float32Array.from(line[name], (x) => x ?? NaN);
    }
  }
  return { voices: course.voices };
}

function sounded(tile) {
  if (tile.seconds !== null && tile.seconds > view.total) {
    view.last(tile.seconds);
    title();
  }
  if (tile.ready < tile.end && tile.ready < view.total) setTimeout(renew, 900);  // the server is still at it
  renew();
}

// It cannot be drawn; what the index knows of it stays.
function silence(refusal) {
  if (refusal.status === 503 || refusal.status === 0) {
    setTimeout(renew, 100);
    return;
  }
  lanes.silent = true;
  $("silent").textContent = `${refusal.message} What the index knows of it is shown.`;
  resize();
}

function resize() {
  lanes.layout();
  renew();
}

function renew() {
  map.renew();
  draw();
}

function draw() {
  drawing ??= requestAnimationFrame(() => {
    drawing = null;
    for (const tiles of [lanes.course, moments, ...lanes.voices.map(({ sound }) => sound)]) tiles.forget();
    map.draw(lanes.silent);
    lanes.draw();
    $("sight").textContent = `${clock(view.start)} – ${clock(view.end)}`;
    over();
  });
}

// What moves while nothing else does: where it is heard, where the pointer is.
function over() {
  const size = sharp($("over"));
  if (!size) return;
  const { context, height } = size;
  const line = (seconds, colour, wide) => {
    if (seconds === null || !view.has(seconds)) return;
    context.fillStyle = tint(colour);
    context.fillRect(view.x(seconds) - wide / 2, 18, wide, height - 26);
  };
  line(hovered, "quiet", 1);
  line(hearing.seconds, "accent", 2);
  if (view.has(hearing.seconds)) {
    context.beginPath();
    context.arc(view.x(hearing.seconds), 18, 4, 0, 7);
    context.fill();
  }
  reading();
}

// The places of what is heard now; while nothing plays, of where the pointer is.
function reading() {
  const seconds = hovered !== null && !hearing.playing ? hovered : hearing.seconds;
  const [part] = moments.of(seconds, seconds + 1e-3, view.total + 1, -2);
  const there = (part?.tile.segments ?? []).filter(({ start, end }) => start <= seconds && end > seconds);
  const spoken = lanes.voices.flatMap((voice) => there.filter(({ channel }) => channel === voice.channel)
    .map((one) => ({ one, who: lanes.voices.length > 1 ? voice.title : "" })));
  const text = spoken.map(({ one, who }) => [who, ...lanes.dimensions.map((name) => `${name} ${one[name].toFixed(1)}`)].filter(Boolean).join(" "));
  const now = clock(seconds), places = text.join("; ") || (part ? "no speech" : "");
  $("over").setAttribute("aria-valuemax", view.total.toFixed(1));
  if ($("now").textContent === now && $("places").dataset.text === places) return;
  $("now").textContent = now;
  $("places").dataset.text = places;
  $("places").replaceChildren(...spoken.flatMap(({ one, who }) => [
    ...(who ? [element("span", { textContent: who })] : []),
    ...lanes.dimensions.map((name) => element("span", { className: `of ${name}` }, `${name} `, element("b", { textContent: one[name].toFixed(1) })))]));
  if (!spoken.length) $("places").textContent = places;
  const slider = $("over");
  slider.setAttribute("aria-valuenow", seconds.toFixed(1));
  slider.setAttribute("aria-valuetext", [now, places].filter(Boolean).join(": "));
}

let followed = false;

// It plays, has moved or stopped.
function heard() {
  const { seconds, playing } = hearing;
  document.body.classList.toggle("playing", playing);
  $("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  $("voice").value = hearing.voice;
  if (playing && followed && seconds > view.end) view.show(seconds - view.span * 0.05, seconds + view.span * 0.95);
  followed = view.has(seconds);
  if (Number.isFinite(hearing.audio.duration)) view.last(Math.max(view.total, hearing.audio.duration));
  hits.current(lanes.hits, seconds);
  over();
  if (!playing) note();
}

function play(seconds, voice) {
  if (!view.has(seconds)) view.show(seconds - view.span / 4, seconds + view.span * 3 / 4);
  hearing.play(Math.max(0, Math.min(view.total - 0.05, seconds)), voice);
}

const anchor = () => (view.has(hearing.seconds) ? hearing.seconds : (view.start + view.end) / 2);

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === " " && event.target.matches("button, a")) return;
  const move = (seconds) => {
    const to = Math.max(0, Math.min(view.total, seconds));
    if (!view.has(to)) view.show(to - view.span / 2, to + view.span / 2);
    hearing.move(to);
  };
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const acts = {
    " ": () => hearing.toggle(), "+": () => $("in").click(), "=": () => $("in").click(), "-": () => $("out").click(),
    0: () => $("whole").click(), Home: () => move(0), End: () => move(view.total), "?": () => $("help").showModal(),
    n: () => step(1), p: () => step(-1),
  };
  if (way && event.shiftKey) view.pan(way * view.span / 2);
  else if (way) move(hearing.seconds + way * SKIP);
  else if (acts[event.key]) acts[event.key]();
  else return;
  event.preventDefault();
}

// The address holds the search, where it is heard and what is in sight.
function note() {
  clearTimeout(noting);
  noting = setTimeout(() => {
    const parts = new URLSearchParams(write(state));
    if (hearing.seconds > 0) parts.set("at", hearing.seconds.toFixed(1));
    if (!view.whole) parts.set("view", [view.start, view.end].map((x) => x.toFixed(1)).join(","));
    const text = parts.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
    history.replaceState(history.state, "", text ? `?${text}` : location.pathname);
  }, 300);
}

function stretches() {
  const all = known.voices.flatMap((voice) => voice.stretches.map((one) => ({ ...one, voice })));
  $("standing").hidden = !all.length;
  $("stretches").append(...all.map((one) => {
    const places = DIMENSIONS.filter((name) => one[name] !== null).map((name) => `${name} ${one[name].toFixed(1)}`).join(", ");
    const made = button("", () => {
      const span = Math.max(60, Math.min(view.span, 180));
      view.show(one.start - span / 4, one.start + span * 3 / 4);
      hearing.play(one.start, known.voices.indexOf(one.voice));
    }, { title: `Mean of ${length(one.start)} to ${length(one.end)}: ${places}` });
    const who = known.voices.length > 1 ? ` (${one.voice.title})` : "";
    made.append(element("i"), `sounds ${one.name}${who} `, element("b", { textContent: length(one.start) }));
    made.dataset.places = JSON.stringify([one.valence, one.arousal]);
    return element("li", {}, made);
  }));
  colours();
}

function colours() {
  for (const made of document.querySelectorAll("[data-places]")) {
    made.querySelector("i").style.background = css(...JSON.parse(made.dataset.places));
  }
}

async function mark() {
  await hits.search(state, id, known, (hit) => {
    if (!view.has(hit.start)) view.show(hit.start - view.span / 4, hit.start + view.span * 3 / 4);
    hearing.play(hit.start, Math.max(0, known.voices.findIndex(({ channel }) => channel === hit.channel)));
  }, (found) => { lanes.hits = found; });
  colours();
  hits.current(lanes.hits, hearing.seconds);
  renew();
}

function step(by) {
  const next = hits.beside(lanes.hits, hearing.seconds, by);
  if (next) hits.go(next);
}
for (const [name, by] of [["earlier", -1], ["later", 1]]) $(name).addEventListener("click", () => step(by));
