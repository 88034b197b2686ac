// Values of columns in words.

const UNITS = { duration: "s", speech: "s", start: "s", end: "s", loudness: "dB" };

export const unit = (column) => UNITS[column] ?? "";

export const whole = (x) => x === null ? "?" : x.toFixed(1);

// How a value is called, alone.
export function called(column, value) {
  if (value === null) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (column === "channel") return `channel ${value}`;
  if (typeof value === "number") return `${Math.round(value * 100) / 100}${unit(column) && ` ${unit(column)}`}`;
  return value === "" ? "“”" : value;
}

// How a column is called.
export const heading = (column) => column === "path" ? "recording" : column.replace(/^label_/, "rated ").replaceAll("_", " ");
