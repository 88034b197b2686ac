// Plays a recording, one voice of it at a time, from anywhere.

import * as api from "./api.js";
import { $ } from "./dom.js";

export class Hearing {
  // `changed` is called whenever it plays, moves or stops; `wrong` with a sentence where it cannot.
  constructor(voices, changed, wrong) {
    Object.assign(this, { audio: $("audio"), voices, voice: 0, at: 0, changed, wrong });
    for (const name of ["pause", "ended", "seeked", "loadedmetadata"]) this.audio.addEventListener(name, () => changed());
    this.audio.addEventListener("playing", () => this.follow());
  }

  get playing() { return !this.audio.paused; }

  // Seconds, of what is heard or would be.
  get seconds() { return this.audio.src && this.audio.readyState ? this.audio.currentTime : this.at; }

  // Move there, without beginning to play.
  move(seconds) {
    this.at = Math.max(0, seconds);
    if (this.audio.readyState) this.audio.currentTime = this.at;
    this.changed();
  }

  async play(seconds, voice = this.voice) {
    this.wrong("");
    this.at = Math.max(0, seconds);
    const source = api.audio(this.voices[voice].segment);
    try {
      if (this.audio.src !== source || this.audio.error) {
        this.audio.src = source;
        this.voice = voice;
        await new Promise((resolve, reject) => Object.assign(this.audio, { onloadedmetadata: resolve, onerror: reject }));
      }
      this.audio.currentTime = this.at;
      await this.audio.play();
    } catch {
      if (!this.audio.error) return;  // another moment was asked for, or a pause
      this.wrong(await api.whyNotPlayed(this.voices[voice].segment));
      this.audio.removeAttribute("src");
      this.changed();
    }
  }

  toggle() {
    if (this.playing) this.audio.pause();
    else this.play(this.seconds);
  }

  follow() {
    this.changed();
    if (this.playing) requestAnimationFrame(() => this.follow());
  }
}
