// Fields for what the index can be filtered by: a choice for text with few values, a least value for numbers.

import { element } from "./cards.js";

// Of the index's own columns only duration and loudness have a field: a place is what the plane is for.
const WITHOUT = new Set(["path", "file", "start", "end", "valence", "arousal", "dominance"]);

// `chosen` is called with a column ("min NAME" for numbers) and its value, "" for none.
export function fill(place, columns, chosen) {
  const fields = columns.filter(({ name, kind, values }) => !WITHOUT.has(name) && (kind === "number" || values?.length))
    .map(({ name, kind, values, low, high }) => {
      let field;
      if (kind === "number") {
        field = element("input", { type: "number", step: "any", placeholder: low === null ? "" : `${low} to ${high}` });
        field.dataset.column = `min ${name}`;
      } else {
        field = element("select", {}, element("option", { value: "", textContent: "any" }),
          ...values.map((value) => element("option", { value, textContent: value })));
        field.dataset.column = name;
      }
      field.addEventListener("change", () => chosen(field.dataset.column, field.value));
      return element("label", {}, kind === "number" ? `${name}, at least` : name, field);
    });
  place.replaceChildren(...fields);
}
