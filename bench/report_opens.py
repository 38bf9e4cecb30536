"""Measures how the report of a large job opens.

    python -m bench.report_opens [--photos N] [--openings M]

The job is planted: photos that do not exist, with drawings for thumbnails. Its report is written by
`nightshift report` from a real `nightshift serve`. Chromium opens it from disk, started anew each time, with
its network off, in a window that is tall enough to show the first photos at once: they are read when they are
about to be seen.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from bench.page_shown import NIGHTSHIFT, chromium, environment, served
from bench.planted_job import plant

VIEWPORT = (1280, 2600)
FIRST = 20
_PATIENCE_MS = 60_000

_PAINT = """() => new Promise((done) => new PerformanceObserver((list) => {
  const paint = list.getEntriesByName('first-contentful-paint')[0];
  if (paint) done(paint.startTime);
}).observe({type: 'paint', buffered: true}))"""
_READY = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
_DRAWN = """async (least) => {
  const onScreen = (image) => {
    const { top, bottom } = image.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  for (;;) {
    const images = [...document.querySelectorAll('#grid img')].filter((image) => least || onScreen(image));
    const drawn = images.filter((image) => image.complete && image.naturalWidth);
    const wanted = least || Math.max(1, images.length);
    if (drawn.length >= wanted) return performance.now();
    await new Promise(requestAnimationFrame);
  }
}"""
_END = "() => { scrollTo(0, document.body.scrollHeight); return performance.now(); }"
_CHANGE = """([selector, value]) => {
  const field = document.querySelector(selector);
  const before = performance.now();
  if (value === null) field.click();
  else {
    field.value = value;
    field.dispatchEvent(new Event('change', { bubbles: true }));
  }
  document.getElementById('grid').getBoundingClientRect();
  return performance.now() - before;
}"""
CHANGES = {
    "a filter by age over all photos": ('[name=age][value="7"]', None),
    "all of them again": ('[name=age][value="7"]', None),
    "a search by name": ("[name=name]", "00012"),
    "the least sure of age first": ("#sort", "age"),
}
"""What is clicked (None), or which value is chosen, by the row of the table."""


def main() -> None:
    """Measure, and print the table of docs/report-benchmark.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--openings", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, out = Path(folder) / "home", Path(folder) / "out"
        job_id = plant(home, given.photos)
        with served(home) as link:
            begun = time.monotonic()
            write = [NIGHTSHIFT, "report", job_id, "--out", str(out), "--server", link.partition("/#")[0]]
            subprocess.run(write, env=environment(home), check=True, stdout=subprocess.DEVNULL)  # noqa: S603
            _say(f"{given.photos:,} photos, written in {time.monotonic() - begun:.0f} s: {_sizes(out)}; ")
        load = os.getloadavg()[0]
        opened = [_opened(out / "report.html") for _ in range(given.openings)]
    _say(f"opened {given.openings} times, load before and after {load:.1f} and {os.getloadavg()[0]:.1f}\n\n")
    _say("| Milliseconds | median | least | most |\n|---|---|---|---|\n")
    for name in opened[0]:
        times = [opening[name] for opening in opened]
        _say(f"| {name} | {statistics.median(times):.0f} | {min(times):.0f} | {max(times):.0f} |\n")


def _opened(report: Path) -> dict[str, float]:
    """Milliseconds of one opening, in a browser of its own."""
    with chromium() as browser:
        width, height = VIEWPORT
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
        page = context.new_page()
        page.goto(report.as_uri())
        found = {"first contentful paint": page.evaluate(_PAINT), "DOM ready": page.evaluate(_READY)}
        found[f"first {FIRST} thumbnails drawn"] = page.evaluate(_DRAWN, FIRST)
        page.wait_for_function("() => !document.querySelector('#sort').disabled", timeout=_PATIENCE_MS)
        found["names, folders and certainties known"] = page.evaluate("() => performance.now()")
        begun = page.evaluate(_END)
        page.wait_for_timeout(20)
        found["jump to the end, thumbnails drawn"] = page.evaluate(_DRAWN, 0) - begun
        for name, change in CHANGES.items():
            found[name] = _changed(page, change)
        return found


def _changed(page: Page, change: tuple[str, str | None]) -> float:
    took: float = page.evaluate(_CHANGE, list(change))
    page.wait_for_timeout(200)
    return took


def _sizes(out: Path) -> str:
    scripts = {path.name: path.stat().st_size for path in (out / "report_files").rglob("*.js")}
    index = scripts.pop("data.js")
    pages = sum(size for name, size in scripts.items() if name.startswith("page-"))
    others = sum(scripts.values()) - pages
    return f"index {index / 1e3:,.0f} kB, pages {pages / 1e6:.1f} MB, other scripts {others / 1e6:.1f} MB"


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
