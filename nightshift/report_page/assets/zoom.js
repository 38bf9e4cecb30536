"use strict";
/* Larger and smaller: a stage scrolls, by finger, wheel, keyboard or by dragging, over a picture that grows. The service's
 * page (api/page) bundles this file as well; it knows of neither page. */

{
  const STEP = 1.5;
  const MOST = 16;

  /**
   * Let what stands first in `stage`, of the class `picture`, be looked at from near.
   *
   * `changed(zoom, isMost)` is told of each change; 1 fits. Returns how to change it: by a key, as a whole, to a face.
   */
  globalThis.photoZoom = (stage, changed) => {
    let zoom = 1;

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
      changed(zoom, zoom === MOST);
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

    stage.addEventListener("dblclick", (event) => zoomTo(zoom > 1 ? 1 : 3, event));
    stage.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        zoomTo(zoom * 1.0015 ** -event.deltaY, event);
      },
      { passive: false },
    );
    // Scrolling by key is the stage's own while it is larger than its frame.
    stage.addEventListener("keydown", (event) => {
      if (zoom > 1 && event.key.startsWith("Arrow")) event.stopPropagation();
    });
    drag();

    const larger = () => zoomTo(zoom * STEP);
    const smaller = () => zoomTo(zoom / STEP);
    const fit = () => zoomTo(1);
    const keys = { "+": larger, "=": larger, "-": smaller, 0: fit };
    return {
      larger,
      smaller,
      fit,
      /** Whether a key was one of ours. */
      byKey: (key) => {
        keys[key]?.();
        return key in keys;
      },
      /** Bring a face into the middle, four tenths of the stage high; its box is in shares of the picture. */
      toFace: ({ x1, y1, x2, y2 }) => {
        const picture = stage.firstElementChild;
        fit();
        const high = Math.max((y2 - y1) * picture.clientHeight, (x2 - x1) * picture.clientWidth, 1);
        zoomTo(Math.max(1, (0.4 * stage.clientHeight) / high));
        stage.scrollLeft = ((x1 + x2) / 2) * picture.clientWidth - stage.clientWidth / 2 + picture.offsetLeft;
        stage.scrollTop = ((y1 + y2) / 2) * picture.clientHeight - stage.clientHeight / 2 + picture.offsetTop;
      },
    };
  };

  /**
   * Where a photo lies behind a square window that shows a face of it, somewhat larger, in per cent of the window's side.
   *
   * The box is in shares of the photo, whose width and height are in pixels.
   */
  globalThis.photoCrop = ({ x1, y1, x2, y2 }, width, height) => {
    const side = 1.3 * Math.max((x2 - x1) * width, (y2 - y1) * height, 1);
    return {
      width: `${(100 * width) / side}%`,
      height: `${(100 * height) / side}%`,
      left: `${50 - (50 * (x1 + x2) * width) / side}%`,
      top: `${50 - (50 * (y1 + y2) * height) / side}%`,
    };
  };
}
