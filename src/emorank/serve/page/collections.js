// The collections of the index: what they hold can be selected, and they can be named, noted and deleted.

import * as api from "./api.js";
import { $, button, count, element } from "./dom.js";
import * as selection from "./selection.js";

const PAGE = 200;  // moments of one answer

let may = false;

export function allow({ scopes }) {
  may = scopes.includes("collect");
}

async function done(work, sentence) {
  $("kept-wrong").textContent = $("kept-said").textContent = "";
  try {
    await work();
    await show();
    $("kept-said").textContent = sentence;
  } catch (refusal) {
    $("kept-wrong").textContent = refusal.message;
  }
}

async function select({ name, missing }) {
  $("kept-wrong").textContent = $("kept-said").textContent = "";
  try {
    const hits = [];
    for (;;) {
      const { members } = await api.collection(name, hits.length, PAGE);
      hits.push(...members.map(({ segment }) => segment));
      if (members.length < PAGE) break;
    }
    selection.set(hits, true);
    const lost = missing ? `; ${count(missing, "moment")} of it ${missing === 1 ? "is" : "are"} not in the index now` : "";
    $("kept-said").textContent = `${count(hits.length, "moment")} of “${name}” selected${lost}.`;
  } catch (refusal) {
    $("kept-wrong").textContent = refusal.message;
  }
}

function item(one) {
  const { name, note, moments, labelled } = one;
  const made = element("li", {}, element("h3", { textContent: name }), element("p", { className: "quiet", textContent:
    [count(moments, "moment"), labelled && `${labelled.toLocaleString("en")} labelled`, one.tags.join(", "), note].filter(Boolean).join(" · ") }));
  const row = element("div", { className: "row" }, button("Select its moments", () => select(one), { disabled: moments === 0 }));
  if (may) {
    const change = element("form", { hidden: true },
      element("label", { textContent: "Name " }, element("input", { name: "name", value: name, maxLength: 64, required: true })),
      element("label", { textContent: "Note " }, element("input", { name: "note", value: note, maxLength: 2000 })),
      element("button", { type: "submit", textContent: "Save" }));
    change.addEventListener("submit", (event) => {
      event.preventDefault();
      const fields = new FormData(change);
      done(() => api.describe(name, { name: fields.get("name").trim(), note: fields.get("note") }), "Saved.");
    });
    const gone = button("Delete", () => {
      if (gone.textContent === "Delete") gone.textContent = "Delete it for good";  // asked once more, as labels go with it
      else done(() => api.remove(name), `“${name}” is deleted; the recordings are as they were.`);
    });
    row.append(button("Change", () => {
      change.hidden = !change.hidden;
      if (!change.hidden) change.elements.name.select();
    }), gone);
    made.append(row, change);
  } else {
    made.append(row);
  }
  return made;
}

async function show() {
  const known = await api.collections();
  $("kept").replaceChildren(...known.map(item));
  $("kept-none").hidden = known.length > 0;
}

export function install() {
  $("keeping").addEventListener("click", () => {
    $("collected").showModal();
    done(async () => {}, "");
  });
}
