// What part of a recording is in sight.

const SHORTEST = 0.5;  // seconds

export class View {
  // `changed` is called whenever another part is in sight.
  constructor(changed) {
    Object.assign(this, { total: 1, start: 0, end: 1, left: 0, width: 1, changed });
  }

  get span() { return this.end - this.start; }
  get whole() { return this.span >= this.total * (1 - 1e-9); }

  x(seconds) { return this.left + (seconds - this.start) / this.span * this.width; }
  seconds(x) { return this.start + (x - this.left) / this.width * this.span; }

  // The recording is so long; who sees all of it goes on seeing all of it.
  last(total) {
    if (total === this.total) return;
    const { whole } = this;
    this.total = total;
    this.show(whole ? 0 : this.start, whole ? total : this.end);
  }

  show(start, end) {
    const span = Math.min(this.total, Math.max(Math.min(SHORTEST, this.total), end - start));
    this.start = Math.max(0, Math.min(this.total - span, start + (end - start - span) / 2));
    this.end = this.start + span;
    this.changed();
  }

  // So many times as long a part, and what is at `seconds` stays where it is.
  zoom(factor, seconds) {
    const span = Math.min(this.total, Math.max(Math.min(SHORTEST, this.total), this.span * factor));
    const start = seconds - (seconds - this.start) / this.span * span;
    this.show(start, start + span);
  }

  pan(seconds) {
    const by = Math.max(-this.start, Math.min(this.total - this.end, seconds));
    this.show(this.start + by, this.end + by);
  }

  has(seconds) { return seconds >= this.start && seconds <= this.end; }
}
