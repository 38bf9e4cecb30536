"""What durability costs an upload: `Store.put` with and without fsync, turn and turn about.

`python -m bench.durable_uploads [FOLDER]`; the folder should lie on the disk in question.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from shared.files.store import Store, photo_key

PHOTOS = 40
ROUNDS = 12
SIZES = {"100 kB": 100_000, "3 MB": 3_000_000, "10 MB": 10_000_000}


def seconds(store: Store, job_id: str, data: bytes) -> float:
    """To put a job's photos, one after the other."""
    begun_s = time.perf_counter()
    for number in range(PHOTOS):
        store.put(photo_key("local", job_id, f"pho_{number}"), data)
    return time.perf_counter() - begun_s


def measure(folder: Path, size: int) -> tuple[float, float, float]:
    """Milliseconds a photo without and with fsync (medians of rounds), and the median ratio of a round."""
    data = os.urandom(size)
    plain: list[float] = []
    durable: list[float] = []
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=folder) as home:
            store = Store(f"file://{home}/store")
            turns = [(plain, f"plain-{number}"), (durable, f"durable-{number}")]
            for times, job_id in turns if number % 2 else turns[::-1]:
                if times is plain:
                    with patch.object(Store, "_sync"):
                        times.append(seconds(store, job_id, data))
                else:
                    times.append(seconds(store, job_id, data))
    ratio = statistics.median(d / p for p, d in zip(plain, durable, strict=True))
    a_photo = 1000 / PHOTOS
    return statistics.median(plain) * a_photo, statistics.median(durable) * a_photo, ratio


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    sys.stdout.write("| A photo of | without fsync, ms | with, ms | ratio |\n|---|--:|--:|--:|\n")
    for name, size in SIZES.items():
        plain, durable, ratio = measure(folder, size)
        sys.stdout.write(f"| {name} | {plain:.2f} | {durable:.2f} | {ratio:.1f} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
