// What is drawn of a recording over time: ruler, hits, and for each voice waveform, spectrogram and its course.

import { css } from "./colour.js";
import { sharp, tint } from "./dom.js";
import { level as tone, ready } from "./spectrogram.js";
import { BINS, finest } from "./tiles.js";

const GUTTER = 24, RIGHT = 8, RULER = 22, MARKS = 20, GAP = 10;  // css pixels
const FEW = 0.25;  // seconds a pixel, below which segments are drawn as they are
export const DIMENSIONS = ["valence", "arousal", "dominance"];

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000, 86400];

export class Lanes {
  // `voices` as the server tells them, each with its tiles of `sound`; `course` and `moments` are tiles of all voices.
  constructor(canvas, view, voices, dimensions, course, moments) {
    Object.assign(this, { canvas, view, voices, dimensions, course, moments, silent: false, hits: [], rows: [] });
  }

  // Where everything lies; the canvas becomes as high as that.
  layout() {
    const one = this.voices.length === 1;
    let top = RULER + MARKS;
    this.rows = [];
    const row = (kind, voice, height, name) => {
      this.rows.push({ kind, voice, top, height, name });
      top += height + GAP;
    };
    this.voices.forEach((voice, i) => {
      if (!one) row("name", i, 16);
      if (!this.silent) {
        row("wave", i, one ? 64 : 46);
        row("spectrum", i, one ? 96 : 52);
      }
      for (const name of this.dimensions) row("line", i, one ? 72 : 56, name);
    });
    this.height = top;
    this.canvas.style.height = `${this.height}px`;
    Object.assign(this.view, { left: GUTTER, width: Math.max(50, this.canvas.clientWidth - GUTTER - RIGHT) });
  }

  voiceAt(y) { return this.rows.find(({ top, height }) => y < top + height + GAP)?.voice ?? this.voices.length - 1; }

  draw() {
    const size = sharp(this.canvas);
    if (!size) return;
    const { context } = size;
    context.font = "11px system-ui, sans-serif";
    const colours = Object.fromEntries(["quiet", "line", "wave", "ink", "card", ...DIMENSIONS].map((name) => [name, tint(name)]));
    this.ruler(context, colours);
    this.marks(context);
    const { view } = this;
    const fine = finest(view.span, view.width);
    const sounds = this.silent ? [] : this.voices.map(({ sound }) => sound.of(view.start, view.end, view.total, fine));
    const exact = view.span / view.width <= FEW;
    const course = exact ? null : this.course.of(view.start, view.end, view.total, Math.max(-2, fine));
    const moments = exact ? this.moments.of(view.start, view.end, view.total, -2) : null;
    for (const row of this.rows) {
      if (row.kind === "name") {
        context.fillStyle = colours.ink;
        context.textAlign = "left";
        context.textBaseline = "middle";
        context.fillText(this.voices[row.voice].title, GUTTER, row.top + row.height / 2 + 2);
      } else if (row.kind === "wave") this.wave(context, row, sounds[row.voice], colours);
      else if (row.kind === "spectrum") this.spectrum(context, row, sounds[row.voice], colours);
      else {
        this.axis(context, row, colours);
        if (exact) this.bars(context, row, moments, colours[row.name]);
        else this.band(context, row, course, colours[row.name]);
        this.name(context, row, colours);
      }
    }
  }

  ruler(context, colours) {
    const { view } = this;
    const least = view.span / view.width * 84;
    const step = STEPS.find((one) => one >= least) ?? STEPS.at(-1);
    context.textAlign = "center";
    context.textBaseline = "middle";
    const bottom = this.height - GAP;
    for (let i = Math.ceil(view.start / step); i * step <= view.end; i++) {
      const x = view.x(i * step);
      context.fillStyle = colours.line;
      context.globalAlpha = 0.6;
      context.fillRect(Math.round(x), RULER, 1, bottom - RULER);
      context.globalAlpha = 1;
      context.fillStyle = colours.quiet;
      const text = short(i * step, step);
      const half = context.measureText(text).width / 2;
      context.fillText(text, Math.max(half, Math.min(this.canvas.clientWidth - half, x)), RULER / 2);
    }
  }

  // Hits as flags in the colour of their place; the better they fit, the fuller.
  marks(context) {
    const { view } = this;
    for (const hit of [...this.hits].reverse()) {
      if (hit.end < view.start || hit.start > view.end) continue;
      const from = Math.max(view.left, view.x(hit.start)), to = Math.min(view.left + view.width, view.x(hit.end));
      const wide = Math.max(4, to - from);
      context.fillStyle = css(hit.valence, hit.arousal);
      context.globalAlpha = hit.strength;
      context.beginPath();
      context.roundRect(from, RULER + 3, wide, MARKS - 8, 3);
      context.fill();
      context.globalAlpha = 0.07;
      context.fillRect(from, RULER + MARKS, wide, this.height - GAP - RULER - MARKS);
    }
    context.globalAlpha = 1;
  }

  wave(context, { top, height, voice }, parts, colours) {
    const middle = top + height / 2, scale = height / 2 / (this.voices[voice].loudest ?? 32767);
    context.fillStyle = colours.line;
    context.fillRect(GUTTER, middle, this.view.width, 1);
    context.fillStyle = colours.wave;
    this.columns(parts, (x, { peaks }, first, last) => {
      let low = 32767, high = -32768;
      for (let i = first; i < last; i++) {
        if (peaks[2 * i] < low) low = peaks[2 * i];
        if (peaks[2 * i + 1] > high) high = peaks[2 * i + 1];
      }
      if (low === 0 && high === 0) return;
      const from = Math.max(top, middle - high * scale), to = Math.min(top + height, middle - low * scale);
      context.fillRect(x, from, 1, Math.max(1, to - from));
    });
  }

