// The server, and its refusals as errors with a sentence for people. Addresses are relative to this file: the server may
// lie under any path, and its pages under paths of their own.

const at = (path) => new URL(`../${path}`, import.meta.url).href;

export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }

  // Whether the same may work later: the server was away, busy or failed.
  get passing() { return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500; }
}

// What the server says is for programs as well; these are for the person at the page.
const SENTENCES = {
  401: "This server asks for a token. Open the whole address that emorank serve printed, with its ?token=…",
  429: "The server has much to do right now. Wait a few seconds and try again.",
  503: "The server has much to do right now. Wait a few seconds and try again.",
};

async function asked(path, options) {
  let response;
  try {
    response = await fetch(at(path), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "gone", "The server does not answer. Is emorank serve still running?");
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => null);
  throw new Refusal(response.status, said?.error?.code ?? "unknown",
    SENTENCES[response.status] ?? said?.error?.message ?? `The server answered with status ${response.status}.`);
}

const json = async (path, options) => (await asked(path, options)).json();

export const health = () => json("api/health");
export const about = () => json("api/index");
export const segment = (id) => json(`api/segments/${id}`);
export const waveform = (id) => json(`api/segments/${id}/waveform`);
export const recording = (id) => json(`api/recordings/${id}`);
export const course = (id, part) => json(`api/recordings/${id}/course?${new URLSearchParams(part)}`);
export const moments = (id, part) => json(`api/recordings/${id}/segments?${new URLSearchParams(part)}`);
// `under` leads to the index that has the segment, where the page is not its own.
export const audio = (id, under = "") => at(`${under}api/segments/${id}/audio`);

const posted = (body, signal) => ({
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
});

export const search = (body, signal) => json("api/search", posted(body, signal));

export const collection = (name, offset, limit) => json(`api/collections/${encodeURIComponent(name)}?offset=${offset}&limit=${limit}`);
export const describe = (name, said) => json(`api/collections/${encodeURIComponent(name)}`, { ...posted(said), method: "PUT" });
export const remove = (name) => asked(`api/collections/${encodeURIComponent(name)}`, { method: "DELETE" });
export const label = (name, ids, said) => json(`api/collections/${encodeURIComponent(name)}/labels`, posted({ ids, ...said }));
export const updating = () => json("api/update");
export const update = (folders) => json("api/update", posted({ folders }));
export const updates = () => new EventSource(at("api/update/events"));

// Of a server of several indexes.
export const indexes = () => json("api/indexes");
export const compare = (body, signal) => json("api/compare", posted(body, signal));

export const suggestions = (text, signal) => json(`api/suggestions?${new URLSearchParams({ text })}`, { signal });

export function searchClip(file, asked, signal) {
  return json(`api/search/clip?${new URLSearchParams({ asked: JSON.stringify(asked) })}`, {
    method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file, signal,
  });
}

// A file that the server names, whole.
async function file(path, options) {
  const response = await asked(path, options);
  const [, name] = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get("Content-Disposition"));
  try {
    return { name: decodeURIComponent(name), blob: await response.blob() };
  } catch {
    throw new Refusal(0, "broken", "The download broke off before its end. Try again.");
  }
}

export const clipOf = (id) => at(`api/segments/${id}/clip?pad=0.3&format=wav`);
export const clip = (id) => file(`api/segments/${id}/clip?pad=0.3&format=wav`);
export const clips = (ids, options = {}) => file("api/clips", posted({ ids, ...options }));
export const list = (ids, format) => file("api/lists", posted({ ids, format }));
export const collections = () => json("api/collections");
export const collect = (name, ids) => json(`api/collections/${encodeURIComponent(name)}/add`, posted({ ids }));

export const facets = (filters) => json("api/facets", posted(filters));
export const histograms = (grouped) => json("api/histograms", posted(grouped));
export const searches = () => json("api/searches");
export const saveSearch = (name, search) =>
  json(`api/searches/${encodeURIComponent(name)}`, { ...posted(search), method: "PUT" });
export const forgetSearch = (name) => asked(`api/searches/${encodeURIComponent(name)}`, { method: "DELETE" });
export const dot = (row, version) => json(`api/plane/${row}?version=${version}`);
export const colours = (by) => json(`api/plane/colours?${new URLSearchParams({ by })}`);
export const codes = async (by) =>
  new Uint8Array(await (await asked(`api/plane/codes?${new URLSearchParams({ by })}`)).arrayBuffer());

// Which segments pass filters: 1 for each of `many` rows that does.
export async function passing(filters, many) {
  const bits = new Uint8Array(await (await asked("api/plane", posted(filters))).arrayBuffer());
  return Uint8Array.from({ length: many }, (_, row) => bits[row >> 3] >> 7 - (row & 7) & 1);
}

// The plane as it is sent, valence and arousal in turn as 0..65535, and the version of the index.
export async function plane() {
  const response = await asked("api/plane");
  const bytes = await response.arrayBuffer();
  let values = new Uint16Array(bytes);
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 0) {  // a big-endian machine
    const view = new DataView(bytes);
    values = values.map((_, i) => view.getUint16(2 * i, true));
  }
  return { values, version: Number(response.headers.get("X-Index-Version")) };
}

// How a part of a recording looks: its peaks, the levels of its spectrum, up to which second they are known, and how long
// the recording is, once that is known.
export async function sound(id, part) {
  const response = await asked(`api/recordings/${id}/sound?${new URLSearchParams(part)}`);
  const bytes = await response.arrayBuffer();
  const view = new DataView(bytes);
  const peaks = Int16Array.from({ length: 2 * part.bins }, (_, i) => view.getInt16(2 * i, true));
  const seconds = response.headers.get("X-Seconds");
  return {
    peaks, bands: new Uint8Array(bytes, 4 * part.bins),
    ready: Number(response.headers.get("X-Ready")), seconds: seconds === null ? null : Number(seconds),
  };
}

// Why a recording cannot be played; an <audio> does not say.
export async function whyNotPlayed(id, under = "") {
  try {
    await asked(`${under}api/segments/${id}/audio`, { headers: { Range: "bytes=0-0" } });
    return "This browser cannot play the recording.";
  } catch (refusal) {
    return refusal.message;
  }
}
