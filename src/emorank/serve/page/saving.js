// Searches that are kept in the index: save this one under a name, open or delete another.

import * as api from "./api.js";
import { $, button, element } from "./dom.js";

const LONGEST = 64;  // characters
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}_ .-]*$/u;  // as the API has it

let now, opens, allowed = true;

// `current()` is what is asked, as the API has it, or null; `open(search)` asks it again.
export function install(current, open) {
  [now, opens] = [current, open];
  $("keep").addEventListener("click", async () => {
    wrong("");
    $("searches").showModal();
    $("search-keeping").hidden = !allowed || !now();
    await list();
  });
  $("search-keeping").addEventListener("submit", (event) => {
    event.preventDefault();
    save($("search-name").value.trim());
  });
  $("search-name").addEventListener("input", () => wrong(""));
}

export const allow = ({ scopes }) => { allowed = scopes.includes("collect"); };

function wrong(sentence) {
  $("search-wrong").textContent = sentence;
  $("search-name").ariaInvalid = String(Boolean(sentence));
}

async function save(name) {
  if (!name) return wrong("Write a name.");
  if (name.length > LONGEST || !NAME.test(name)) {
    return wrong(`A name is made of letters, digits, spaces and . _ -, begins with a letter or digit, and has at most ${LONGEST} characters.`);
  }
  return done(async () => {
    await api.saveSearch(name, now());
    $("search-name").value = "";
  });
}

async function done(act) {
  try {
    await act();
    wrong("");
  } catch (refusal) {
    return wrong(refusal.message);
  }
  return list();
}

async function list() {
  try {
    const kept = await api.searches();
    $("kept-searches").replaceChildren(...kept.map(({ name, search }) => {
      const open = button(name, () => {
        $("searches").close();
        opens(search);
      }, { className: "opens" });
      const drop = button("Delete", () => done(() => api.forgetSearch(name)), { className: "plain", hidden: !allowed });
      drop.setAttribute("aria-label", `Delete ${name}`);
      return element("li", {}, open, element("span", { className: "quiet", textContent: words(search) }), drop);
    }));
    $("none-kept").hidden = kept.length > 0;
  } catch (refusal) {
    wrong(refusal.message);
  }
}

function words({ texts, likes, near, region, where, choices, sort }) {
  const parts = texts.map(({ text, weight }) => weight < 0 ? `not “${text}”` : `“${text}”`);
  if (likes.length) parts.push("like a moment");
  if (near || region) parts.push("a place");
  if (where || choices.length) parts.push("filters");
  if (sort !== "fit") parts.push(`by ${sort}`);
  return parts.join(", ");
}
