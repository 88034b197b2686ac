// Waveforms of cards: fetched when a card comes into sight, drawn again whenever it changes its size or colours.

import * as api from "./api.js";
import { sharp, tint } from "./dom.js";

const STEP = 3.5;  // css pixels from bar to bar

const known = new Map();  // canvas -> {peaks, part}

export function draw(canvas, part) {
  const one = known.get(canvas);
  const size = one && sharp(canvas);
  if (!size) return;
  one.part = part ?? one.part;
  const { context, width, height } = size;
  const bars = Math.max(1, Math.floor(width / STEP));
  const played = tint("accent"), rest = tint("wave");
  for (let i = 0; i < bars; i++) {
    const tall = Math.max(2, loudest(one.peaks, i / bars, (i + 1) / bars) * height);
    context.fillStyle = (i + 0.5) / bars < one.part ? played : rest;
    context.beginPath();
    context.roundRect(i * STEP, (height - tall) / 2, STEP - 1.5, tall, 1);
    context.fill();
  }
}

// The highest peak from one part of the segment to another; without peaks the line is flat.
function loudest(peaks, from, to) {
  let most = 0;
  const last = Math.max(Math.floor(from * peaks.length) + 1, Math.floor(to * peaks.length));
  for (let i = Math.floor(from * peaks.length); i < last && i < peaks.length; i++) most = Math.max(most, peaks[i]);
  return most;
}

const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => draw(target)));
const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    sight.unobserve(target);
    sizes.observe(target);
    api.waveform(target.dataset.id).then(({ peaks }) => {
      if (!known.has(target)) return;
      known.get(target).peaks = peaks;
      draw(target);
      target.classList.add("drawn");
    }).catch(() => {});  // the card serves without it as well
  }
}, { rootMargin: "300px" });
document.addEventListener("theme", () => known.forEach((_, canvas) => draw(canvas)));

export function follow(canvas, id) {
  canvas.dataset.id = id;
  known.set(canvas, { peaks: [], part: 0 });
  sight.observe(canvas);
}

export function forget(canvas) {
  known.delete(canvas);
  sight.unobserve(canvas);
  sizes.unobserve(canvas);
}
