// What a hand does with the plane: a click searches near it, a drag a region or a lasso, or moves it; the wheel, two
// fingers and keys zoom; a click on a hit leads to its card; a pointer that rests on a dot names it.

const MOVED = 6;  // css pixels; less is a click
const REST = 120;  // milliseconds until a dot is named
const STEP = 1.35;  // of a zoom by key or button
const PUSH = 40;  // css pixels, by key
const MOST = 60;  // corners of a lasso

export class Gestures {
  constructor(plane) {
    Object.assign(this, { plane, tool: "region", fingers: new Map(), from: null, path: [], resting: 0, pinched: false });
    const { marks } = plane;
    marks.addEventListener("pointerdown", (event) => this.down(event));
    marks.addEventListener("pointermove", (event) => this.move(event));
    marks.addEventListener("pointerup", (event) => this.up(event));
    marks.addEventListener("pointercancel", (event) => this.forget(event));
    marks.addEventListener("pointerleave", () => {
      clearTimeout(this.resting);
      plane.on.reading(null);
      plane.light(null);
      plane.on.dot(null);
    });
    // One finger scrolls the page, two zoom the plane and not the page.
    for (const name of ["touchstart", "touchmove"]) {
      marks.addEventListener(name, (event) => { if (event.touches.length > 1) event.preventDefault(); }, { passive: false });
    }
    marks.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    marks.addEventListener("keydown", (event) => this.key(event));
  }

  get drawing() { return this.from !== null; }

  at(event) {
    return { x: event.offsetX, y: event.offsetY, ...this.plane.view.at(event.offsetX, event.offsetY) };
  }

  down(event) {
    if (event.button !== 0) return;
    this.plane.marks.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    clearTimeout(this.resting);
    this.plane.on.dot(null);
    this.pinched = this.fingers.size > 1;
    this.from = this.pinched ? null : this.at(event);
    this.path = this.from ? [this.from] : [];
    if (this.pinched) this.plane.drawn = null;
  }

  move(event) {
    const { plane } = this, here = this.at(event), finger = this.fingers.get(event.pointerId);
    plane.on.reading(here);
    if (this.pinched && finger) return this.pinch(event, finger);
    if (!this.from) return this.hover(event, here);
    const far = Math.hypot(here.x - this.from.x, here.y - this.from.y) > MOVED || this.path.length > 1;
    if (!far) return null;
    if (event.pointerType === "touch" && this.tool === "region") return this.forget(event);  // a swipe, where nothing scrolls
    const last = this.path.at(-1);
    this.path.push(here);
    if (this.tool === "move") {
      plane.view.move(here.x - last.x, here.y - last.y);
      plane.viewed();
    } else if (this.tool === "lasso") {
      plane.drawn = { corners: this.path.map(({ valence, arousal }) => [valence, arousal]) };
    } else {
      const between = (name) => [Math.min(here[name], this.from[name]), Math.max(here[name], this.from[name])];
      plane.drawn = { valence: between("valence"), arousal: between("arousal") };
    }
    return plane.mark();
  }

  hover(event, here) {
    const { plane } = this, hit = plane.hitAt(here);
    plane.light(hit?.id ?? null);
    clearTimeout(this.resting);
    if (event.pointerType !== "mouse") return;
    this.resting = setTimeout(() => {
      const dot = hit ? { hit, valence: hit.valence, arousal: hit.arousal } : plane.dotAt(here.x, here.y);
      plane.on.dot(dot);
    }, REST);
  }

  // Two fingers: what lies between them stays there.
  pinch(event, finger) {
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) return;
    const now = { x: event.offsetX, y: event.offsetY }, { view } = this.plane;
    const apart = (one) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
    view.move((now.x - finger.x) / 2, (now.y - finger.y) / 2);
    view.zoom(apart(now) / apart(finger), (now.x + other.x) / 2, (now.y + other.y) / 2);
    this.fingers.set(event.pointerId, now);
    this.plane.viewed();
  }

  up(event) {
    const { plane, tool, from, path } = this;
    if (!from) return this.forget(event);
    this.move(event);
    const { valence, arousal, ...point } = this.at(event);
    const { drawn } = plane, moved = this.path.length > 1;
    const hit = moved ? null : plane.hitAt(point);
    this.forget(event);
    if (hit) return plane.on.picked(hit.id);
    if (!moved) return plane.on.place({ near: { valence, arousal, radius: plane.on.radius() }, region: null });
    if (tool === "lasso" && path.length > 2) return plane.on.place({ near: null, region: { corners: fewer(path) } });
    return tool === "region" && drawn ? plane.on.place({ near: null, region: drawn }) : null;
  }

  forget(event) {
    this.fingers.delete(event.pointerId);
    if (this.fingers.size) return;
    Object.assign(this, { from: null, path: [], pinched: false });
    this.plane.drawn = null;
    this.plane.mark();
  }

  // Where nothing is left to zoom the page scrolls as anywhere.
  wheel(event) {
    const { plane } = this, { view } = plane;
    if (!event.deltaY || (event.deltaY > 0 && !view.zoomed)) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    view.zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY * lines)) / (event.ctrlKey ? 100 : 400)),
      event.offsetX, event.offsetY);
    plane.on.dot(null);
    plane.viewed();
  }

  step(closer) {
    this.plane.view.zoom(closer ? STEP : 1 / STEP);
    this.plane.viewed();
  }

  whole() {
    this.plane.view.reset();
    this.plane.viewed();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { plane } = this, { view } = plane;
    const push = { ArrowLeft: [PUSH, 0], ArrowRight: [-PUSH, 0], ArrowUp: [0, PUSH], ArrowDown: [0, -PUSH] }[event.key];
    if (event.key === "+" || event.key === "=") this.step(true);
    else if (event.key === "-") this.step(false);
    else if (event.key === "0") this.whole();
    else if (event.key === "Enter") {
      plane.on.dot(plane.dotAt(view.edge.left + view.wide / 2, view.edge.top + view.tall / 2, Infinity), true);
    } else if (push && view.zoomed) {
      view.move(...push);
      plane.viewed();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

// The corners of a lasso, as many as may be asked for, to a hundredth.
function fewer(path) {
  const every = Math.max(1, path.length / MOST);
  const kept = Array.from({ length: Math.min(MOST, path.length) }, (_, i) => path[Math.floor(i * every)]);
  return kept.map(({ valence, arousal }) => [valence, arousal].map((x) => Math.round(x * 100) / 100));
}
