// Wheel, pinch, drag and click over the lanes.

const CLICK = 5;  // css pixels that a hand may tremble

// `on`: click(x, y), hover(x or null).
export function install(canvas, view, on) {
  const fingers = new Map();
  let moved = false, began = null;

  canvas.addEventListener("wheel", (event) => {
    const across = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    const lines = event.deltaMode === 1 ? 16 : 1;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      view.pan(across * lines * view.span / view.width);
    } else {
      if (view.whole && event.deltaY > 0 && !event.ctrlKey) return;  // nothing is farther: the page scrolls
      view.zoom(Math.exp(Math.max(-150, Math.min(150, event.deltaY * lines)) * (event.ctrlKey ? 0.01 : 0.003)), view.seconds(event.offsetX));
    }
    event.preventDefault();
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event.offsetX);
    if (fingers.size === 1) [moved, began] = [false, { x: event.offsetX, y: event.offsetY }];
    else moved = true;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) {
      on.hover(event.offsetX);
      return;
    }
    const before = [...fingers.values()];
    fingers.set(event.pointerId, event.offsetX);
    const after = [...fingers.values()];
    if (after.length === 1) {
      if (!moved && Math.abs(event.offsetX - began.x) < CLICK) return;
      if (!moved) before[0] = began.x;
      moved = true;
      canvas.classList.add("held");
      view.pan((before[0] - after[0]) * view.span / view.width);
    } else {
      const wide = (xs) => Math.max(8, Math.abs(xs[0] - xs[1])), middle = (xs) => (xs[0] + xs[1]) / 2;
      view.pan((middle(before) - middle(after)) * view.span / view.width);
      view.zoom(wide(before) / wide(after), view.seconds(middle(after)));
    }
  });
  const up = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    canvas.classList.remove("held");
    if (event.type === "pointerup" && !moved && !fingers.size) on.click(began.x, began.y);
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => on.hover(null));
}