  // Calls back for every column of pixels with the bins that it shows.
  columns(parts, shown) {
    const { view } = this;
    for (const { tile, from, to } of parts) {
      const first = Math.max(view.left, Math.floor(view.x(Math.max(from, view.start))));
      const last = Math.min(view.left + view.width, Math.ceil(view.x(Math.min(to, view.end, view.total))));
      const bin = (tile.end - tile.start) / BINS, step = view.span / view.width;
      for (let x = first; x < last; x++) {
        const begin = Math.floor((view.seconds(x) - tile.start) / bin);
        const behind = Math.max(begin + 1, Math.ceil((view.seconds(x) + step - tile.start) / bin - 0.01));
        if (behind > 0 && begin < BINS) shown(x, tile, Math.max(0, begin), Math.min(BINS, behind));
      }
    }
  }

  spectrum(context, { top, height }, parts, colours) {
    const { view } = this;
    context.save();
    context.beginPath();
    context.roundRect(GUTTER, top, view.width, height, 4);
    context.clip();
    context.fillStyle = tone(0);
    context.fillRect(GUTTER, top, view.width, height);
    for (const { tile, from, to } of parts) {
      const begin = Math.max(from, view.start), end = Math.min(to, view.end, tile.ready);
      if (end <= begin) continue;
      const bin = (tile.end - tile.start) / BINS;
      const picture = ready(tile);
      context.drawImage(picture, (begin - tile.start) / bin, 0, (end - begin) / bin, picture.height,
        view.x(begin), top, view.x(end) - view.x(begin), height);
    }
    context.restore();
    context.fillStyle = colours.quiet;
    context.textAlign = "right";
    context.textBaseline = "top";
    context.fillText("8k", GUTTER - 5, top);
    context.textBaseline = "bottom";
    context.fillText("Hz", GUTTER - 5, top + height);
  }

  axis(context, row, colours) {
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of [1, 4, 7]) {
      const y = Math.round(level(row, value));
      context.fillStyle = colours.line;
      context.fillRect(GUTTER, y, this.view.width, 1);
      context.fillStyle = colours.quiet;
      context.fillText(value, GUTTER - 6, y + (value === 1 ? -3 : value === 7 ? 4 : 0));
    }
  }

  // What a lane shows, over whatever is drawn there.
  name(context, row, colours) {
    context.textAlign = "left";
    context.textBaseline = "top";
    const text = context.measureText(row.name).width;
    context.fillStyle = colours.card;
    context.fillRect(GUTTER + 1, row.top + 1, text + 8, 15);
    context.fillStyle = colours[row.name];
    context.fillText(row.name, GUTTER + 5, row.top + 4);
  }

  // Lowest, highest and mean of each column of pixels.
  band(context, row, parts, colour) {
    const means = [];
    context.fillStyle = colour;
    context.globalAlpha = 0.2;
    this.columns(parts, (x, { voices }, first, last) => {
      const line = voices[row.voice]?.[row.name];
      if (!line) return;
      let low = Infinity, high = -Infinity, sum = 0, count = 0;
      for (let i = first; i < last; i++) {
        if (Number.isNaN(line.mean[i])) continue;
        low = Math.min(low, line.low[i]);
        high = Math.max(high, line.high[i]);
        sum += line.mean[i];
        count++;
      }
      if (!count) return;
      context.fillRect(x, level(row, high), 1, Math.max(1, level(row, low) - level(row, high)));
      means.push([x, level(row, sum / count)]);
    });
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    context.beginPath();
    means.forEach(([x, y], i) => {
      if (i && x - means[i - 1][0] <= 2) context.lineTo(x + 0.5, y);
      else {
        context.moveTo(x, y);
        context.lineTo(x + 1, y);
      }
    });
    context.stroke();
  }

  // Speech as bars as long as it is; a thin line leads over the pause to the next.
  bars(context, row, parts, colour) {
    const { view } = this;
    const { channel } = this.voices[row.voice];
    const seen = new Set();
    context.save();
    context.beginPath();
    context.rect(view.left, row.top - 3, view.width, row.height + 6);
    context.clip();
    context.strokeStyle = colour;
    context.lineCap = "round";
    let last = null;
    for (const { tile } of parts) {
      for (const one of tile.segments) {
        if (one.channel !== channel || seen.has(one.id)) continue;
        seen.add(one.id);
        const y = level(row, one[row.name]), from = view.x(one.start) + 1.5, to = Math.max(from, view.x(one.end) - 1.5);
        context.beginPath();
        if (last) {
          context.globalAlpha = 0.4;
          context.lineWidth = 1;
          context.moveTo(last.to, last.y);
          context.lineTo(from, y);
          context.stroke();
          context.beginPath();
        }
        context.globalAlpha = 1;
        context.lineWidth = 3;
        context.moveTo(from, y);
        context.lineTo(to, y);
        context.stroke();
        last = { to, y };
      }
    }
    context.restore();
  }
}

const level = ({ top, height }, value) => top + (7 - value) / 6 * height;

// A time as short as the ruler's step allows.
function short(seconds, step) {
  const two = (x) => String(x).padStart(2, "0");
  const tenths = Math.round(seconds * 10), hours = Math.floor(tenths / 36000);
  const minutes = Math.floor(tenths / 600) % 60, rest = two(Math.floor(tenths / 10) % 60) + (step < 1 ? `.${tenths % 10}` : "");
  return hours || step >= 3600 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}
