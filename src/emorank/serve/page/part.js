// Which part of a recording of one's own is searched by: two sliders, or a drag over its waveform.

import { $, clock, sharp, tint } from "./dom.js";
import * as sound from "./sound.js";

const LONGEST = 60;  // seconds that the server takes
const LEAST = 0.3;
const STEP = 3.5;  // css pixels from bar to bar

let clip = null;  // {name, samples}
let from = 0, to = 0, grabbed = null, address = null;

// `chosen` gets {name, blob}.
export function install(chosen) {
  const player = $("part-sound");
  const moved = () => {
    player.pause();
    draw();
  };
  for (const id of ["part-from", "part-to"]) {
    $(id).addEventListener("input", () => {
      if (id === "part-from") [from, to] = within(Number($("part-from").value), to, "from");
      else [from, to] = within(from, Number($("part-to").value), "to");
      moved();
    });
  }
  const canvas = $("part-wave");
  const at = (event) => Math.max(0, Math.min(1, event.offsetX / canvas.clientWidth)) * sound.seconds(clip.samples);
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    grabbed = at(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (grabbed === null) return;
    const here = at(event);
    [from, to] = within(Math.min(here, grabbed), Math.max(here, grabbed), here < grabbed ? "from" : "to");
    moved();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { grabbed = null; });
  $("part-hear").addEventListener("click", () => {
    if (!player.paused) return player.pause();
    if (address) URL.revokeObjectURL(address);
    address = player.src = URL.createObjectURL(sound.wav(sound.part(clip.samples, from, to)));
    player.play().catch(() => {});
  });
  for (const name of ["play", "pause", "ended"]) {
    player.addEventListener(name, () => { $("part-hear").textContent = player.paused ? "Listen" : "Stop"; });
  }
  $("part-search").addEventListener("click", () => {
    $("part").close();
    chosen({ name: `${clip.name}, ${clock(from)} – ${clock(to)}`, blob: sound.wav(sound.part(clip.samples, from, to)) });
  });
  $("part").addEventListener("close", () => player.pause());
  new ResizeObserver(draw).observe(canvas);
  document.addEventListener("theme", draw);
}

export function open(name, samples) {
  clip = { name, samples };
  const length = sound.seconds(samples);
  [from, to] = [0, Math.min(length, LONGEST)];
  for (const id of ["part-from", "part-to"]) Object.assign($(id), { min: 0, max: length.toFixed(1), step: 0.1 });
  $("part-title").textContent = `Which part of ${name}?`;
  $("part").showModal();
  draw();
}

// A part that is neither too short nor too long, with one end where it was put.
function within(first, last, moved) {
  const length = sound.seconds(clip.samples), least = Math.min(LEAST, length);
  if (moved === "from") {
    first = Math.min(first, length - least);
    return [first, Math.max(first + least, Math.min(last, first + LONGEST))];
  }
  last = Math.max(last, least);
  return [Math.min(last - least, Math.max(first, last - LONGEST)), last];
}

function draw() {
  if (!clip || !$("part").open) return;
  for (const [id, value] of [["part-from", from], ["part-to", to]]) {
    $(id).value = value;
    $(id).setAttribute("aria-valuetext", clock(value));
  }
  $("part-span").textContent = `${clock(from)} – ${clock(to)}, ${(to - from).toFixed(1)} s`;
  const size = sharp($("part-wave"));
  if (!size) return;
  const { context, width, height } = size;
  const bars = Math.max(1, Math.floor(width / STEP)), length = sound.seconds(clip.samples);
  if (clip.peaks?.length !== bars) clip.peaks = sound.peaks(clip.samples, bars);
  const loudest = Math.max(1e-4, ...clip.peaks);
  context.fillStyle = tint("wash");
  context.fillRect(from / length * width, 0, Math.max(2, (to - from) / length * width), height);
  clip.peaks.forEach((peak, i) => {
    const tall = Math.max(2, peak / loudest * (height - 8)), middle = (i + 0.5) / bars * length;
    context.fillStyle = middle >= from && middle <= to ? tint("accent") : tint("wave");
    context.beginPath();
    context.roundRect(i * STEP, (height - tall) / 2, STEP - 1.5, tall, 1);
    context.fill();
  });
}
