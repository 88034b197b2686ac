// One player for all cards: it starts where the segment starts and stops where it ends.

import * as api from "./api.js";

export class Player {
  // `changed` is called with the hit that plays, or null, and how far it is, 0 to 1.
  constructor(changed) {
    this.audio = new Audio();
    this.audio.preload = "metadata";
    this.changed = changed;
    this.hit = null;
    this.audio.addEventListener("pause", () => this.tell());
    this.audio.addEventListener("ended", () => this.tell());
    this.audio.addEventListener("playing", () => this.follow());
  }

  get playing() { return Boolean(this.hit) && !this.audio.paused; }

  // Play a segment from a part of it, 0 to 1; resolves to a sentence when it cannot be played.
  async play(hit, part = 0) {
    const start = hit.audio_start + part * (hit.end - hit.start);
    try {
      if (this.hit?.id !== hit.id) {
        this.audio.pause();
        this.hit = hit;
        this.audio.src = api.audio(hit.id);
        await new Promise((resolve, reject) => {
          this.audio.onloadedmetadata = resolve;
          this.audio.onerror = reject;
        });
      }
      this.audio.currentTime = start;
      await this.audio.play();
      return null;
    } catch (error) {
      if (this.hit?.id !== hit.id || error.name === "AbortError") return null;  // another one was asked for meanwhile
      this.hit = null;
      return api.whyNotPlayed(hit.id);
    }
  }

  toggle(hit) {
    if (this.hit?.id === hit.id && this.playing) { this.audio.pause(); return null; }
    const done = this.hit?.id === hit.id ? this.part() : 0;
    return this.play(hit, done < 0.98 ? done : 0);
  }

  part() {
    const { hit, audio } = this;
    return hit ? Math.max(0, Math.min(1, (audio.currentTime - hit.audio_start) / (hit.end - hit.start))) : 0;
  }

  follow() {
    if (this.hit && this.part() >= 1) this.audio.pause();
    this.tell();
    if (this.playing) requestAnimationFrame(() => this.follow());
  }

  tell() { this.changed(this.hit, this.part(), this.playing); }
}
