// On a narrow screen the plane lies in a sheet over the results, opened by a button.

import { $ } from "./dom.js";

const narrow = matchMedia("(max-width: 56rem)");

export const isOpen = () => document.body.classList.contains("sheet");

export function close(focus = true) {
  if (!isOpen()) return;
  document.body.classList.remove("sheet");
  $("to-plane").setAttribute("aria-expanded", "false");
  if (focus) $("to-plane").focus();
}

export function install() {
  $("to-plane").addEventListener("click", () => {
    document.body.classList.add("sheet");
    $("to-plane").setAttribute("aria-expanded", "true");
    $("no-sheet").focus();
  });
  $("no-sheet").addEventListener("click", () => close());
  $("veil").addEventListener("click", () => close());
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen()) return;
    event.stopImmediatePropagation();
    close();
  }, { capture: true });
  narrow.addEventListener("change", () => close(false));
}
