// Searching by a recording of one's own: chosen, spoken, or dropped anywhere on the page; whole or a part of it.

import { $, clock } from "./dom.js";
import { keep } from "./kept.js";
import * as part from "./part.js";
import * as recorder from "./recorder.js";
import * as sound from "./sound.js";

const LONGEST = 60;  // seconds that the server takes

let recording = null;
let last = null;  // {name, file}, whole: of it a part can be chosen

// `chosen` gets {name, blob}.
export function install(chosen) {
  const take = (clip) => {
    keep(clip);
    chosen(clip);
  };
  part.install(take);
  const use = async (name, file) => {
    last = { name, file };
    $("sound").close();
    const samples = await sound.decoded(file);  // what cannot be decoded here, the server may
    if (samples && sound.seconds(samples) > LONGEST) part.open(name, samples);
    else take({ name, blob: file });
  };
  $("choose").addEventListener("click", () => {
    $("sound-wrong").textContent = "";
    $("record").hidden = !recorder.possible();
    $("cut").hidden = !last;
    $("cut").textContent = last ? `A part of ${last.name}…` : "";
    $("sound").showModal();
  });
  $("own").addEventListener("click", () => $("clip").click());
  $("clip").addEventListener("change", () => {
    const [file] = $("clip").files;
    $("clip").value = "";  // so that the same one can be chosen again
    if (file) use(file.name, file);
  });
  $("cut").addEventListener("click", async () => {
    const samples = await sound.decoded(last.file);
    if (!samples) {
      $("sound-wrong").textContent = "This browser cannot take it apart; the whole recording was searched by.";
      return;
    }
    $("sound").close();
    part.open(last.name, samples);
  });
  $("record").addEventListener("click", () => record(use));
  $("sound").addEventListener("close", () => {
    recording?.drop();
    ended();
  });
  dropped((file) => use(file.name, file));
}

function record(use) {
  if (recording) return recording.stop();
  $("sound-wrong").textContent = "";
  $("sound").classList.add("recording");
  $("record").textContent = "Stop and search";
  recording = recorder.record({
    time: (seconds, loudness) => {
      $("spoken").textContent = `Recording, ${clock(seconds)}`;
      $("loudness").value = loudness;
    },
    done: (blob) => {
      recording = null;
      use(`what I recorded at ${new Date().toLocaleTimeString("en", { timeStyle: "short" })}`, blob);
    },
    failed: (sentence) => {
      ended();
      $("sound-wrong").textContent = sentence;
    },
  });
}

function ended() {
  recording = null;
  $("sound").classList.remove("recording");
  $("record").textContent = "Record";
  $("spoken").textContent = "";
}

function dropped(use) {
  const holds = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    $("drop").hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) $("drop").hidden = true;
  });
  document.addEventListener("drop", (event) => {
    $("drop").hidden = true;
    if (!holds(event)) return;
    event.preventDefault();
    use(event.dataTransfer.files[0]);
  });
}
