"""Draws the pictures of the page that README.md shows, of the sample photos that `make demo` has.

    python -m bench.page_pictures [DIR]

A real service analyses them, and its page is drawn by Chromium without a window, somewhat larger than on a
plain screen, in 128 colours. Authors and licences of the photos are in bench/people.py; what is drawn is
under theirs, see docs/images/CREDITS.md.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from bench.page_shown import NIGHTSHIFT, chromium, environment, running, served
from bench.sample_event import write_event

LABEL = "Summer party"
VIEWPORT = (1280, 800)
SCALE = 1.25


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/images"))
    out: Path = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as folder:
        home, photos = Path(folder) / "home", Path(folder) / "party"
        home.mkdir(mode=0o700)
        write_event(photos)
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


def _draw(page: Page, out: Path) -> None:
    page.get_by_role("link", name=LABEL).click()
    page.get_by_role("link", name="Photos and faces").click()
    page.locator(".grid .picture img").nth(8).wait_for()
    _save(page, out / "page-faces.png")
    page.emulate_media(color_scheme="dark")
    page.locator(".grid button[title$='table-of-six.jpg']").first.click()
    _save(page, out / "page-viewer.png")


def _save(page: Page, path: Path) -> None:
    page.mouse.move(0, 0)
    # A picture that has come is not always drawn yet.
    page.wait_for_timeout(1500)
    with Image.open(io.BytesIO(page.screenshot())) as drawn:
        drawn.convert("RGB").quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main()
