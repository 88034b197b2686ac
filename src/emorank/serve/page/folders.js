// The folders that the index follows: more can be added, and an update is watched while it runs.

import * as api from "./api.js";
import { $, count, element, length } from "./dom.js";

let events = null;

export function allow({ scopes }) {
  $("folders").hidden = !scopes.includes("index");
}

// What an update has heard so far, or what it did.
function words(note) {
  const { state, seconds, speed, left, skipped } = note;
  const also = skipped ? `${skipped.toLocaleString("en")} skipped` : "";
  if (state === "running" && !note.total) return "Looking for recordings…";
  if (state === "running") {
    return [`${length(seconds)} of speech heard`, speed && `${speed.toPrecision(2) / 1}× real time`, left !== null && `about ${length(left)} left`, also]
      .filter(Boolean).join(", ");
  }
  if (state !== "done") return "";
  const parts = [["added", note.added], ["changed", note.changed], ["removed", note.removed]]
    .filter(([, many]) => many).map(([what, many]) => `${many.toLocaleString("en")} ${what}`);
  const absent = note.absent.length ? ` Not there now, and kept as they were: ${note.absent.join(", ")}.` : "";
  const missing = note.missing ? ` ${count(note.missing, "recording")} of folders that are empty now stay.` : "";
  return `${[parts.join(", ") || "Nothing has changed", also].filter(Boolean).join(", ")}.${absent}${missing}`;
}

function show(note) {
  const running = note.state === "running";
  $("followed").replaceChildren(...note.folders.map((textContent) => element("li", { textContent })));
  $("heard").hidden = !running;
  if (running && note.total) $("heard").value = note.part;
  else $("heard").removeAttribute("value");
  $("heard-so-far").textContent = words(note);
  $("unheard").replaceChildren(...note.broken.map(({ path, reason }) => element("li", { textContent: `${path}: ${reason}` })));
  $("adding-wrong").textContent = note.message ?? "";
  for (const button of [$("renew"), $("adding").querySelector("button")]) button.disabled = running;
}

function watch() {
  events?.close();
  events = api.updates();
  events.onmessage = ({ data }) => {
    const note = JSON.parse(data);
    show(note);
    if (note.state === "running") return;
    events.close();
    document.dispatchEvent(new Event("updated"));
  };
  events.onerror = () => {
    if (events.readyState !== EventSource.CLOSED) return;  // it tries again by itself
    $("heard").hidden = true;
    $("adding-wrong").textContent = "The server does not answer. The update goes on without it.";
  };
}

async function begin(folders) {
  $("adding-wrong").textContent = "";
  try {
    show(await api.update(folders));
    $("adding-path").value = "";
    watch();
  } catch (refusal) {
    $("adding-wrong").textContent = refusal.message;
  }
}

export function install() {
  $("folders").addEventListener("click", async () => {
    $("following").showModal();
    try {
      const note = await api.updating();
      show(note);
      if (note.state === "running") watch();
    } catch (refusal) {
      $("adding-wrong").textContent = refusal.message;
    }
  });
  $("following").addEventListener("close", () => events?.close());
  $("adding").addEventListener("submit", (event) => {
    event.preventDefault();
    const folder = $("adding-path").value.trim();
    if (folder) begin([folder]);
    else $("adding-path").focus();
  });
  $("renew").addEventListener("click", () => begin([]));
}
