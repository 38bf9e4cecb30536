"""Measures the page's frames while somebody scrolls through the photos of a large job.

    python -m bench.page_frames [--photos N] [--seconds S]

The job is planted: photos that do not exist, with drawings for thumbnails. The page is the real one, by a
real `nightshift serve`, in Chromium without a window. It is scrolled in two ways: by the wheel, a screen's
third each tenth of a second, and by leaps through the whole of it, as when the bar is dragged. A frame's time
is that between two calls of `requestAnimationFrame`; on a machine with other work, some are the machine's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from playwright.sync_api import Page

from bench.page_shown import chromium, served
from bench.planted_job import plant

VIEWPORT = (1200, 900)
LEAPS = 40
LATE_MS = 50
"""Three frames of a screen at 60 Hz."""

_WATCH = """() => {
  window.frames_ms = [];
  let before = performance.now();
  const tick = (now) => { window.frames_ms.push(now - before); before = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""


def main() -> None:
    """Measure, and print the rows of docs/page.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=20.0, help="of scrolling by the wheel")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        job_id = plant(home, given.photos)
        with served(home) as link, chromium() as browser:
            width, height = VIEWPORT
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(link)
            page.get_by_role("heading", level=1, name="Tonight").wait_for()
            _measure(page, f"{link.partition('#')[0]}#/jobs/{job_id}/faces", given.seconds)


def _measure(page: Page, address: str, seconds: float) -> None:
    begun = time.monotonic()
    page.goto(address)
    page.locator(".grid .tile:not([aria-busy]) img").first.wait_for()
    sys.stdout.write(f"first photos after {1000 * (time.monotonic() - begun):.0f} ms\n")
    page.wait_for_timeout(1000)
    page.mouse.move(VIEWPORT[0] / 2, VIEWPORT[1] / 2)
    page.evaluate(_WATCH)
    most = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page.mouse.wheel(0, VIEWPORT[1] / 3)
        page.wait_for_timeout(100)
        most = max(most, page.locator(".grid li").count())
    _tell("wheel", page, most)
    page.evaluate("window.frames_ms.length = 0")
    for leap in range(LEAPS):
        page.evaluate("part => scrollTo(0, document.body.scrollHeight * part)", leap * 7 % LEAPS / LEAPS)
        page.wait_for_timeout(250)
        most = max(most, page.locator(".grid li").count())
    _tell("leaps", page, most)


def _tell(how: str, page: Page, most: int) -> None:
    frames = sorted(page.evaluate("window.frames_ms"))
    cuts = quantiles(frames, n=100)
    over = sum(frame > LATE_MS for frame in frames)
    numbers = " | ".join(f"{number:.1f}" for number in (cuts[49], cuts[94], cuts[98], frames[-1]))
    sys.stdout.write(f"| {how} | {len(frames)} | {numbers} | {over} | {most} |\n")


if __name__ == "__main__":
    main()
