// Valence and arousal over a long recording; a click plays from there.

import * as api from "./api.js";
import { $, clock, sharp, tint } from "./dom.js";

const LEFT = 26, RIGHT = 10, TOP = 12, BOTTOM = 24;  // css pixels around the chart
const LINES = ["valence", "arousal"];  // as far as the model knows them

export class Timeline {
  // `on`: play(segment, part of it) gives a sentence where that fails; pause() or go on; stop().
  constructor(on) {
    Object.assign(this, { dialog: $("timeline"), canvas: $("course"), on, course: null, at: 0, heard: null });
    const { canvas } = this;
    $("pause").addEventListener("click", () => on.pause());
    this.dialog.addEventListener("close", () => {
      if (this.heard !== null) on.stop();
    });
    canvas.addEventListener("click", (event) => this.start(this.seconds(event.offsetX)));
    canvas.addEventListener("pointermove", (event) => this.point(this.seconds(event.offsetX)));
    canvas.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(canvas);
    document.addEventListener("theme", () => this.draw());
  }

  async open(hit) {
    const course = await api.timeline(hit.id);
    course.segments = course.segments.filter(({ channel }) => channel === hit.channel);  // one voice
    Object.assign(this, { course, hit, heard: null });
    $("pause").disabled = true;
    this.dialog.querySelector("h2").textContent = course.file;
    this.dialog.querySelector(".wrong").textContent = "";
    this.canvas.setAttribute("aria-valuemin", "0");
    this.canvas.setAttribute("aria-valuemax", String(course.seconds));
    this.dialog.showModal();
    this.canvas.focus();
    this.point(hit.start);
  }

  // The player has moved.
  played(player) {
    if (!this.dialog.open) return;
    const mine = this.course.segments.some(({ id }) => id === player.hit?.id);
    this.heard = mine ? player.seconds : null;
    $("pause").disabled = !mine;
    $("pause").textContent = mine && !player.playing ? "Play" : "Pause";
    this.draw();
  }

  x(seconds) { return LEFT + seconds / this.course.seconds * (this.canvas.clientWidth - LEFT - RIGHT); }
  y(value) { return TOP + (7 - value) / 6 * (this.canvas.clientHeight - TOP - BOTTOM); }
  seconds(x) {
    const share = (x - LEFT) / (this.canvas.clientWidth - LEFT - RIGHT);
    return Math.max(0, Math.min(1, share)) * this.course.seconds;
  }

  get lines() { return LINES.filter((name) => this.course.segments[0][name] !== null); }

  // The segment that is spoken at a time; in a pause the next one.
  segment(seconds) { return this.course.segments.find(({ end }) => end > seconds) ?? this.course.segments.at(-1); }

  point(seconds) {
    const one = this.segment(seconds);
    this.at = seconds;
    const places = this.lines.map((name) => `${name} ${one[name].toFixed(1)}`).join(", ");
    const text = `${clock(one.start)} – ${clock(one.end)}${places && `: ${places}`}`;
    $("moment").textContent = text;
    this.canvas.setAttribute("aria-valuenow", seconds.toFixed(1));
    this.canvas.setAttribute("aria-valuetext", text);
    this.draw();
  }

  async start(seconds) {
    const one = this.segment(seconds);
    const part = Math.max(0, Math.min(0.98, (seconds - one.start) / (one.end - one.start)));
    this.dialog.querySelector(".wrong").textContent = await this.on.play(one, part) ?? "";
  }

  key(event) {
    const { segments } = this.course;
    const now = segments.indexOf(this.segment(this.at));
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: segments.length - 1 }[event.key];
    if (next !== undefined) this.point(segments[Math.max(0, Math.min(segments.length - 1, next))].start);
    else if (event.key === "Enter") this.start(this.at);
    else if (event.key === " ") this.on.pause();
    else return;
    event.preventDefault();
  }

  draw() {
    const size = this.course && sharp(this.canvas);
    if (!size) return;
    const { context, width, height } = size;
    this.scale(context, width, height);
    const band = (one, colour) => {
      context.fillStyle = colour;
      context.fillRect(this.x(one.start), TOP, Math.max(2, this.x(one.end) - this.x(one.start)), this.y(1) - TOP);
    };
    band(this.hit, tint("wash"));
    for (const name of this.lines) this.line(context, name);
    const upright = (seconds, colour, wide) => {
      context.fillStyle = colour;
      context.fillRect(this.x(seconds) - wide / 2, TOP, wide, this.y(1) - TOP);
    };
    upright(this.at, tint("quiet"), 1);
    if (this.heard !== null) upright(Math.min(this.heard, this.course.seconds), tint("accent"), 2);
  }

  scale(context, width, height) {
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = tint("quiet");
    context.strokeStyle = tint("line");
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of [1, 4, 7]) {
      context.fillText(value, LEFT - 10, this.y(value));
      context.beginPath();
      context.moveTo(LEFT, this.y(value));
      context.lineTo(width - RIGHT, this.y(value));
      context.stroke();
    }
    const steps = width > 500 ? 6 : 3;
    for (let i = 0; i <= steps; i++) {
      context.textAlign = i === 0 ? "left" : i === steps ? "right" : "center";
      context.fillText(clock(this.course.seconds * i / steps), this.x(this.course.seconds * i / steps), height - 8);
    }
  }

  // Speech is a bar as long as it is; a thin line leads over the pause to the next.
  line(context, name) {
    context.strokeStyle = tint(name);
    context.lineCap = "round";
    const stroke = (from, to, fromValue, toValue, wide, strength) => {
      context.globalAlpha = strength;
      context.lineWidth = wide;
      context.beginPath();
      context.moveTo(this.x(from), this.y(fromValue));
      context.lineTo(this.x(to), this.y(toValue));
      context.stroke();
    };
    let last = null;
    for (const one of this.course.segments) {
      if (last) stroke(last.end, one.start, last[name], one[name], 1.25, 0.5);
      stroke(one.start, one.end, one[name], one[name], 3, 1);
      last = one;
    }
    context.globalAlpha = 1;
  }
}
