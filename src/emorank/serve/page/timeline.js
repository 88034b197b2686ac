// Valence and arousal over a long recording.

import * as api from "./api.js";
import { clock } from "./cards.js";

const LEFT = 34, BOTTOM = 24, TOP = 10;

export class Timeline {
  // `play` is called with a segment of the recording and the part of it to start from.
  constructor(dialog, play) {
    this.dialog = dialog;
    this.canvas = dialog.querySelector("canvas");
    this.canvas.addEventListener("click", (event) => {
      const seconds = this.seconds(event.offsetX);
      const segment = this.course.segments.findLast((one) => one.start <= seconds) ?? this.course.segments[0];
      play(segment, Math.min(0.95, Math.max(0, (seconds - segment.start) / (segment.end - segment.start))));
    });
  }

  async open(hit) {
    this.course = await api.timeline(hit.id);
    this.hit = hit;
    this.dialog.querySelector("h2").textContent = this.course.file;
    this.dialog.showModal();
    this.draw();
  }

  x(seconds) { return LEFT + seconds / this.course.seconds * (this.canvas.clientWidth - LEFT - 8); }
  y(value) { return TOP + (7 - value) / 6 * (this.canvas.clientHeight - TOP - BOTTOM); }
  seconds(x) { return Math.max(0, (x - LEFT) / (this.canvas.clientWidth - LEFT - 8) * this.course.seconds); }

  draw() {
    const { canvas, course } = this;
    const ratio = devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const context = canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = style.getPropertyValue("--quiet");
    context.strokeStyle = style.getPropertyValue("--line");
    context.textAlign = "right";
    for (const value of [1, 4, 7]) {
      context.fillText(value, LEFT - 10, this.y(value) + 4);
      context.beginPath();
      context.moveTo(LEFT, this.y(value)); context.lineTo(canvas.clientWidth - 8, this.y(value));
      context.stroke();
    }
    context.textAlign = "center";
    for (let i = 0; i <= 4; i++) {
      const seconds = course.seconds * i / 4;
      context.fillText(clock(seconds), Math.min(this.x(seconds), canvas.clientWidth - 24), canvas.clientHeight - 4);
    }
    context.fillStyle = style.getPropertyValue("--wash");
    context.fillRect(this.x(this.hit.start), TOP, Math.max(2, this.x(this.hit.end) - this.x(this.hit.start)), this.y(1) - TOP);
    for (const name of ["valence", "arousal"]) {
      context.strokeStyle = style.getPropertyValue(`--${name}`);
      context.lineWidth = 2.5;
      context.lineCap = "round";
      let last = null;
      for (const one of course.segments) {
        // Speech is a bar as long as it is; a thin line leads to the next.
        if (last) {
          context.globalAlpha = 0.35; context.lineWidth = 1;
          context.beginPath();
          context.moveTo(this.x(last.end), this.y(last[name])); context.lineTo(this.x(one.start), this.y(one[name]));
          context.stroke();
        }
        context.globalAlpha = 1; context.lineWidth = 2.5;
        context.beginPath();
        context.moveTo(this.x(one.start), this.y(one[name])); context.lineTo(this.x(one.end), this.y(one[name]));
        context.stroke();
        last = one;
      }
    }
  }
}
