// The plane of valence and arousal: the cloud of all segments, the hits, the place that is searched.
// A click searches near it, a drag a region; a click on a hit leads to its card.

import { css, HIGH, LOW } from "./colour.js";
import { density } from "./density.js";
import { sharp, tint } from "./dom.js";

const EDGE = { left: 40, right: 18, top: 26, bottom: 58 };  // css pixels, for the axes
const NEAR = 8;  // css pixels; from so far a hit is meant
const TICKS = [1, 2, 3, 4, 5, 6, 7];

export class Plane {
  // `on`: place({near} or {region}), lit(id of a hit or null), picked(id), reading(place or null), radius() of a click.
  constructor(box, on) {
    [this.points, this.marks] = box.querySelectorAll("canvas");
    Object.assign(this, { box, on, values: new Uint16Array(0), hits: [], near: null, region: null, lit: null, from: null });
    new ResizeObserver(() => this.redraw()).observe(box);
    document.addEventListener("theme", () => this.redraw());
    this.watchRatio();
    const { marks } = this;
    marks.addEventListener("pointerdown", (event) => this.down(event));
    marks.addEventListener("pointermove", (event) => this.move(event));
    marks.addEventListener("pointerup", (event) => this.up(event));
    marks.addEventListener("pointercancel", () => this.forget());
    marks.addEventListener("pointerleave", () => { on.reading(null); this.light(null); });
  }

  show(values) {
    this.values = values;
    this.redraw();
  }

  found(hits) {
    this.hits = hits;
    this.box.classList.toggle("asked", hits.length > 0);
    this.mark();
  }

  look(near, region) {
    Object.assign(this, { near, region });
    this.mark();
  }

  highlight(id) {
    if (id === this.lit) return;
    this.lit = id;
    this.mark();
  }

