// The plane of valence and arousal: the cloud of all segments, the hits, the place that is searched.
// What is done with it by hand is in gestures.js.

import { css } from "./colour.js";
import { density } from "./density.js";
import { sharp, tint } from "./dom.js";
import { Gestures } from "./gestures.js";
import { css as painted, palette } from "./palette.js";
import { PlaneView } from "./planeview.js";

const EDGE = { left: 40, right: 18, top: 26, bottom: 58 };  // css pixels, for the axes
const NEAR = 8;  // css pixels; from so far a dot is meant
const SCALE = 65535;
const MANY = 250_000;  // points; of more only so many are drawn, coarsely, while the plane moves
const STILL = 150;  // milliseconds without a move after which they are drawn sharply again
const value = (x) => 1 + 6 * x / SCALE;

export class Plane {
  // `on`: place({near} or {region}), lit(id of a hit or null), picked(id), reading(place or null), radius() of a click,
  // dot(dot or null, x, y) with {hit} or {row} when the pointer rests on one, viewed() when another part is seen.
  constructor(box, on) {
    [this.points, this.marks] = box.querySelectorAll("canvas");
    this.view = new PlaneView(EDGE);
    Object.assign(this, {
      box, on, values: new Uint16Array(0), hits: [], near: null, region: null, lit: null, drawn: null, asked: 0,
      rows: null, paint: null, alone: false, whole: true,
    });
    new ResizeObserver(() => this.redraw()).observe(box);
    document.addEventListener("theme", () => this.redraw());
    this.watchRatio();
    this.gestures = new Gestures(this);
  }

  show(values) {
    this.values = values;
    this.rows = this.paint = null;
    this.redraw();
  }

  // Which segments are drawn: 1 for each that is; null for all.
  only(rows) {
    this.rows = rows;
    this.soon();
  }

