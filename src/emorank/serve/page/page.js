// The page: what a person does changes the state, the state becomes an address and a search, the answer cards and dots.

import * as api from "./api.js";
import * as cards from "./card.js";
import * as chips from "./chips.js";
import * as clips from "./clips.js";
import * as collections from "./collections.js";
import * as completing from "./completing.js";
import { $, save } from "./dom.js";
import * as facets from "./facets.js";
import * as filters from "./filters.js";
import * as folders from "./folders.js";
import * as form from "./form.js";
import * as index from "./indexed.js";
import * as kept from "./kept.js";
import * as keys from "./keys.js";
import * as label from "./label.js";
import * as meaning from "./meaning.js";
import * as ordering from "./ordering.js";
import * as picking from "./picking.js";
import { Plane } from "./plane.js";
import { Player } from "./player.js";
import * as results from "./results.js";
import * as saving from "./saving.js";
import * as seeing from "./seeing.js";
import * as sheet from "./sheet.js";
import { asks, body, filters as passed, opened, query, read, write } from "./state.js";
import * as tip from "./tip.js";
import * as tray from "./tray.js";

const TOP = 20;  // hits of one answer
const FAR = "2";  // on the plane; so far apart a label and a place disagree
const MOST = 200;  // hits of one answer, at most
const HEALTH = 20_000;  // milliseconds from look to look whether the index has changed

let state = read(location.search);
let clip = kept.byNumber(history.state?.clip);  // a recording of one's own, which no address holds
let hits = [];
let asking = null;

const player = new Player((now) => {
  results.played(now);
  tip.played(now);
});
const plane = new Plane($("plane"), {
  place: change,
  lit: results.light,
  picked: (id) => {
    sheet.close(false);
    const made = results.of(id);
    made.scrollIntoView({ block: "center" });
    made.focus({ preventScroll: true });
  },
  reading: form.reading,
  radius: () => state.near?.radius ?? form.radius(),
  dot: tip.show,
  viewed: () => {
    tip.hide();
    seeing.viewed();
  },
});
const without = (list, id) => list.filter((one) => one !== id);
const refine = (to, from) => (hit) => {
  chips.remember(hit);
  change({ [to]: [...without(state[to], hit.id), hit.id], [from]: without(state[from], hit.id) });
  scrollTo({ top: 0 });
};
const told = async (hit, promise) => {
  const made = results.of(hit.id);
  if (!made) return;
  cards.tell(made, "");
  cards.tell(made, await promise.catch((refusal) => refusal.message) ?? "");
};
const on = {
  toggle: (hit) => told(hit, Promise.resolve(player.toggle(hit))),
  seek: (hit, part) => told(hit, player.play(hit, part)),
  skip: (hit, seconds) => { if (player.hit?.id === hit.id) player.skip(seconds); },
  playOn: () => player.playOn(),
  more: refine("likes", "unlikes"),
  less: refine("unlikes", "likes"),
  label: label.open,
  whole: (hit) => `recording/${hit.recording}${write({ ...state, group: "", sort: "fit", order: "" }) || "?"}&at=${hit.start}`.replace("?&", "?"),
  clip: (hit) => told(hit, api.clip(hit.id).then(save)),
  pick: picking.pick,
  choose: picking.toggle,
  tray: tray.focus,
  lit: (id) => plane.highlight(id),
  dated: () => state.sort === "date" || state.group === "day",
  group: () => ["", "recording", "day"].includes(state.group) ? `this ${state.group || "recording"}` : "this group",
  leave: () => { if (state.near || state.region) change({ near: null, region: null }); },
};

// A new state: into the address, onto the page, to the server.
function change(part) {
  state = { ...state, ...part };
  const address = write(state);
  const number = clip && kept.numberOf(clip);
  const same = address === location.search && (history.state?.clip ?? null) === number;
  if (!same) history.pushState({ clip: number }, "", address || location.pathname);
  show();
}

function show() {
  form.show(state);
  filters.show(state);
  ordering.show(state);
  facets.show({ near: state.near, region: state.region, ...passed(state) });
  seeing.follow(passed(state));
  chips.show(state, clip, change, () => byClip(null));
  plane.look(state.near, state.region);
  search(0);
}

const ask = (asked, signal) => clip ? api.searchClip(clip.blob, asked, signal) : api.search(asked, signal);

