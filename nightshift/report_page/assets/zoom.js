"use strict";
/* Larger and smaller: the stage scrolls, by finger, wheel, keyboard or by dragging, over a picture that grows. */

{
  const { byId } = nightshift;
  const STEP = 1.5;
  const MOST = 16;
  const stage = byId("viewer-stage");
  let zoom = 1;

  nightshift.startZoom = () => {
    byId("zoom-in").addEventListener("click", () => zoomTo(zoom * STEP));
    byId("zoom-out").addEventListener("click", () => zoomTo(zoom / STEP));
    byId("zoom-fit").addEventListener("click", () => zoomTo(1));
    byId("zoom-boxes").addEventListener("click", () => {
      const isShown = stage.classList.toggle("bare");
      byId("zoom-boxes").setAttribute("aria-pressed", String(!isShown));
    });
    stage.addEventListener("dblclick", (event) => zoomTo(zoom > 1 ? 1 : 3, event));
    stage.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        zoomTo(zoom * 1.0015 ** -event.deltaY, event);
      },
      { passive: false },
    );
    drag();
    // Scrolling by key is the stage's own while it is larger than its frame.
    stage.addEventListener("keydown", (event) => {
      if (zoom > 1 && event.key.startsWith("Arrow")) event.stopPropagation();
    });
  };

  /** Whether a key was one of ours. */
  nightshift.zoomByKey = (key) => {
    if (key === "+" || key === "=") zoomTo(zoom * STEP);
    else if (key === "-") zoomTo(zoom / STEP);
    else if (key === "0") zoomTo(1);
    else return false;
    return true;
  };

  nightshift.zoomOut = () => zoomTo(1);

  /** Bring a face into the middle, a third of the stage high. */
  nightshift.zoomToFace = ({ x1, y1, x2, y2 }) => {
    const picture = stage.firstElementChild;
    zoomTo(1);
    const high = Math.max((y2 - y1) * picture.clientHeight, (x2 - x1) * picture.clientWidth, 1);
    zoomTo(Math.max(1, (0.4 * stage.clientHeight) / high));
    stage.scrollLeft = ((x1 + x2) / 2) * picture.clientWidth - stage.clientWidth / 2 + picture.offsetLeft;
    stage.scrollTop = ((y1 + y2) / 2) * picture.clientHeight - stage.clientHeight / 2 + picture.offsetTop;
  };

  /** What lies under the pointer, or in the middle, stays where it is. */
  function zoomTo(wanted, event = null) {
    const picture = stage.firstElementChild;
    if (!picture?.classList.contains("picture")) return;
    const frame = stage.getBoundingClientRect();
    const [x, y] = event ? [event.clientX - frame.left, event.clientY - frame.top] : [frame.width / 2, frame.height / 2];
    const before = picture.getBoundingClientRect();
    const [across, down] = [(frame.left + x - before.left) / before.width, (frame.top + y - before.top) / before.height];
    zoom = Math.min(MOST, Math.max(1, wanted));
    stage.style.setProperty("--zoom", zoom);
    stage.classList.toggle("zoomed", zoom > 1);
    const after = picture.getBoundingClientRect();
    stage.scrollLeft += after.left + across * after.width - (frame.left + x);
    stage.scrollTop += after.top + down * after.height - (frame.top + y);
    byId("zoom-out").disabled = zoom === 1;
    byId("zoom-in").disabled = zoom === MOST;
    byId("zoom-fit").textContent = zoom === 1 ? "Fit" : `${Math.round(100 * zoom)}%`;
  }

  function drag() {
    let from = null;
    stage.addEventListener("pointerdown", (event) => {
      // A finger scrolls by itself.
      if (event.pointerType === "touch" || event.button !== 0 || zoom === 1) return;
      from = [event.clientX + stage.scrollLeft, event.clientY + stage.scrollTop];
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener("pointermove", (event) => {
      if (!from) return;
      stage.scrollLeft = from[0] - event.clientX;
      stage.scrollTop = from[1] - event.clientY;
    });
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => (from = null));
  }
}
