// The plane of valence and arousal: all segments as a density, the hits as dots; click for a place, drag for a region.

import { colour, isDark } from "./colour.js";

const LOW = 1, HIGH = 7, MARGIN = 30;

export class Plane {
  // `chosen` is called with {near} or {region}; `lit` with the row of a hit under the pointer, or null.
  constructor(points, marks, { chosen, lit, radius }) {
    Object.assign(this, { points, marks, chosen, lit, radius, values: new Float32Array(0), hits: [], row: null });
    new ResizeObserver(() => this.redraw()).observe(points);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    marks.addEventListener("pointerdown", (event) => this.down(event));
    marks.addEventListener("pointermove", (event) => this.move(event));
    marks.addEventListener("pointerup", (event) => this.up(event));
    marks.addEventListener("pointercancel", () => { this.from = null; this.mark(); });
    marks.addEventListener("pointerleave", () => this.light(null));
  }

  show(values) { this.values = values; this.redraw(); }
  found(hits, near, region) { Object.assign(this, { hits, near, region }); this.mark(); }
  highlight(row) { this.row = row; this.mark(); }

  // Plane -> css pixels, and back.
  x(valence) { return MARGIN + (valence - LOW) / (HIGH - LOW) * (this.width - 2 * MARGIN); }
  y(arousal) { return this.height - MARGIN - (arousal - LOW) / (HIGH - LOW) * (this.height - 2 * MARGIN); }
  at(event) {
    const box = this.marks.getBoundingClientRect();
    const inside = (part) => Math.min(HIGH, Math.max(LOW, LOW + part * (HIGH - LOW)));
    const x = event.clientX - box.left, y = event.clientY - box.top;
    return {
      x, y,
      valence: inside((x - MARGIN) / (this.width - 2 * MARGIN)),
      arousal: inside((this.height - MARGIN - y) / (this.height - 2 * MARGIN)),
    };
  }

  redraw() {
    const ratio = devicePixelRatio || 1;
    this.width = this.points.clientWidth;
    this.height = this.points.clientHeight;
    if (!this.width) return;
    for (const canvas of [this.points, this.marks]) {
      canvas.width = Math.round(this.width * ratio);
      canvas.height = Math.round(this.height * ratio);
    }
    this.density(ratio);
    this.axes(ratio);
    this.mark();
  }

  // Every segment a small disc; where many lie the colour is full. One pass over the points, one over the pixels.
  density(ratio) {
    const context = this.points.getContext("2d");
    const { width, height } = this.points;
    const count = new Float32Array(width * height);
    const many = this.values.length / 2;
    const radius = (many < 3000 ? 2.3 : many < 30000 ? 1.5 : 1) * ratio;
    const reach = Math.floor(radius);
    for (let i = 0; i < this.values.length; i += 2) {
      const x = Math.round(this.x(this.values[i]) * ratio), y = Math.round(this.y(this.values[i + 1]) * ratio);
      for (let dy = -reach; dy <= reach; dy++) {
        for (let dx = -reach; dx <= reach; dx++) {
          if (dx * dx + dy * dy > radius * radius) continue;
          const px = x + dx, py = y + dy;
          if (px >= 0 && px < width && py >= 0 && py < height) count[py * width + px] += 1;
        }
      }
    }
    const full = Math.log(2 + many / 2500);
    const image = context.createImageData(width, height);
    const dark = isDark();
    const side = 48;  // colours are looked up on a grid
    const palette = Array.from({ length: side * side }, (_, i) =>
      colour(LOW + (i % side) / (side - 1) * 6, LOW + Math.floor(i / side) / (side - 1) * 6, dark));
    for (let y = 0, i = 0; y < height; y++) {
      const row = Math.max(0, Math.min(side - 1, Math.round((this.height - MARGIN - y / ratio) / (this.height - 2 * MARGIN) * (side - 1))));
      for (let x = 0; x < width; x++, i++) {
        if (!count[i]) continue;
        const column = Math.max(0, Math.min(side - 1, Math.round((x / ratio - MARGIN) / (this.width - 2 * MARGIN) * (side - 1))));
        const [r, g, b] = palette[row * side + column];
        image.data.set([r, g, b, 255 * Math.min(1, 0.28 + 0.72 * Math.log(1 + count[i]) / full)], 4 * i);
      }
    }
    context.putImageData(image, 0, 0);
  }

