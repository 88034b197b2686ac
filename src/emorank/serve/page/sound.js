// Sound of one's own: decoded to what the model hears, mono at 16 kHz, and written as a small WAV.

const RATE = 16_000;
const LARGEST = 200 * 2 ** 20;  // bytes of a file that is decoded here

// Float32Array; null where this browser cannot decode it.
export async function decoded(file) {
  if (file.size > LARGEST) return null;
  const context = new OfflineAudioContext(1, 1, RATE);
  let buffer;
  try {
    buffer = await context.decodeAudioData(await file.arrayBuffer());
  } catch {
    return null;
  }
  const mono = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    const samples = buffer.getChannelData(channel);
    for (let i = 0; i < mono.length; i++) mono[i] += samples[i] / buffer.numberOfChannels;
  }
  return mono;
}

export const seconds = (samples) => samples.length / RATE;

export const part = (samples, from, to) => samples.subarray(Math.round(from * RATE), Math.round(to * RATE));

export function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const word = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  for (let i = 0; i < samples.length; i++) view.setInt16(44 + 2 * i, 32767 * Math.max(-1, Math.min(1, samples[i])), true);
  return new Blob([view], { type: "audio/wav" });
}

// The highest sample of each of some stretches.
export function peaks(samples, many) {
  return Array.from({ length: many }, (_, i) => {
    let most = 0;
    const end = Math.floor((i + 1) * samples.length / many);
    const step = Math.max(1, Math.floor((end - i * samples.length / many) / 400));
    for (let at = Math.floor(i * samples.length / many); at < end; at += step) most = Math.max(most, Math.abs(samples[at]));
    return most;
  });
}
