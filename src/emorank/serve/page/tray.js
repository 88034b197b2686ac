// The tray at the bottom while something is selected: what it is, and where it can go.

import * as api from "./api.js";
import * as collecting from "./collecting.js";
import { $, count, length, save } from "./dom.js";
import * as selection from "./selection.js";

const NAMED = 5;  // moments that are named where some were dropped
const NEEDS = {  // what a token must allow, and how that is called
  zip: [["listen", "export"], "download clips together"],
  list: [["export"], "download lists"],
  collect: [["collect"], "change collections"],
};

const either = new Intl.ListFormat("en", { type: "disjunction" });

let may = { scopes: null, taken: Infinity };  // what the server allows, as far as it is known
let busy = false;

const ids = () => selection.all().map(({ id }) => id);
const gone = (id) => api.segment(id).then(() => false, ({ status }) => status === 404);

export function say(sentence, wrong = false) {
  $("told").textContent = wrong ? "" : sentence;
  $("failed").textContent = wrong ? sentence : "";
  show();
}

// The index as it is now, with what may be done with it.
export async function allow({ name, index_version: version, scopes, limits }) {
  may = { scopes, taken: limits.taken };
  tell(await selection.open(name, version, gone));
  show();
}

function tell(dropped, then = "") {
  if (!dropped.length) return;
  const more = dropped.length > NAMED ? ` and ${dropped.length - NAMED} more` : "";
  const are = dropped.length === 1 ? "is" : "are";
  say(`No longer in the index, so no longer selected, ${are}: ${dropped.slice(0, NAMED).map(selection.called).join(", ")}${more}.${then}`);
}

// Do one thing at a time with what is selected; `work(ids)` gives what is said when it is done.
async function take(button, begun, work) {
  if (busy || $(button).ariaDisabled === "true") return;
  busy = true;
  say(begun);
  try {
    say(await work(ids()));
  } catch (refusal) {
    say(refusal.message, true);
    if (refusal.status === 404) tell(await selection.drop(gone), " Nothing was done yet with the others.");
  } finally {
    busy = false;
    show();
  }
}

function show() {
  const list = selection.all();
  const said = Boolean($("told").textContent || $("failed").textContent);
  $("tray").hidden = !list.length && !said;
  $("chosen").hidden = !list.length;
  $("clear").textContent = list.length ? "Clear" : "Close";
  $("tray").classList.toggle("empty", !list.length);
  $("many").textContent = `${list.length.toLocaleString("en")} selected`;
  $("long").textContent = length(list.reduce((sum, { seconds }) => sum + seconds, 0));
  const lacking = (id) => Boolean(may.scopes) && !NEEDS[id][0].every((scope) => may.scopes.includes(scope));
  const over = list.length - may.taken;
  for (const id of Object.keys(NEEDS)) $(id).ariaDisabled = String(busy || over > 0 || lacking(id));
  const refused = Object.keys(NEEDS).filter(lacking).map((id) => NEEDS[id][1]);
  $("hindered").textContent = [
    over > 0 ? `At most ${may.taken} can be taken out at once: take ${count(over, "moment")} out of the selection first.` : "",
    refused.length ? `Your token does not allow to ${either.format(refused)}.` : "",
  ].filter(Boolean).join(" ");
}

function unfold(yes) {
  $("unfold").ariaExpanded = String(yes);
  $("tray").classList.toggle("open", yes);
}

export const focus = () => { if (!$("tray").hidden) $("clear").focus(); };

export function install() {
  $("clear").addEventListener("click", () => {
    selection.clear();
    unfold(false);
    ($("all").checkVisibility() ? $("all") : $("text")).focus({ preventScroll: true });
  });
  $("unfold").addEventListener("click", () => unfold($("unfold").ariaExpanded !== "true"));
  $("zip").addEventListener("click", () => take("zip", `Cutting ${count(selection.all().length, "clip")}…`, async (list) => {
    save(await api.clips(list));
    return "The zip is downloaded. If a clip could not be cut, its skipped.txt says why.";
  }));
  $("list").addEventListener("click", () => take("list", "Writing the list…", async (list) => {
    const format = $("format").value;
    if (format === "datasets") {  // a folder of clips, without what is around them
      save(await api.clips(list, { lists: [format], pad: 0 }));
      return "The folder is downloaded as a zip: clips with metadata.csv.";
    }
    save(await api.list(list, format));
    return "The list is downloaded.";
  }));
  $("collect").addEventListener("click", () => {
    if (busy || $("collect").ariaDisabled === "true") return;
    collecting.open(selection.all().length);
  });
  collecting.install((name) => take("collect", `Adding to “${name}”…`, async (list) => {
    const { moments } = await api.collect(name, list);
    return `Added to the collection “${name}”, which holds ${count(moments, "moment")} now.`;
  }));
  document.addEventListener("selection", () => busy ? show() : say(""));
}