  axes(ratio) {
    const context = this.points.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = context.strokeStyle = style.getPropertyValue("--quiet");
    context.font = "12px system-ui, sans-serif";
    context.globalAlpha = 0.25;
    context.beginPath();
    context.moveTo(this.x(4), this.y(LOW)); context.lineTo(this.x(4), this.y(HIGH));
    context.moveTo(this.x(LOW), this.y(4)); context.lineTo(this.x(HIGH), this.y(4));
    context.stroke();
    context.globalAlpha = 1;
    const write = (text, x, y, align) => { context.textAlign = align; context.fillText(text, x, y); };
    write("tense, angry", this.x(LOW), 20, "left");
    write("excited, joyful", this.x(HIGH), 20, "right");
    write("sad, tired", this.x(LOW), this.height - 11, "left");
    write("calm, content", this.x(HIGH), this.height - 11, "right");
    write("valence →", this.x(4), this.height - 11, "center");
    context.save();
    context.translate(17, this.y(4));
    context.rotate(-Math.PI / 2);
    write("arousal →", 0, 0, "center");
    context.restore();
  }

  mark() {
    const context = this.marks.getContext("2d");
    const ratio = devicePixelRatio || 1;
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink"), accent = style.getPropertyValue("--accent");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const unit = (this.width - 2 * MARGIN) / (HIGH - LOW), tall = (this.height - 2 * MARGIN) / (HIGH - LOW);
    context.strokeStyle = context.fillStyle = accent;
    context.lineWidth = 1.5;
    const shape = (draw) => {
      context.beginPath(); draw();
      context.globalAlpha = 0.1; context.fill(); context.globalAlpha = 1; context.stroke();
    };
    const rectangle = ({ valence, arousal }) => shape(() => context.rect(this.x(valence[0]), this.y(arousal[1]),
      (valence[1] - valence[0]) * unit, this.y(arousal[0]) - this.y(arousal[1])));
    if (this.near) {
      const { valence, arousal, radius } = this.near;
      shape(() => context.ellipse(this.x(valence), this.y(arousal), radius * unit, radius * tall, 0, 0, 7));
    }
    if (this.region) rectangle(this.region);
    if (this.dragged) rectangle(this.dragged);
    for (const hit of this.hits) {
      const lit = hit.row === this.row;
      context.beginPath();
      context.arc(this.x(hit.valence), this.y(hit.arousal), lit ? 8 : 4.5, 0, 7);
      context.fillStyle = `rgb(${colour(hit.valence, hit.arousal).join(" ")})`;
      context.strokeStyle = lit ? accent : ink;
      context.lineWidth = lit ? 3 : 1.2;
      context.fill(); context.stroke();
    }
  }

  down(event) {
    this.marks.setPointerCapture(event.pointerId);
    this.from = this.at(event);
  }

  move(event) {
    const here = this.at(event);
    if (!this.from) {
      const near = this.hits.find((hit) => Math.hypot(this.x(hit.valence) - here.x, this.y(hit.arousal) - here.y) < 9);
      this.light(near?.row ?? null);
      return;
    }
    const moved = Math.hypot(here.x - this.from.x, here.y - this.from.y) > 6;
    const between = (name) => [Math.min(here[name], this.from[name]), Math.max(here[name], this.from[name])];
    this.dragged = moved ? { valence: between("valence"), arousal: between("arousal") } : null;
    this.mark();
  }

  up(event) {
    if (!this.from) return;
    this.move(event);
    const place = this.at(event);
    const choice = this.dragged ? { region: this.dragged, near: null }
      : { near: { valence: place.valence, arousal: place.arousal, radius: this.radius() }, region: null };
    this.from = this.dragged = null;
    this.chosen(choice);
  }

  light(row) {
    if (row === this.row) return;
    this.highlight(row);
    this.lit(row);
  }
}
