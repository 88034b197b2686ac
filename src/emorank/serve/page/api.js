// The server, and its refusals as errors with a sentence for people.

export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

async function asked(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "gone", "The server does not answer. Is emorank serve still running?");
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => null);
  throw new Refusal(response.status, said?.error?.code ?? "unknown",
    said?.error?.message ?? `The server answered with status ${response.status}.`);
}

const json = async (path, options) => (await asked(path, options)).json();

export const about = () => json("/api/index");
export const waveform = (id) => json(`/api/segments/${id}/waveform`);
export const timeline = (id) => json(`/api/segments/${id}/timeline`);
export const audio = (id) => `/api/segments/${id}/audio`;

export const search = (body, signal) => json("/api/search", {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
});

export function searchClip(file, { where, group, offset, top }, signal) {
  const query = new URLSearchParams({ group, offset, top });
  if (where) query.set("where", where);
  return json(`/api/search/clip?${query}`, {
    method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file, signal,
  });
}

// Valence and arousal of every segment, 1 to 7, one after the other, and the version of the index.
export async function plane() {
  const response = await asked("/api/plane");
  const raw = new DataView(await response.arrayBuffer());
  const values = new Float32Array(raw.byteLength / 2);
  for (let i = 0; i < values.length; i++) values[i] = 1 + 6 * raw.getUint16(2 * i, true) / 65535;
  return { values, version: Number(response.headers.get("X-Index-Version")) };
}

// Why a recording cannot be played.
export async function whyNotPlayed(id) {
  try {
    await asked(audio(id), { headers: { Range: "bytes=0-0" } });
    return "This browser cannot play the recording.";
  } catch (refusal) {
    return refusal.message;
  }
}
