// Clips of one's own, as long as the tab is open: back, forward and a reload find them. They never leave for an address.

const KEY = "clips";
const MOST = 3_000_000;  // characters; the newest that fit are kept over a reload

const kept = restored();  // {name, blob}, or null where one did not fit

function restored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]").map((one) => one && {
      name: one.name, blob: new Blob([Uint8Array.from(atob(one.data), (letter) => letter.charCodeAt(0))]),
    });
  } catch {
    return [];
  }
}

export const numberOf = (clip) => kept.indexOf(clip);
export const byNumber = (number) => kept[number] ?? null;

export function keep(clip) {
  kept.push(clip);
  store();
}

async function store() {
  let room = MOST;
  const list = new Array(kept.length).fill(null);
  for (let i = kept.length - 1; i >= 0; i--) {
    if (!kept[i] || kept[i].blob.size * 4 / 3 > room) continue;
    const bytes = new Uint8Array(await kept[i].blob.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    list[i] = { name: kept[i].name, data: btoa(text) };
    room -= list[i].data.length;
  }
  try {
    sessionStorage.setItem(KEY, JSON.stringify(list));
  } catch {
    // Storage is forbidden or full: a reload then asks for the clip again.
  }
}