async function search(offset) {
  asking?.abort();
  const mine = asking = new AbortController();
  const nothing = !clip && !asks(state);
  form.problem(null);
  filters.wrong("");
  $("welcome").hidden = !nothing;
  if (nothing) {
    document.body.classList.remove("searching");
    return found({ hits: [], total: 0, hints: [] }, 0, true);
  }
  document.body.classList.add("searching");
  try {
    const answer = await ask(body(state, offset, TOP), mine.signal);
    if (mine === asking) found(answer, offset, false);
  } catch (refusal) {
    if (refusal.name === "AbortError" || mine !== asking) return;
    if (!offset) found({ hits: [], total: 0, hints: [] }, 0, true);
    if (refusal.code === "bad_filter") filters.wrong(refusal.message);
    else form.problem(refusal.message, refusal.passing ? () => search(offset) : null);
  } finally {
    if (mine === asking) document.body.classList.remove("searching");
  }
}

// Show an answer; `silent` where nothing was asked, or the asking failed.
function found(answer, offset, silent) {
  hits = offset ? [...hits, ...answer.hits] : answer.hits;
  if (!offset && player.hit && !hits.some(({ id }) => id === player.hit.id)) player.stop();
  if (offset) results.add(answer.hits, on);
  else results.show(hits, on);
  results.played(player);
  picking.show();
  hits.forEach(chips.remember);
  plane.found(hits);
  if (!offset) {
    meaning.hints(answer, state, change);
    meaning.fit(silent ? null : answer);
    const explained = answer.hits.length && (clip || state.texts.length || state.likes.length);
    meaning.why(explained ? () => ask({ ...body(state, 0, TOP), why: true }) : null, (id) => id ? chips.called(id) : clip.name);
  }
  results.say(silent ? null : answer, hits.length, state, clip);
  if (!silent && !answer.total) form.problem(results.advice(state));
  picking.among(silent || clip ? 0 : answer.total);
  $("load").hidden = silent || hits.length >= answer.total;
  if (!silent) index.seen(answer.index_version);
}

// All hits of the search as it is, also those that are not shown.
async function every(offset) {
  const answer = await api.search(body(state, offset, MOST));
  return answer.hits;
}

async function renew() {
  try {
    const about = await index.renew(plane);
    filters.build(about.columns, ({ test, column, value }) => {
      const rest = state.picks.filter((pick) => pick.test !== test || pick.column !== column);
      change({ picks: value === "" ? rest : [...rest, { test, column, value }] });
    });
    filters.show(state);
    ordering.build(about.columns);
    ordering.show(state);
    saving.allow(about);
    folders.allow(about);
    label.allow(about);
    collections.allow(about);
    $("disagree").hidden = !about.compared.length;
    for (const made of results.all()) cards.allow(made);
    await Promise.all([tray.allow(about), seeing.renew(about)]);
  } catch (refusal) {
    form.problem(refusal.message, refusal.passing ? () => {
      renew();
      search(0);
    } : null);
  }
}

function byClip(chosen) {
  clip = chosen;
  change({});
}

form.install(change, () => state);
completing.install(() => $("search").requestSubmit());
clips.install(byClip);
sheet.install();
keys.install(on);
picking.install(every);
tray.install();
index.install(renew, HEALTH);
seeing.install(plane, form.problem);
tip.install(plane, {
  toggle: (hit) => player.toggle(hit),
  more: on.more,
  stale: () => index.seen(null),
  colour: seeing.colour,
});
ordering.install(change, () => state);
facets.install((column, value, yes) => {
  const test = value === null ? "no" : typeof value === "boolean" ? "is" : "eq";
  const text = value === null ? "1" : String(value);
  const rest = state.picks.filter((pick) => pick.column !== column || pick.test !== test || pick.value !== text);
  change({ picks: yes ? [...rest, { test, column, value: text }] : rest });
});
saving.install(() => asks(state) && !clip ? query(state) : null, (search) => {
  clip = null;
  change(opened(search));
});
$("disagree").addEventListener("click", () => {
  const rest = state.picks.filter(({ column }) => column !== "disagreement");
  change({ picks: [...rest, { test: "min", column: "disagreement", value: FAR }], sort: "disagreement", order: "" });
});
$("filter").addEventListener("click", () => {
  filters.open($("filters").hidden);
  facets.opened();
});
folders.install();
collections.install();
label.install((hit, sentence) => {
  const made = results.of(hit.id);
  if (made) cards.note(made, sentence);
});
$("where").addEventListener("change", () => change({ where: $("where").value.trim() }));
$("where").addEventListener("input", () => filters.wrong(""));
$("load").addEventListener("click", () => search(hits.length));
$("keys").addEventListener("click", () => $("help").showModal());
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
addEventListener("popstate", () => {
  state = read(location.search);
  clip = kept.byNumber(history.state?.clip);
  show();
});

if ((state.picks.length || state.where) && innerWidth > 640) filters.open(true);  // narrow, they would hide the results
renew();
show();
if (history.state?.clip !== undefined && history.state.clip !== null && !clip) {
  form.problem("This clip was too large to outlast a reload of the page: choose it again.");
}