  // Another screen or zoom has other pixels.
  watchRatio() {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
      this.redraw();
      this.watchRatio();
    }, { once: true });
  }

  // Width and height of the plane itself.
  get wide() { return this.width - EDGE.left - EDGE.right; }
  get tall() { return this.height - EDGE.top - EDGE.bottom; }

  x(valence) { return EDGE.left + (valence - LOW) / (HIGH - LOW) * this.wide; }
  y(arousal) { return this.height - EDGE.bottom - (arousal - LOW) / (HIGH - LOW) * this.tall; }

  at(event) {
    const inside = (share) => Math.min(HIGH, Math.max(LOW, LOW + share * (HIGH - LOW)));
    const x = event.offsetX, y = event.offsetY;
    return {
      x, y,
      valence: inside((x - EDGE.left) / this.wide),
      arousal: inside((this.height - EDGE.bottom - y) / this.tall),
    };
  }

  redraw() {
    const size = sharp(this.points);
    if (!size) return;
    Object.assign(this, { width: size.width, height: size.height });
    density(this.points, this.values, EDGE, size.ratio);
    this.mark();
  }

  mark() {
    const size = sharp(this.marks);
    if (!size || !this.width) return;
    const { context } = size;
    this.axes(context);
    const accent = tint("accent");
    context.lineWidth = 1.5;
    context.strokeStyle = context.fillStyle = accent;
    context.beginPath();
    const shown = this.dragged ?? this.region;
    if (shown) {
      const [left, right] = shown.valence.map((x) => this.x(x)), [bottom, top] = shown.arousal.map((y) => this.y(y));
      context.roundRect(left, top, right - left, bottom - top, 3);
    } else if (this.near && !this.from) {
      const { valence, arousal, radius } = this.near;
      context.ellipse(this.x(valence), this.y(arousal), this.x(valence + radius) - this.x(valence),
        this.y(arousal) - this.y(arousal + radius), 0, 0, 7);
    }
    context.globalAlpha = 0.1;
    context.fill();
    context.globalAlpha = 1;
    context.stroke();
    const paper = tint("card"), ring = tint("ring");
    const dot = (hit, size, edge, width) => {
      context.beginPath();
      context.arc(this.x(hit.valence), this.y(hit.arousal), size, 0, 7);
      context.fillStyle = css(hit.valence, hit.arousal);
      context.strokeStyle = edge;
      context.lineWidth = width;
      context.fill();
      context.stroke();
    };
    // The best last, so that it lies on top.
    for (const hit of this.hits.toReversed()) {
      dot(hit, 5, paper, 3.5);
      dot(hit, 5, ring, 1.25);
    }
    const lit = this.hits.find((hit) => hit.id === this.lit);
    if (lit) {
      dot(lit, 9, paper, 5);
      dot(lit, 8, accent, 3);
    }
  }

  axes(context) {
    context.strokeStyle = tint("line");
    context.fillStyle = tint("quiet");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(this.x(4), this.y(LOW));
    context.lineTo(this.x(4), this.y(HIGH));
    context.moveTo(this.x(LOW), this.y(4));
    context.lineTo(this.x(HIGH), this.y(4));
    context.stroke();
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.textAlign = "center";
    for (const tick of TICKS) {
      context.fillText(tick, EDGE.left - 13, this.y(tick));
      context.fillText(tick, this.x(tick), this.height - EDGE.bottom + 30);
    }
    this.title(context, ["negative", "valence", "positive"], this.wide);
    context.save();
    // The same from below upwards: the line of words comes to lie 11 pixels from the left.
    context.rotate(-Math.PI / 2);
    context.translate(EDGE.bottom - this.height - EDGE.left, 22 - this.height);
    this.title(context, ["low energy", "arousal", "high energy"], this.tall);
    context.restore();
  }

  // What an axis means: its two ends, and its name between them.
  title(context, [low, name, high], length) {
    const y = this.height - 11;
    const wide = [low, name, high].reduce((sum, text) => sum + context.measureText(text).width + 12, 0);
    for (const [text, place, align] of [[low, 0, "left"], [name, 0.5, "center"], [high, 1, "right"]]) {
      if (text === name && wide > length) continue;  // the ends say more
      context.textAlign = align;
      context.fillText(text, EDGE.left + place * length, y);
    }
  }

  hitAt({ x, y }) {
    const away = (hit) => Math.hypot(this.x(hit.valence) - x, this.y(hit.arousal) - y);
    const nearest = this.hits.reduce((best, hit) => (best && away(best) <= away(hit) ? best : hit), null);
    return nearest && away(nearest) <= NEAR ? nearest : null;
  }

  light(id) {
    if (id === this.lit) return;
    this.highlight(id);
    this.marks.classList.toggle("over", id !== null);
    this.on.lit(id);
  }

  down(event) {
    if (event.button !== 0) return;
    this.marks.setPointerCapture(event.pointerId);
    this.from = this.at(event);
  }

  move(event) {
    const here = this.at(event);
    this.on.reading(here);
    if (!this.from) {
      this.light(this.hitAt(here)?.id ?? null);
      return;
    }
    const between = (name) => [Math.min(here[name], this.from[name]), Math.max(here[name], this.from[name])];
    const moved = this.dragged || Math.hypot(here.x - this.from.x, here.y - this.from.y) > 6;
    if (moved && event.pointerType === "touch") return this.forget();  // a swipe, where nothing scrolls
    this.dragged = moved ? { valence: between("valence"), arousal: between("arousal") } : null;
    this.mark();
  }

  up(event) {
    if (!this.from) return;
    this.move(event);
    const { valence, arousal, ...point } = this.at(event);
    const { dragged } = this;
    const hit = dragged ? null : this.hitAt(point);
    this.forget();
    if (hit) this.on.picked(hit.id);
    else if (dragged) this.on.place({ near: null, region: dragged });
    else this.on.place({ near: { valence, arousal, radius: this.on.radius() }, region: null });
  }

  forget() {
    this.from = this.dragged = null;
    this.mark();
  }
}
