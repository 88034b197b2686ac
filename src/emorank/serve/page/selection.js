// What is selected: it lasts in this browser, by the name of the index, until it is cleared.
// A "selection" event of the document tells of every change.

import { clock } from "./dom.js";

const TOGETHER = 6;  // requests at once, as many as browsers send

let kept = new Map();  // id -> {id, file, start, seconds}, in the order of selecting
let index = null;  // its name and version

export const all = () => [...kept.values()];
export const has = (id) => kept.has(id);
export const called = ({ file, start }) => `${file} ${clock(start)}`;

// Take hits in, or out.
export function set(hits, yes) {
  for (const { id, file, start, duration } of hits) {
    if (!yes) kept.delete(id);
    else if (!kept.has(id)) kept.set(id, { id, file, start, seconds: duration });
  }
  keep();
}

export function clear() {
  kept.clear();
  keep();
}

// An index is there, or a new version of it. `gone(id)` says whether it has lost a segment; gives those that were dropped.
export async function open(name, version, gone) {
  const earlier = stored(name);
  if (index?.name !== name) kept = new Map([...earlier.moments, ...all()].map((one) => [one.id, one]));
  index = { name, version };
  const dropped = earlier.version === version ? [] : await drop(gone);
  keep();
  return dropped;
}

// Drop what the index no longer has.
export async function drop(gone) {
  const waiting = all(), dropped = [];
  const look = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      if (await gone(one.id) && kept.delete(one.id)) dropped.push(one);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, look));
  if (dropped.length) keep();
  return dropped;
}

const place = (name) => `selected:${name}`;
const sound = (one) => typeof one?.id === "string" && typeof one.file === "string"
  && Number.isFinite(one.start) && Number.isFinite(one.seconds);

function stored(name) {
  try {
    const { version, moments } = JSON.parse(localStorage.getItem(place(name)));
    return { version, moments: moments.filter(sound) };
  } catch {
    return { version: null, moments: [] };  // nothing, nonsense, or storage is forbidden
  }
}

function keep() {
  try {
    if (index && kept.size) localStorage.setItem(place(index.name), JSON.stringify({ version: index.version, moments: all() }));
    else if (index) localStorage.removeItem(place(index.name));
  } catch {
    // It then holds until the page is left.
  }
  document.dispatchEvent(new Event("selection"));
}

// Another tab has selected.
addEventListener("storage", ({ key }) => {
  if (!index || (key !== null && key !== place(index.name))) return;
  kept = new Map(stored(index.name).moments.map((one) => [one.id, one]));
  document.dispatchEvent(new Event("selection"));
});
