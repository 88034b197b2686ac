// The button that copies the address.

import { $ } from "./dom.js";

export function share() {
  $("share").addEventListener("click", async () => {
    const label = $("share").querySelector("span");
    try {
      await navigator.clipboard.writeText(location.href);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Copy the address above";  // the clipboard is closed to pages that are not on https or localhost
    }
    setTimeout(() => { label.textContent = "Copy link"; }, 1800);
  });
}
