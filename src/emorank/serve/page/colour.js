// A colour for every place on the plane, mixed from one for each corner, so that a dot, a card and a cloud of the same
// place look the same. Mixed in OKLab, where equal steps look equal; towards the middle the colours fade to grey.

export const LOW = 1, HIGH = 7;

const STRONG = 1.9;  // so far from the middle a colour is full
const CORNERS = {  // lightness, chroma, hue in degrees
  light: { tense: [0.57, 0.2, 22], excited: [0.74, 0.17, 72], sad: [0.5, 0.17, 282], calm: [0.63, 0.13, 168] },
  dark: { tense: [0.68, 0.19, 22], excited: [0.82, 0.16, 78], sad: [0.68, 0.15, 282], calm: [0.76, 0.13, 168] },
};

const lab = ([lightness, chroma, hue]) =>
  [lightness, chroma * Math.cos(hue * Math.PI / 180), chroma * Math.sin(hue * Math.PI / 180)];
const LAB = Object.fromEntries(Object.entries(CORNERS).map(([theme, corners]) =>
  [theme, Object.fromEntries(Object.entries(corners).map(([name, lch]) => [name, lab(lch)]))]));

const cube = (x) => x * x * x;
const gamma = (x) => Math.round(255 * Math.max(0, Math.min(1, x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055)));

function rgb([lightness, a, b]) {
  const l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  const m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  const s = cube(lightness - 0.0894841775 * a - 1.291485548 * b);
  return [
    gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    gamma(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

// Lightness, chroma, hue in degrees -> [red, green, blue].
export const oklch = (lch) => rgb(lab(lch));

export const isDark = () => document.documentElement.dataset.theme === "dark";

// [red, green, blue], each 0 to 255.
export function colour(valence, arousal, dark = isDark()) {
  const middle = (LOW + HIGH) / 2;  // and the colour of what a model does not know
  const share = (x) => (Math.max(-1, Math.min(1, ((x ?? middle) - middle) / STRONG)) + 1) / 2;
  const across = share(valence), up = share(arousal);
  const { tense, excited, sad, calm } = LAB[dark ? "dark" : "light"];
  return rgb([0, 1, 2].map((i) =>
    (1 - across) * (up * tense[i] + (1 - up) * sad[i]) + across * (up * excited[i] + (1 - up) * calm[i])));
}

export const css = (valence, arousal) => `rgb(${colour(valence, arousal).join(" ")})`;
