// What is searched for, and how it is written into the address, so that a search can be shared.

// As the command line weighs what is not wanted: a whole -1 drowns what is wanted.
const NOT = -0.5;

export const empty = () => ({
  texts: [], nots: [], likes: [], unlikes: [], near: null, region: null, where: "", picks: [], group: false,
});

const inside = (x) => x >= 1 && x <= 7;

function numbers(text, count) {
  const values = text ? text.split(",").map(Number) : [];
  return values.length === count && values.every(Number.isFinite) ? values : null;
}

// A pick is a choice in the filter form: eq:speaker:ann, is:intense:true, min:duration:3, max:duration:8.
function pick(text) {
  const [, test, column, value] = /^(eq|is|min|max):([^:]*):([^]+)$/.exec(text) ?? [];
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
  const region = numbers(query.get("region"), 4);
  return {
    ...empty(),
    texts: all("q"), nots: all("not"), likes: all("like"), unlikes: all("unlike"),
    near: near && inside(near[0]) && inside(near[1]) && near[2] > 0
      ? { valence: near[0], arousal: near[1], radius: near[2] } : null,
    region: region?.every(inside) && region[0] <= region[1] && region[2] <= region[3]
      ? { valence: region.slice(0, 2), arousal: region.slice(2) } : null,
    where: (query.get("where") ?? "").trim(),
    picks: all("pick").map(pick).filter(Boolean),
    group: query.get("group") === "1",
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
  if (region) query.set("region", short([...region.valence, ...region.arousal]));
  for (const { test, column, value } of state.picks) query.append("pick", `${test}:${encodeURIComponent(column)}:${value}`);
  if (state.where) query.set("where", state.where);
  if (state.group) query.set("group", "1");
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text ? `?${text}` : "";
}

// The choices of the form and the expression as one filter; null where there are none.
export function filter(state) {
  const parts = state.picks.map(({ test, column, value }) => {
    const sign = { eq: "=", is: "=", min: ">=", max: "<=" }[test];
    return `\`${column}\` ${sign} ${test === "eq" ? `'${value.replaceAll("'", "''")}'` : value}`;
  });
  if (state.where) parts.push(parts.length ? `(${state.where})` : state.where);
  return parts.join(" and ") || null;
}

export const ranks = (state) => Boolean(
  state.texts.length || state.nots.length || state.likes.length || state.unlikes.length || state.near || state.region);

export const asks = (state) => ranks(state) || filter(state) !== null;

// The body of a request to the API.
export function body(state, offset, top) {
  const weighed = (name, values, weight) => values.map((value) => ({ [name]: value, weight }));
  return {
    texts: [...weighed("text", state.texts, 1), ...weighed("text", state.nots, NOT)],
    likes: [...weighed("id", state.likes, 1), ...weighed("id", state.unlikes, NOT)],
    near: state.near, region: state.region, where: filter(state), group: state.group, offset, top,
  };
}
