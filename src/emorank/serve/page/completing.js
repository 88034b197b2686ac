// Descriptions that go on from what is written, as a list under the field: a combobox by the ARIA pattern.

import * as api from "./api.js";
import { css } from "./colour.js";
import { $, element } from "./dom.js";

const PAUSE = 80;  // milliseconds without a key
const ID = "completion-";

const known = new Map();  // what was written -> suggestions

// `ask` is called when a suggestion was taken.
export function install(ask) {
  const field = $("text"), list = $("completions");
  let later = 0, asking = null, at = -1, shown = [];

  const close = () => {
    clearTimeout(later);
    asking?.abort();
    at = -1;
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const mark = (place) => {
    at = place;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    if (at < 0) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", ID + at);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const take = (place) => {
    field.value = shown[place].text;
    close();
    ask();
  };
  const show = (suggestions) => {
    if (document.activeElement !== field || !suggestions.length) return close();
    shown = suggestions;
    const written = field.value.trimStart().toLowerCase();
    list.replaceChildren(...suggestions.map(({ text, valence, arousal }, i) => {
      const dot = element("i");
      dot.style.background = css(valence, arousal);
      const same = text.toLowerCase().startsWith(written) ? written.length : 0;
      const words = element("span", {}, text.slice(0, same), element("b", { textContent: text.slice(same) }));
      const item = element("li", { id: ID + i, role: "option" }, dot, words);
      item.addEventListener("pointerdown", (event) => event.preventDefault());  // the field keeps the focus
      item.addEventListener("click", () => take(i));
      return item;
    }));
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    mark(-1);
  };
  const look = async () => {
    const text = field.value;
    if (known.has(text)) return show(known.get(text));
    const mine = asking = new AbortController();
    try {
      const { suggestions } = await api.suggestions(text, mine.signal);
      known.set(text, suggestions);
      if (mine === asking && text === field.value) show(suggestions);
    } catch {
      // Nothing is suggested then; the search itself says what is wrong.
    }
  };

  field.addEventListener("input", (event) => {
    clearTimeout(later);
    asking?.abort();
    if (!field.value.trim() || event.isComposing) return close();
    later = setTimeout(look, PAUSE);  // what is shown stays meanwhile
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const { key } = event, many = shown.length;
    if (list.hidden) {
      if (key === "Enter") close();  // nothing that is still on its way opens over the results
      else if (key === "ArrowDown" && field.value.trim()) look();
      return;
    }
    if (key === "ArrowDown") mark(at + 1 < many ? at + 1 : -1);
    else if (key === "ArrowUp") mark(at < 0 ? many - 1 : at - 1);
    else if (key === "Escape") close();
    else if (key === "Enter" && at >= 0) take(at);
    else {
      if (key === "Enter" || key === "Tab") close();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  field.addEventListener("blur", close);
}
