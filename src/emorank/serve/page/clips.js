// Searching by a recording of one's own: chosen, or dropped anywhere on the page.
// It never gets into the address; back and forward find it as long as the page is open.

import { $ } from "./dom.js";

const kept = [];

export const numberOf = (file) => kept.includes(file) ? kept.indexOf(file) : kept.push(file) - 1;
export const byNumber = (number) => kept[number] ?? null;

export function install(chosen) {
  $("choose").addEventListener("click", () => $("clip").click());
  $("clip").addEventListener("change", () => {
    const [file] = $("clip").files;
    $("clip").value = "";  // so that the same one can be chosen again
    if (file) chosen(file);
  });
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
    chosen(event.dataTransfer.files[0]);
  });
}
