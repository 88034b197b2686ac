// A colour for every place on the plane: its angle is the hue, its distance from the middle the strength.

const cube = (x) => x * x * x;
const gamma = (x) => Math.max(0, Math.min(1, x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055));

// OKLCH -> sRGB, each 0 to 1.
function rgb(lightness, chroma, hue) {
  const a = chroma * Math.cos(hue), b = chroma * Math.sin(hue);
  const l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  const m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  const s = cube(lightness - 0.0894841775 * a - 1.291485548 * b);
  return [
    gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    gamma(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

export const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

export function colour(valence, arousal, dark = isDark()) {
  const x = valence - 4, y = arousal - 4;
  const hue = Math.PI * 0.42 - Math.atan2(x, y) * -0.9;  // tense is red, excited amber, calm green, tired blue
  const strength = Math.min(1, Math.hypot(x, y) / 2.2);
  return rgb(dark ? 0.76 : 0.6, 0.04 + 0.13 * strength, hue).map((part) => Math.round(255 * part));
}

export const css = (valence, arousal) => `rgb(${colour(valence, arousal).join(" ")})`;
