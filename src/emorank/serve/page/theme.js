// Light or dark, before the first paint: what was chosen here earlier, else what the system prefers.
// No module, because a module runs only after the page was shown.

(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    // Storage can be forbidden; the system's preference is left.
  }
  const apply = (theme) => {
    document.documentElement.dataset.theme = theme;
    document.dispatchEvent(new Event("theme"));
  };
  const now = () => chosen ?? (system.matches ? "dark" : "light");
  apply(now());
  system.addEventListener("change", () => apply(now()));
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const name = () => button.setAttribute("aria-label", `Change to ${now() === "dark" ? "light" : "dark"} colours`);
    name();
    button.addEventListener("click", () => {
      chosen = now() === "dark" ? "light" : "dark";
      try {
        localStorage.setItem("theme", chosen);
      } catch {
        // It then holds until the page is left.
      }
      name();
      apply(chosen);
    });
  });
})();
