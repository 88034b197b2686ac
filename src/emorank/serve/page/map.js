// The whole recording on a strip: as loud as it is, in the colours of its course, with the part that is in sight.

import { css } from "./colour.js";
import { sharp, tint } from "./dom.js";
import { BINS, finest } from "./tiles.js";

export class RecordingMap {
  // `seen` is called with the middle that a person moves the sight to.
  constructor(canvas, view, voices, course, hits) {
    Object.assign(this, { canvas, view, voices, course, hits, stale: true, picture: document.createElement("canvas") });
    const move = (event) => {
      const middle = event.offsetX / canvas.clientWidth * view.total;
      view.show(middle - view.span / 2, middle + view.span / 2);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      if (view.whole) view.zoom(0.1, event.offsetX / canvas.clientWidth * view.total);
      move(event);
    });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons) move(event); });
  }

  // What is known has changed, or its colours; else only what is in sight is drawn anew.
  renew() { this.stale = true; }

  draw(silent) {
    const size = sharp(this.canvas);
    if (!size) return;
    const { context, width, height } = size;
    const { view } = this;
    if (this.stale) {
      this.recording(context, width, height, silent);
      Object.assign(this.picture, { width: this.canvas.width, height: this.canvas.height });
      this.picture.getContext("2d").drawImage(this.canvas, 0, 0);
      this.stale = false;
    } else context.drawImage(this.picture, 0, 0, width, height);
    const from = view.start / view.total * width, to = view.end / view.total * width;
    context.globalAlpha = 0.72;
    context.fillStyle = tint("card");
    context.fillRect(0, 0, from, height - 5);
    context.fillRect(to, 0, width - to, height - 5);
    context.globalAlpha = 1;
    if (view.whole) return;
    context.strokeStyle = tint("accent");
    context.lineWidth = 1.5;
    context.beginPath();
    context.roundRect(Math.max(1, from), 1, Math.min(width - 2, Math.max(4, to - from)), height - 2, 5);
    context.stroke();
  }

  recording(context, width, height, silent) {
    const { view } = this;
    const unknown = tint("wave");
    const fine = finest(view.total, width);
    const courses = this.course.of(0, view.total, view.total, Math.max(-2, fine));
    const high = height / this.voices.length;
    this.voices.forEach((voice, i) => {
      const sounds = silent ? [] : voice.sound.of(0, view.total, view.total, fine);
      if (sounds.length) voice.loudest = loudest(sounds);
      const middle = high * (i + 0.5);
      for (let x = 0; x < width; x += 2) {
        const begin = x / width * view.total, end = Math.min(view.total, (x + 2) / width * view.total);
        const loud = peak(sounds, begin, end);  // null where that is not known, or not yet
        const tall = Math.max(2, (loud === null ? 0.25 : Math.sqrt(loud / voice.loudest)) * (high - 6));
        context.fillStyle = place(courses, i, begin, end) ?? unknown;
        context.fillRect(x, middle - tall / 2, 1.5, tall);
      }
    });
    context.fillStyle = tint("accent");
    for (const hit of this.hits()) context.fillRect(hit.start / view.total * width - 0.5, height - 4, 2, 4);
  }
}

const inside = (parts, begin) => parts.find(({ from, to }) => begin >= from && begin < to);

function bins(tile, begin, end) {
  const bin = (tile.end - tile.start) / BINS;
  const first = Math.floor((begin - tile.start) / bin);
  return [Math.max(0, first), Math.min(BINS, Math.max(first + 1, Math.ceil((end - tile.start) / bin)))];
}

function peak(parts, begin, end) {
  const part = inside(parts, begin);
  if (!part || part.tile.ready <= begin) return null;
  let most = 0;
  const [first, last] = bins(part.tile, begin, end);
  for (let i = 2 * first; i < 2 * last; i++) most = Math.max(most, Math.abs(part.tile.peaks[i]));
  return most;
}

function loudest(parts) {
  let most = 1;
  for (const { tile: { peaks } } of parts) for (const value of peaks) if (Math.abs(value) > most) most = Math.abs(value);
  return most;
}

function place(parts, voice, begin, end) {
  const part = inside(parts, begin);
  const lines = part?.tile.voices[voice];
  if (!lines) return null;
  const [first, last] = bins(part.tile, begin, end);
  const mean = (line) => {
    let sum = 0, count = 0;
    for (let i = first; line && i < last; i++) if (!Number.isNaN(line.mean[i])) [sum, count] = [sum + line.mean[i], count + 1];
    return count ? sum / count : null;
  };
  const valence = mean(lines.valence), arousal = mean(lines.arousal);
  return valence === null && arousal === null ? null : css(valence, arousal);
}
