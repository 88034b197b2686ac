// The dialog that asks to which collection the selection goes; a new name makes a new one.

import * as api from "./api.js";
import { $, count, element } from "./dom.js";

const LONGEST = 64;  // characters
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}_ .-]*$/u;  // as the API has it

export async function open(many) {
  $("collection-title").textContent = `Add ${count(many, "moment")} to a collection`;
  wrong("");
  $("collection").showModal();
  $("collection-name").select();
  try {
    const kept = await api.collections();
    $("collections").replaceChildren(...kept.map(({ name, moments }) =>
      element("option", { value: name, label: count(moments, "moment") })));
  } catch (refusal) {
    wrong(refusal.message);
  }
}

function wrong(sentence) {
  $("collection-wrong").textContent = sentence;
  $("collection-name").ariaInvalid = String(Boolean(sentence));
}

// `chosen(name)` is called when a name was written.
export function install(chosen) {
  $("collection-name").addEventListener("input", () => wrong(""));
  $("collecting").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = $("collection-name").value.trim();
    if (!name) return wrong("Write a name, or choose one that is there.");
    if (name.length > LONGEST || !NAME.test(name)) {
      return wrong(`A name is made of letters, digits, spaces and . _ -, begins with a letter or digit, and has at most ${LONGEST} characters.`);
    }
    $("collection").close();
    return chosen(name);
  });
}
