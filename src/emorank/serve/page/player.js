// One player for the whole page: it begins where a segment begins and stops where it ends, unless told to play on.

import * as api from "./api.js";
import { $ } from "./dom.js";

const SLACK = 0.5;  // seconds that a recording has to go on behind a segment, to be called longer

export class Player {
  // `changed` is called with the player whenever it plays, moves or stops.
  constructor(changed) {
    this.audio = $("audio");
    this.hit = null;
    this.on = false;
    this.changed = () => changed(this);
    this.audio.addEventListener("playing", () => this.follow());
    this.audio.addEventListener("timeupdate", () => this.halt());  // frames rest while the page is hidden
    for (const name of ["pause", "ended", "seeked"]) this.audio.addEventListener(name, this.changed);
  }

  get playing() { return this.hit !== null && !this.audio.paused; }

  // How much of the segment is over, 0 to 1.
  get part() {
    if (!this.hit) return 0;
    return Math.max(0, Math.min(1, (this.audio.currentTime - this.hit.start) / this.hit.duration));
  }

  // Seconds in the recording, as the times of segments.
  get seconds() { return this.hit ? this.audio.currentTime : 0; }

  // Whether what is played goes on behind the segment.
  get longer() {
    return this.hit !== null && this.audio.duration > this.hit.start + this.hit.duration + SLACK;
  }

  // Play a segment from a part of it; gives a sentence when it cannot be played, else null.
  async play(hit, part = 0) {
    this.on = false;
    try {
      if (this.hit?.id !== hit.id) await this.load(hit);
      this.audio.currentTime = hit.start + part * hit.duration;
      await this.audio.play();
      return null;
    } catch {
      if (this.hit !== hit || !this.audio.error) return null;  // another one was asked for, or a pause
      this.hit = null;
      this.changed();
      return api.whyNotPlayed(hit.id, hit.at);
    }
  }

  load(hit) {
    this.audio.pause();
    this.hit = hit;
    this.overtaken?.();
    this.audio.src = api.audio(hit.id, hit.at);
    return new Promise((resolve, reject) => {
      this.overtaken = reject;
      this.audio.onloadedmetadata = resolve;
      this.audio.onerror = reject;
    });
  }

  toggle(hit) {
    const mine = this.hit?.id === hit.id;
    if (mine && this.playing) {
      this.audio.pause();
      return null;
    }
    const part = mine ? this.part : 0;
    return this.play(hit, part < 0.98 ? part : 0);
  }

  // Behind the end of the segment as well.
  playOn() {
    this.on = true;
    this.audio.play().catch(() => {});
    this.changed();
  }

  // Pause, or go on.
  pause() {
    if (this.playing) this.audio.pause();
    else if (this.hit) this.audio.play().catch(() => {});
  }

  skip(seconds) {
    if (!this.hit) return;
    const { start, duration } = this.hit;
    this.audio.currentTime = Math.max(start, Math.min(this.on ? Infinity : start + duration, this.audio.currentTime + seconds));
  }

  stop() {
    this.audio.pause();
    this.hit = null;
    this.changed();
  }

  halt() {
    if (!this.on && this.playing && this.part >= 1) this.audio.pause();
  }

  follow() {
    this.halt();
    this.changed();
    if (this.playing) requestAnimationFrame(() => this.follow());
  }
}
