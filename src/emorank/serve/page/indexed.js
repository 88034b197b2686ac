// The index that is searched: its size and model in words, its plane, and whether it has changed.

import * as api from "./api.js";
import { $, count, long } from "./dom.js";

const READ = 2500;  // milliseconds in which the server has read what was updated

let version = null;
let renewing = null;

// `renew` is called now and then when the server tells of another version.
export function install(renew, pause) {
  renewing = renew;
  const look = async () => {
    if (document.hidden || version === null) return;
    const { index_version: now } = await api.health().catch(() => ({ index_version: version }));
    seen(now);
  };
  setInterval(look, pause);
  document.addEventListener("visibilitychange", look);
  document.addEventListener("updated", () => setTimeout(look, READ));
}

// An answer was of this version.
export function seen(now) {
  if (version === null || now === version) return;
  version = now ?? version;
  renewing();
}

export async function renew(plane) {
  const [about, points] = await Promise.all([api.about(), api.plane()]);
  version = points.version;
  plane.version = points.version;
  plane.whole = points.values.length / 2 === about.segments;
  plane.show(points.values);
  const { dimensions } = about.model;
  const lacking = ["valence", "arousal"].filter((name) => !dimensions.includes(name));
  for (const name of ["valence", "arousal"]) document.body.classList.toggle(`lacks-${name}`, lacking.includes(name));
  document.body.classList.toggle("lacks-plane", lacking.length > 0);
  $("no-plane").textContent = lacking.length
    ? `The model of this index knows ${dimensions.join(" and ")} alone; without ${lacking.join(" and ")} there is no plane.` : "";
  $("size").textContent = `${about.name}: ${count(about.recordings, "recording")}, ${long(about.seconds)} of speech`;
  $("beside").hidden = about.indexes.length < 2;
  $("compare").href = `../compare/?left=${encodeURIComponent(about.name)}`;
  $("note").textContent = about.model.note;
  $("model").textContent = `Model ${about.model.name}: ${about.model.audio_encoder} hears, ${about.model.text_encoder} `
    + "reads.";
  $("labels").textContent = about.model.label_source === "derived"
    ? "The valence and arousal that the model learnt from were derived from categories such as “anger”, not rated by listeners."
    : `The valence and arousal that the model learnt from: ${about.model.label_source}.`;
  const margins = Object.entries(about.model.margins ?? {}).map(([name, points]) => `${points.toFixed(1)} in ${name}`);
  $("margins").textContent = margins.length
    ? `Of voices like those that it learnt from, nine in ten lie within ${margins.join(", ")} of where it puts them.` : "";
  return about;
}
