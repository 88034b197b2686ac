// The list of the indexes that a server has.

import * as api from "./api.js";
import { $, count, element, long } from "./dom.js";

async function show() {
  try {
    const indexes = await api.indexes();
    $("indexes").replaceChildren(...indexes.map((index) => element("li", {},
      element("a", { href: index.path, textContent: index.name }),
      element("p", { className: "quiet", textContent:
        `${count(index.recordings, "recording")}, ${count(index.segments, "moment")}, ${long(index.seconds)} of speech` }),
      element("p", { className: "quiet", textContent: `Model ${index.model}: ${index.dimensions.join(", ")}` }))));
    $("both").hidden = false;
    $("failed").textContent = "";
  } catch (refusal) {
    $("failed").textContent = refusal.message;
  }
}

show();
