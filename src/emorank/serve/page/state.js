// What is searched for, and how it is written into the address, so that a search can be shared.

export const empty = () => ({
  texts: [], nots: [], likes: [], unlikes: [], near: null, region: null, where: "", picks: {}, group: false,
});

const numbers = (text, count) => {
  const values = (text ?? "").split(",").map(Number);
  return values.length === count && values.every((x) => Number.isFinite(x)) ? values : null;
};

export function read(search) {
  const query = new URLSearchParams(search);
  const state = empty();
  state.texts = query.getAll("q").filter((text) => text.trim());
  state.nots = query.getAll("not").filter((text) => text.trim());
  state.likes = query.getAll("like");
  state.unlikes = query.getAll("unlike");
  const near = numbers(query.get("near"), 3);
  if (near) state.near = { valence: near[0], arousal: near[1], radius: near[2] };
  const region = numbers(query.get("region"), 4);
  if (region) state.region = { valence: region.slice(0, 2), arousal: region.slice(2) };
  state.where = query.get("where") ?? "";
  for (const pick of query.getAll("pick")) {
    const at = pick.indexOf(":");
    if (at > 0) state.picks[pick.slice(0, at)] = pick.slice(at + 1);
  }
  state.group = query.get("group") === "1";
  return state;
}

export function write(state) {
  const query = new URLSearchParams();
  state.texts.forEach((text) => query.append("q", text));
  state.nots.forEach((text) => query.append("not", text));
  state.likes.forEach((id) => query.append("like", id));
  state.unlikes.forEach((id) => query.append("unlike", id));
  const short = (x) => String(Math.round(x * 100) / 100);
  if (state.near) query.set("near", [state.near.valence, state.near.arousal, state.near.radius].map(short).join(","));
  if (state.region) query.set("region", [...state.region.valence, ...state.region.arousal].map(short).join(","));
  if (state.where) query.set("where", state.where);
  for (const [column, value] of Object.entries(state.picks)) query.append("pick", `${column}:${value}`);
  if (state.group) query.set("group", "1");
  const text = query.toString();
  return text ? `/?${text}` : "/";
}

// The filters of the form and of the expression field as one expression.
export function filter(state) {
  const quoted = (value) => `'${value.replaceAll("'", "''")}'`;
  const parts = Object.entries(state.picks).map(([column, value]) =>
    column.startsWith("min ") ? `\`${column.slice(4)}\` >= ${Number(value)}` : `\`${column}\` = ${quoted(value)}`);
  if (state.where.trim()) parts.push(parts.length ? `(${state.where})` : state.where);
  return parts.join(" and ") || null;
}

export const asks = (state) => Boolean(
  state.texts.length || state.nots.length || state.likes.length || state.unlikes.length
  || state.near || state.region || filter(state));

// The body of a request to the API.
export function body(state, offset, top) {
  const weighted = (name, values, weight) => values.map((value) => ({ [name]: value, weight }));
  return {
    texts: [...weighted("text", state.texts, 1), ...weighted("text", state.nots, -0.5)],
    likes: [...weighted("id", state.likes, 1), ...weighted("id", state.unlikes, -0.5)],
    near: state.near, region: state.region, where: filter(state), group: state.group, offset, top,
  };
}
