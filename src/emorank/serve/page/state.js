// What is searched for, and how it is written into the address, so that a search can be shared.

// As the command line weighs what is not wanted: a whole -1 drowns what is wanted.
const NOT = -0.5;

export const empty = () => ({
  texts: [], nots: [], likes: [], unlikes: [], near: null, region: null, where: "", picks: [], group: "", sort: "fit", order: "",
});

const BEST = 200;  // of what is described, another order is of so many that fit best

const inside = (x) => x >= 1 && x <= 7;

function numbers(text, count) {
  const values = text ? text.split(",").map(Number) : [];
  return values.length === count && values.every(Number.isFinite) ? values : null;
}

// A pick is a choice in the filter form: eq:speaker:ann, is:intense:true, no:speaker:1 for none, min:duration:3,
// max:duration:8, from:date:2026-03-09, to:date:2026-03-10. Several of one column are alternatives where they are values.
function pick(text) {
  const [, test, column, value] = /^(eq|is|no|min|max|from|to):([^:]*):([^]+)$/.exec(text) ?? [];
  if (!test || ((test === "min" || test === "max") && !Number.isFinite(Number(value)))) return null;
  try {
    return { test, column: decodeURIComponent(column), value };
  } catch {
    return null;
  }
}

export function read(address) {
  const query = new URLSearchParams(address);
  const all = (name) => [...new Set(query.getAll(name).map((text) => text.trim()).filter(Boolean))];
  const near = numbers(query.get("near"), 3);
  const region = area(query.get("region"));
  return {
    ...empty(),
    texts: all("q"), nots: all("not"), likes: all("like"), unlikes: all("unlike"),
    near: near && inside(near[0]) && inside(near[1]) && near[2] > 0
      ? { valence: near[0], arousal: near[1], radius: near[2] } : null,
    region,
    where: (query.get("where") ?? "").trim(),
    picks: all("pick").map(pick).filter(Boolean),
    group: query.get("group") === "1" ? "recording" : query.get("group") ?? "",
    sort: query.get("sort") || "fit",
    order: ["ascending", "descending"].includes(query.get("order")) ? query.get("order") : "",
  };
}

export function write(state) {
  const query = new URLSearchParams();
  const short = (values) => values.map((x) => Math.round(x * 100) / 100).join(",");
  const { near, region } = state;
  for (const [name, values] of [["q", state.texts], ["not", state.nots], ["like", state.likes], ["unlike", state.unlikes]]) {
    for (const value of values) query.append(name, value);
  }
  if (near) query.set("near", short([near.valence, near.arousal, near.radius]));
  if (region) query.set("region", region.corners ? region.corners.map(short).join(" ") : short([...region.valence, ...region.arousal]));
  for (const { test, column, value } of state.picks) query.append("pick", `${test}:${encodeURIComponent(column)}:${value}`);
  if (state.where) query.set("where", state.where);
  if (state.group) query.set("group", state.group);
  if (state.sort !== "fit") query.set("sort", state.sort);
  if (state.order) query.set("order", state.order);
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text ? `?${text}` : "";
}

// A rectangle is its lowest and highest valence and arousal, a lasso its corners with blanks between them.
function area(text) {
  const box = numbers(text, 4);
  if (box?.every(inside) && box[0] <= box[1] && box[2] <= box[3]) return { valence: box.slice(0, 2), arousal: box.slice(2) };
  const corners = (text ?? "").split(" ").map((corner) => numbers(corner, 2));
  return corners.length >= 3 && corners.every((corner) => corner?.every(inside)) ? { corners } : null;
}

const quoted = (column) => `\`${column}\``;
const literal = (value) => typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : value;
const VALUES = {
  eq: (value) => value, is: (value) => value === "true", no: () => null,
};

// The chosen values, column by column, as the API has them.
export function choices(state) {
  const chosen = new Map();
  for (const { test, column, value } of state.picks) {
    if (!VALUES[test]) continue;
    const typed = column === "channel" && test === "eq" ? Number(value) : VALUES[test](value);
    chosen.set(column, [...(chosen.get(column) ?? []), typed]);
  }
  return [...chosen].map(([column, values]) => ({ column, values }));
}

// Bounds and the expression as one filter; null where there are none.
function bounds(state) {
  const tests = {
    min: (value) => `>= ${value}`, max: (value) => `<= ${value}`,
    from: (value) => `>= ${literal(value)}`, to: (value) => `<= ${literal(`${value} 24`)}`,  // behind every time of the day
  };
  const parts = state.picks.filter(({ test }) => tests[test]).map(({ test, column, value }) => `${quoted(column)} ${tests[test](value)}`);
  if (state.where) parts.push(parts.length ? `(${state.where})` : state.where);
  return parts.join(" and ") || null;
}

export const ranks = (state) => Boolean(
  state.texts.length || state.nots.length || state.likes.length || state.unlikes.length || state.near || state.region);

export const asks = (state) => ranks(state) || bounds(state) !== null || choices(state).length > 0 || state.sort !== "fit";

// What the plane's cloud follows: filters without the place.
export const filters = (state) => ({ where: bounds(state), choices: choices(state) });

// What is asked, without a page of it.
export function query(state) {
  const weighed = (name, values, weight) => values.map((value) => ({ [name]: value, weight }));
  return {
    texts: [...weighed("text", state.texts, 1), ...weighed("text", state.nots, NOT)],
    likes: [...weighed("id", state.likes, 1), ...weighed("id", state.unlikes, NOT)],
    near: state.near, region: state.region, ...filters(state),
    group: state.group || null, sort: state.sort, order: state.order || null, best: BEST,
  };
}

// The body of a request to the API.
export const body = (state, offset, top) => ({ ...query(state), offset, top });

// A search that was kept -> a state.
export function opened({ texts, likes, near, region, where, choices: chosen, group, sort, order }) {
  const side = (list, name, wanted) => list.filter(({ weight }) => weight > 0 === wanted).map((one) => one[name]);
  const pick = (column, value) => value === null ? { test: "no", column, value: "1" }
    : { test: typeof value === "boolean" ? "is" : "eq", column, value: String(value) };
  return {
    ...empty(), texts: side(texts, "text", true), nots: side(texts, "text", false),
    likes: side(likes, "id", true), unlikes: side(likes, "id", false), near, region, where: where ?? "",
    picks: chosen.flatMap(({ column, values }) => values.map((value) => pick(column, value))),
    group: group ?? "", sort, order: order ?? "",
  };
}
