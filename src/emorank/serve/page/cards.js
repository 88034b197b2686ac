// Results as cards.

import * as api from "./api.js";
import { css } from "./colour.js";

export const clock = (seconds) => {
  const tenths = Math.round(seconds * 10);
  const minutes = Math.floor(tenths / 600), rest = (tenths % 600) / 10;
  return `${minutes}:${rest < 10 ? "0" : ""}${rest.toFixed(1)}`;
};

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function fits(hit) {
  if (hit.percentile !== null) {
    const title = `Fits better than ${hit.percentile} % of the index` + (hit.score === null ? "" : `; cosine ${hit.score}`);
    return element("div", { className: "fit", title }, element("b", { textContent: `${(Math.floor(hit.percentile * 10) / 10).toFixed(1)} %` }),
      element("span", { className: "quiet", textContent: "of the index fit less" }));
  }
  if (hit.distance !== null) {
    return element("div", { className: "fit", title: "Distance on the plane" },
      element("b", { textContent: hit.distance.toFixed(2) }), element("span", { className: "quiet", textContent: "away" }));
  }
  return element("div", { className: "fit" });
}

function place(hit) {
  const rows = ["valence", "arousal"].flatMap((name) => {
    const fill = element("i", { className: name });
    fill.style.width = `${(hit[name] - 1) / 6 * 100}%`;
    return [element("span", { textContent: name }), element("span", { className: "bar" }, fill),
      element("span", { textContent: hit[name].toFixed(1) })];
  });
  return element("div", { className: "place" }, ...rows);
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    watcher.unobserve(entry.target);
    const card = entry.target.closest(".card");
    api.waveform(card.dataset.id).then(({ peaks }) => { card.peaks = peaks; draw(card, 0); }).catch(() => draw(card, 0));
  }
}, { rootMargin: "200px" });

// The waveform of a card, with the part that was played in colour.
export function draw(card, part) {
  const canvas = card.querySelector("canvas");
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const peaks = card.peaks?.length ? card.peaks : [0];
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  peaks.forEach((peak, i) => {
    const tall = Math.max(2, peak * height * 0.95);
    context.fillStyle = style.getPropertyValue((i + 0.5) / peaks.length < part ? "--accent" : "--quiet");
    context.globalAlpha = (i + 0.5) / peaks.length < part ? 1 : 0.5;
    context.beginPath();
    context.roundRect(i * width / peaks.length, (height - tall) / 2, Math.max(1, width / peaks.length - 1.5), tall, 1);
    context.fill();
  });
}

// A card; `on` holds what its buttons do: play(hit, part), toggle(hit), more(hit), less(hit), timeline(hit), lit(hit or null).
export function card(hit, on) {
  const play = element("button", { className: "play", type: "button" });
  play.setAttribute("aria-label", `Play ${hit.file} from ${clock(hit.start)}`);
  play.addEventListener("click", () => on.toggle(hit));
  const wave = element("canvas");
  wave.setAttribute("aria-hidden", "true");
  wave.addEventListener("click", (event) => on.play(hit, event.offsetX / wave.clientWidth));
  const button = (text, act, title) => {
    const made = element("button", { type: "button", textContent: text, title });
    made.addEventListener("click", () => act(hit));
    return made;
  };
  const labels = Object.entries(hit.labels).filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => element("span", { className: "label", textContent: `${name}: ${value}` }));
  const others = hit.others ? [element("span", { className: "label", textContent: `${hit.others} more in this recording` })] : [];
  const made = element("article", { className: "card", tabIndex: 0 },
    play,
    element("div", {}, element("div", { className: "name", textContent: hit.file }),
      element("div", { className: "quiet path", textContent: `${clock(hit.start)} – ${clock(hit.end)} · ${hit.path}` })),
    fits(hit),
    element("span"),
    element("div", { className: "wave" }, wave),
    place(hit),
    element("div", { className: "under" },
      button("More like this", on.more, "Search for what sounds like this"),
      button("Less like this", on.less, "Push away what sounds like this"),
      button("Timeline", on.timeline, "Valence and arousal over the whole recording"), ...labels, ...others,
      element("span", { className: "error", role: "alert" })));
  made.style.setProperty("--dot", css(hit.valence, hit.arousal));
  made.dataset.id = hit.id;
  made.dataset.row = hit.row;
  made.setAttribute("aria-label", `${hit.file}, ${clock(hit.start)} to ${clock(hit.end)}`);
  for (const [event, lit] of [["mouseenter", hit], ["focusin", hit], ["mouseleave", null], ["focusout", null]]) {
    made.addEventListener(event, () => on.lit(lit));
  }
  watcher.observe(wave);
  return element("li", {}, made);
}
