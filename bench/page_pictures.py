"""Draws the pictures of the report and of the page that README.md shows, of the sample photos of `make demo`.

    python -m bench.page_pictures [DIR]

A run and a real service analyse them, and what they show is drawn by Chromium without a window, in 256
colours; the page somewhat larger than on a plain screen. Authors and licences of the photos are in
bench/people.py; what is drawn is under theirs, see docs/images/CREDITS.md.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from bench.page_shown import NIGHTSHIFT, chromium, environment, running, served
from bench.sample_event import write_event

LABEL = "Summer party"
VIEWPORT = (1280, 800)
SCALE = 1.25
COLOURS = 256
HALF, HALF_SCALE = (1080, 820), 5 / 6
"""Of the report's picture, which has two of them side by side."""


def main() -> None:
    """Draw all three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/images"))
    out: Path = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as folder:
        home, photos = Path(folder) / "home", Path(folder) / "party"
        home.mkdir(mode=0o700)
        write_event(photos)
        with chromium() as browser:
            _draw_report(browser, photos, Path(folder) / "home-of-run", out)
        with served(home) as link, chromium() as browser:
            url = link.partition("/#")[0]
            with running(home, "worker", said=Path(folder) / "worker.said", SERVER=url):
                wish = ("--label", LABEL, "--preview-px", "1600", "--wait")
                command = [NIGHTSHIFT, "submit", str(photos), *wish]
                done = subprocess.run(command, env=environment(home, SERVER=url), check=False)  # noqa: S603
            if done.returncode:
                raise SystemExit(done.returncode)
            width, height = VIEWPORT
            page = browser.new_page(
                viewport={"width": width, "height": height}, device_scale_factor=SCALE, locale="en-GB"
            )
            page.goto(link)
            _draw(page, out)


def _draw_report(browser: Browser, photos: Path, home: Path, out: Path) -> None:
    """On the left, light: who was asked for; on the right, dark: the photo that has most of them."""
    results = home.with_name("results")
    command = [NIGHTSHIFT, "run", str(photos), "--out", str(results), "--preview-px", "1600", "--no-desktop"]
    done = subprocess.run(command, env=environment(home), check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(done.returncode)
    width, height = HALF
    page = browser.new_page(
        viewport={"width": width, "height": height}, device_scale_factor=HALF_SCALE, locale="en-GB"
    )
    page.goto((results / "report.html").as_uri())
    filters = page.get_by_role("form", name="Filters")
    for label in ("Female", "20\u201329"):
        filters.get_by_label(label, exact=True).check()
    left = _drawn(page)
    page.emulate_media(color_scheme="dark")
    page.get_by_title("evening-1/far-away.png").first.click()
    right = _drawn(page)
    both = Image.new("RGB", (left.width + right.width, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    both.quantize(COLOURS).save(out / "report.png", optimize=True)
    page.close()


def _draw(page: Page, out: Path) -> None:
    page.get_by_role("link", name=LABEL).click()
    page.get_by_role("link", name="Photos and faces").click()
    page.locator(".grid .picture img").nth(8).wait_for()
    _save(page, out / "page-faces.png")
    page.emulate_media(color_scheme="dark")
    page.locator(".grid button[title$='table-of-six.jpg']").first.click()
    _save(page, out / "page-viewer.png")


def _save(page: Page, path: Path) -> None:
    _drawn(page).quantize(COLOURS).save(path, optimize=True)


def _drawn(page: Page) -> Image.Image:
    page.mouse.move(0, 0)
    # A picture that has come is not always drawn yet.
    page.wait_for_timeout(1500)
    with Image.open(io.BytesIO(page.screenshot())) as drawn:
        return drawn.convert("RGB")


if __name__ == "__main__":
    main()
