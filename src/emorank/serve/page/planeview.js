// What of the plane is seen: a square part of it that can be zoomed and moved, in css pixels of its canvas.

import { HIGH, LOW } from "./colour.js";

const CLOSEST = 0.25;  // of the scale, from edge to edge

export class PlaneView {
  // `edge` is left free around the plane, in css pixels.
  constructor(edge) {
    Object.assign(this, { edge, width: 0, height: 0 });
    this.reset();
  }

  reset() { Object.assign(this, { left: LOW, low: LOW, span: HIGH - LOW }); }

  get zoomed() { return this.span < HIGH - LOW; }
  get wide() { return this.width - this.edge.left - this.edge.right; }
  get tall() { return this.height - this.edge.top - this.edge.bottom; }
  get right() { return this.left + this.span; }
  get high() { return this.low + this.span; }

  x(valence) { return this.edge.left + (valence - this.left) / this.span * this.wide; }
  y(arousal) { return this.height - this.edge.bottom - (arousal - this.low) / this.span * this.tall; }

  // The place at a point, on the part that is seen.
  at(x, y) {
    const inside = (value, low) => Math.min(low + this.span, Math.max(low, value));
    return {
      valence: inside(this.left + (x - this.edge.left) / this.wide * this.span, this.left),
      arousal: inside(this.low + (this.height - this.edge.bottom - y) / this.tall * this.span, this.low),
    };
  }

  holds({ valence, arousal }) {
    return valence >= this.left && valence <= this.right && arousal >= this.low && arousal <= this.high;
  }

  // Closer by a factor above 1; what lies at a point stays there.
  zoom(factor, x = this.edge.left + this.wide / 2, y = this.edge.top + this.tall / 2) {
    const { valence, arousal } = this.at(x, y);
    const span = Math.min(HIGH - LOW, Math.max(CLOSEST, this.span / factor));
    this.left = valence - (valence - this.left) * span / this.span;
    this.low = arousal - (arousal - this.low) * span / this.span;
    this.span = span;
    this.keep();
  }

  // By so many css pixels, as if the plane were pushed.
  move(dx, dy) {
    this.left -= dx / this.wide * this.span;
    this.low += dy / this.tall * this.span;
    this.keep();
  }

  keep() {
    const most = HIGH - this.span;
    this.left = Math.min(most, Math.max(LOW, this.left));
    this.low = Math.min(most, Math.max(LOW, this.low));
  }

  // Steps of the scale that are seen, few enough to be read.
  ticks(low) {
    const step = this.span > 3 ? 1 : this.span > 1 ? 0.5 : 0.1;
    const first = Math.ceil(low / step - 1e-9), last = Math.floor((low + this.span) / step + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, i) => Math.round((first + i) * step * 10) / 10);
  }
}
