"""Makes the report of a large job of photos that do not exist, and measures how it opens.

    python -m bench.report_job --photos 20000 --out DIR [--openings 7]

The job goes through the queue, the store and the API like any other; only its analyser is a fake.
Chromium opens the page from disk, started anew each time, its network off.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.browser import chromium, find_browser
from bench.fake_job import fake_job
from nightshift.report import write_report, write_results

THUMBNAILS = 20
MEASURES = {
    "first contentful paint": "paint",
    "DOM ready": "ready",
    f"first {THUMBNAILS} thumbnails drawn": "thumbnails",
    "jump to the end, thumbnails drawn": "end",
    "a filter over all photos": "filter",
}

_SEEN = """async (least) => {
  const onScreen = (image) => {
    const { top, bottom } = image.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  for (;;) {
    const images = [...document.querySelectorAll('#grid img')].filter((image) => !least || onScreen(image));
    const drawn = images.filter((image) => image.complete && image.naturalWidth);
    if (least ? drawn.length && drawn.length === images.length : drawn.length >= 20) return performance.now();
    await new Promise(requestAnimationFrame);
  }
}"""
_PAINT = """() => new Promise((done) => new PerformanceObserver((list) => {
  const paint = list.getEntriesByName('first-contentful-paint')[0];
  if (paint) done(paint.startTime);
}).observe({type: 'paint', buffered: true}))"""
_READY = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
_FILTER = """() => {
  const before = performance.now();
  document.querySelector('[name=age][value="7"]').click();
  document.getElementById('grid').getBoundingClientRect();
  return performance.now() - before;
}"""


def measure(page_path: Path, browser_path: str) -> dict[str, float]:
    """Open the report once in a browser of its own; milliseconds by measure."""
    with chromium(browser_path) as browser:
        # Tall enough that photos are in view at once: thumbnails are read when they are about to be seen.
        context = browser.new_context(viewport={"width": 1280, "height": 2600}, offline=True)
        page = context.new_page()
        page.goto(page_path.as_uri())
        found = {"paint": page.evaluate(_PAINT), "ready": page.evaluate(_READY)}
        found["thumbnails"] = page.evaluate(_SEEN, False)
        before = page.evaluate("() => { scrollTo(0, document.body.scrollHeight); return performance.now() }")
        page.wait_for_timeout(20)
        found["end"] = page.evaluate(_SEEN, True) - before
        found["filter"] = page.evaluate(_FILTER)
        return found


def table(openings: list[dict[str, float]]) -> str:
    """The measures as Markdown, in milliseconds."""
    lines = ["| Milliseconds | median | least | most |", "|---|---|---|---|"]
    for name, key in MEASURES.items():
        times = [opening[key] for opening in openings]
        lines.append(f"| {name} | {statistics.median(times):.0f} | {min(times):.0f} | {max(times):.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Read the command line, make the report, open it, print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.report_job", description="Measure a large report.")
    parser.add_argument("--photos", type=int, default=20_000, help="how many (default: 20000)")
    parser.add_argument("--out", type=Path, required=True, help="folder for results and report")
    parser.add_argument("--openings", type=int, default=7, help="how often it is opened (default: 7)")
    arguments = parser.parse_args()
    browser = find_browser()
    if browser is None:
        parser.error("no Chromium: run tests/install_browser.sh")
    say = sys.stdout.write
    with tempfile.TemporaryDirectory() as home:
        say(f"making a job of {arguments.photos:,} photos\n")
        with fake_job(Path(home), arguments.photos, "Benchmark: photos that do not exist") as (
            client,
            job_id,
        ):
            write_results(client, job_id, arguments.out)
            begun = time.perf_counter()
            page = write_report(client, client.job(job_id), arguments.out)
            seconds = time.perf_counter() - begun
    files = [path for path in (arguments.out / "report_files").rglob("*") if path.is_file()]
    scripts = sum(path.stat().st_size for path in files if path.name.startswith("page-"))
    index = next(path for path in files if path.name == "data.js")
    say(f"{page}: written in {seconds:.1f} s, {len(files):,} files; ")
    say(f"index {index.stat().st_size / 1e3:,.0f} kB, photos' data {scripts / 1e6:.1f} MB\n\n")
    say(table([measure(page, browser) for _ in range(arguments.openings)]) + "\n")


if __name__ == "__main__":
    main()
