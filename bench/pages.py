"""How long pages of photos take in a large job, by what is sought and in which order.

    python -m bench.pages [--photos 20000] [--out FILE]

Photos that do not exist, as a fake analyses them, are asked for through the API on SQLite, and on PostgreSQL
where it can be started: `bench.pages_job` says what. `python -m docs.pages_section` writes the numbers into
docs/performance-scale.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from bench.pages_job import measure
from bench.scale import conditions, fresh_database, postgresql, say
from shared.settings import REPOSITORY

PHOTOS = 20_000
RESULTS = REPOSITORY / "bench" / "results" / "pages.json"


def main() -> None:
    """Measure and keep the numbers."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description="Measure pages of photos.")
    parser.add_argument("--photos", type=int, default=PHOTOS, help="of the job (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON file for the numbers")
    arguments = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory(prefix="nightshift-pages-") as folder, postgresql() as server_url:
        say(f"sqlite, {arguments.photos:,} photos")
        results["sqlite"] = measure(Path(folder) / "sqlite", arguments.photos, "")
        if server_url:
            say(f"postgresql, {arguments.photos:,} photos")
            with fresh_database(server_url, "pages") as url:
                results["postgresql"] = measure(Path(folder) / "postgresql", arguments.photos, url)
    kept = {"conditions": conditions(), "photos": arguments.photos, "results": results}
    arguments.out.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    json.dump(kept, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