  // The colours of the cloud: {codes, numbers} of a column, or null for those of the places; `alone` for one colour.
  coloured(paint, alone = false) {
    Object.assign(this, { paint, alone });
    this.soon();
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

  // Draw at the next frame, once however often it is asked for.
  soon(moving = false) {
    this.asked ||= requestAnimationFrame(() => {
      this.asked = 0;
      this.redraw(moving);
    });
  }

  // Another part is seen.
  viewed() {
    this.box.classList.toggle("zoomed", this.view.zoomed);
    clearTimeout(this.sharpened);
    const many = this.values.length > 2 * MANY;
    if (many) this.sharpened = setTimeout(() => this.soon(), STILL);
    this.soon(many);
    this.on.viewed();
  }

  redraw(moving = false) {
    const size = sharp(this.points, moving ? 1 : undefined);
    if (!size) return;
    Object.assign(this.view, { width: size.width, height: size.height });
    const { rows, paint, alone, view } = this;
    const { left, right, low, high } = view;
    const every = moving ? Math.ceil(this.values.length / 2 / MANY) : 1;
    density(this.points, this.values, EDGE, size.ratio, { rows, alone, every, ...paint, seen: { left, right, low, high } });
    this.mark();
  }

  // The dot of the cloud that is nearest to a point, as {row, valence, arousal}; null where none is near.
  dotAt(x, y, near = NEAR) {
    const { values, rows, view } = this;
    const at = view.at(x, y), reach = near / view.wide * view.span;
    const unit = (place) => (place - 1) / 6 * SCALE;
    const v = unit(at.valence), a = unit(at.arousal), flat = view.wide / view.tall;
    let best = (reach / 6 * SCALE) ** 2, row = -1;
    for (let i = 0, n = values.length / 2; i < n; i++) {
      const dv = values[2 * i] - v, da = (values[2 * i + 1] - a) / flat;
      const away = dv * dv + da * da;
      if (away <= best && values[2 * i] !== SCALE && !(rows && !rows[i])) [best, row] = [away, i];
    }
    return row < 0 ? null : { row, valence: value(values[2 * row]), arousal: value(values[2 * row + 1]) };
  }

  hitAt({ x, y }) {
    const away = (hit) => Math.hypot(this.view.x(hit.valence) - x, this.view.y(hit.arousal) - y);
    const nearest = this.hits.filter((hit) => this.view.holds(hit))
      .reduce((best, hit) => (best && away(best) <= away(hit) ? best : hit), null);
    return nearest && away(nearest) <= NEAR ? nearest : null;
  }

  light(id) {
    if (id === this.lit) return;
    this.highlight(id);
    this.marks.classList.toggle("over", id !== null);
    this.on.lit(id);
  }

  mark() {
    const size = sharp(this.marks);
    if (!size || !this.view.width) return;
    const { context } = size, { view } = this;
    this.axes(context);
    context.save();
    context.beginPath();
    context.rect(EDGE.left - 6, EDGE.top - 6, view.wide + 12, view.tall + 12);
    context.clip();
    const accent = tint("accent");
    context.lineWidth = 1.5;
    context.strokeStyle = context.fillStyle = accent;
    this.outline(context);
    context.globalAlpha = 0.1;
    context.fill();
    context.globalAlpha = 1;
    context.stroke();
    const paper = tint("card"), ring = tint("ring");
    const colours = this.paint && this.whole ? palette(this.paint.numbers) : null;  // of a part the rows of hits are not known
    const dot = (hit, size, edge, width) => {
      context.beginPath();
      context.arc(view.x(hit.valence), view.y(hit.arousal), size, 0, 7);
      context.fillStyle = colours ? painted(colours[this.paint.codes[hit.row]] ?? colours[255]) : css(hit.valence, hit.arousal);
      context.strokeStyle = edge;
      context.lineWidth = width;
      context.fill();
      context.stroke();
    };
    // The best last, so that it lies on top.
    const there = this.hits.filter((hit) => hit.valence !== null && hit.arousal !== null);
    for (const hit of there.toReversed()) {
      dot(hit, 5, paper, 3.5);
      dot(hit, 5, ring, 1.25);
    }
    const lit = there.find((hit) => hit.id === this.lit);
    if (lit) {
      dot(lit, 9, paper, 5);
      dot(lit, 8, accent, 3);
    }
    context.restore();
  }

  // The place that is searched, or is being drawn.
  outline(context) {
    const { view } = this, shown = this.drawn ?? this.region;
    context.beginPath();
    if (shown?.corners) {
      for (const [valence, arousal] of shown.corners) context.lineTo(view.x(valence), view.y(arousal));
      context.closePath();
    } else if (shown) {
      const [left, right] = shown.valence.map((x) => view.x(x)), [bottom, top] = shown.arousal.map((y) => view.y(y));
      context.roundRect(left, top, right - left, bottom - top, 3);
    } else if (this.near && !this.gestures.drawing) {
      const { valence, arousal, radius } = this.near;
      context.ellipse(view.x(valence), view.y(arousal), view.x(valence + radius) - view.x(valence),
        view.y(arousal) - view.y(arousal + radius), 0, 0, 7);
    }
  }

  axes(context) {
    const { view } = this;
    context.strokeStyle = tint("line");
    context.fillStyle = tint("quiet");
    context.lineWidth = 1;
    context.beginPath();
    if (view.left < 4 && view.right > 4) {
      context.moveTo(view.x(4), view.y(view.low));
      context.lineTo(view.x(4), view.y(view.high));
    }
    if (view.low < 4 && view.high > 4) {
      context.moveTo(view.x(view.left), view.y(4));
      context.lineTo(view.x(view.right), view.y(4));
    }
    context.stroke();
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.textAlign = "center";
    for (const tick of view.ticks(view.low)) context.fillText(tick, EDGE.left - 13, view.y(tick));
    for (const tick of view.ticks(view.left)) context.fillText(tick, view.x(tick), view.height - EDGE.bottom + 30);
    this.title(context, ["negative", "valence", "positive"], view.wide);
    context.save();
    // The same from below upwards: the line of words comes to lie 11 pixels from the left.
    context.rotate(-Math.PI / 2);
    context.translate(EDGE.bottom - view.height - EDGE.left, 22 - view.height);
    this.title(context, ["low energy", "arousal", "high energy"], view.tall);
    context.restore();
  }

  // What an axis means: its two ends, and its name between them.
  title(context, [low, name, high], length) {
    const y = this.view.height - 11;
    const wide = [low, name, high].reduce((sum, text) => sum + context.measureText(text).width + 12, 0);
    for (const [text, place, align] of [[low, 0, "left"], [name, 0.5, "center"], [high, 1, "right"]]) {
      if (text === name && wide > length) continue;  // the ends say more
      context.textAlign = align;
      context.fillText(text, EDGE.left + place * length, y);
    }
  }
}
