// What there is to say of the words of a search: hints with what to try, how well the best fit, where the answer comes from.

import { css } from "./colour.js";
import { $, button, element } from "./dom.js";

const FITS = {
  well: ["fits well", "The best come as close to the description as recordings come to descriptions like it."],
  partly: ["fits partly", "The best come less close to the description than recordings usually come to descriptions like it."],
  little: ["little here fits", "Hardly anything here is like the description; these are the least far from it."],
  unknown: ["says little about a voice", "The model hardly understands the description; the order may mean nothing."],
};

const dot = (place) => {
  const made = element("i");
  made.style.background = css(place.valence, place.arousal);
  return made;
};

// `caution` is what there is to say of the clip; `change` searches for something else.
export function hints({ hints: list, caution }, state, change) {
  $("hint").textContent = [caution, ...list.map(({ sentence }) => sentence)].filter(Boolean).join(" ");
  const rest = (text) => state.texts.filter((one) => one !== text);
  $("instead").replaceChildren(...list.flatMap(({ kind, text, suggestions, wanted, unwanted }) => {
    if (kind === "negated" && state.texts.includes(text)) {
      const part = { texts: [wanted, ...rest(text)].filter(Boolean), nots: [...new Set([...state.nots, unwanted])] };
      return [button(wanted ? `${wanted}, but not ${unwanted}` : `anything but ${unwanted}`, () => change(part))];
    }
    const name = state.texts.includes(text) ? "texts" : "nots";
    const others = state[name].filter((one) => one !== text);
    return suggestions.map((one) => button(one, () => change({ [name]: [one, ...others] })));
  }).map((made) => element("li", {}, made)));
}

// How well the best fit at all; `answer` is null where nothing was asked.
export function fit(answer) {
  const word = answer?.hints.some(({ kind }) => kind === "unknown") ? "unknown" : answer?.fit;
  const [text, title] = FITS[word] ?? ["", ""];
  Object.assign($("fit"), { textContent: text, title, className: word ?? "" });
  document.body.classList.toggle("unsure", word === "little" || word === "unknown");
}

// Where an answer comes from, asked for by `ask` when it is unfolded, which is null where nothing is described; `called`
// gives the name of a clip.
export function why(ask, called) {
  const box = $("why");
  box.hidden = !ask;
  box.open = false;
  box.ontoggle = async () => {
    if (!box.open) return;
    const inside = $("origins");
    inside.replaceChildren(element("p", { className: "quiet", textContent: "…" }));
    try {
      const { why: { descriptions, clips, found: place } } = await ask();
      const sounds = clips.map((clip) => sound(clip, called(clip.id)));
      inside.replaceChildren(...sounds, ...descriptions.map(origin), ...(place ? [found(place)] : []));
    } catch (refusal) {
      inside.replaceChildren(element("p", { className: "wrong", textContent: refusal.message }));
    }
  };
}

function origin({ text, nearest, place }) {
  const made = element("section", {}, element("p", {}, `“${text}” `, ...(place ? ["asks for ", at(place)] : [])));
  if (!nearest.length) return element("section", {}, element("p", { textContent: `Nothing is known of “${text}” for this model.` }));
  made.append(...learnt("It is nearest to these descriptions that the model learnt from:", nearest));
  return made;
}

function sound({ nearest, place }, name) {
  const made = element("section", {}, element("p", {}, `“${name}” lies at `, at(place)));
  if (nearest.length) made.append(...learnt("Of the descriptions that the model learnt from, it sounds most like these:", nearest));
  return made;
}

const learnt = (sentence, captions) => [
  element("p", { className: "quiet", textContent: sentence }),
  element("ul", {}, ...captions.map((one) => element("li", { title: `Cosine ${one.cosine}` }, dot(one), one.text))),
];

const found = (place) => element("p", {}, "What was found lies, on average, at ", at(place));

function at(place) {
  const known = ["valence", "arousal", "dominance"].filter((name) => place[name] !== null);
  return element("span", { className: "at" }, dot(place), known.map((name) => `${name} ${place[name].toFixed(1)}`).join(", "));
}
