// Small things for the document. Text from the server goes in as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function button(text, act, properties = {}) {
  const made = element("button", { type: "button", textContent: text, ...properties });
  made.addEventListener("click", act);
  return made;
}

// Seconds -> 1:02.5, and 1:00:02.5 from an hour on.
export function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const two = (x) => String(x).padStart(2, "0");
  const hours = Math.floor(tenths / 36000), minutes = Math.floor(tenths / 600) % 60;
  const rest = `${two(Math.floor(tenths / 10) % 60)}.${tenths % 10}`;
  return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

// Seconds -> 1:02, and 1:00:02 from an hour on.
export const length = (seconds) => clock(Math.round(seconds)).slice(0, -2);

// Give a file to the person, as a download.
export function save({ name, blob }) {
  const href = URL.createObjectURL(blob);
  element("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);  // the browser has begun to write it by then
}

// Seconds in words: 12 minutes, 3.4 hours.
export function long(seconds) {
  if (seconds >= 3600) return count(Math.round(seconds / 360) / 10, "hour");
  return seconds >= 60 ? count(Math.round(seconds / 60), "minute") : count(Math.round(seconds), "second");
}

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

// A canvas as large as it is shown, in sharp pixels, or in those of another ratio; null while it is not shown.
export function sharp(canvas, ratio = devicePixelRatio || 1) {
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return null;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height, ratio };
}

export const tint = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
