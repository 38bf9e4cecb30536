"""What a worker, or the sweeper, counts for /metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from nightshift.words.error_codes import Code
from nightshift.words.states import PhotoStatus
from shared.processes.sums import Sums
from shared.queue.save import Failed, Result, Saved, Succeeded


class Metrics(Sums):
    """Sums of one process."""

    def count_batch(self, results: Sequence[Result], saved: Saved, seconds: float) -> None:
        """Count a batch and what became of its photos; those that others have by now are theirs to count."""
        self.observe("batch_photos", len(results))
        self.observe("batch_seconds", seconds)
        for result in results:
            if result.photo_id not in saved.statuses:
                continue
            if isinstance(result, Succeeded):
                self.count("photos_done|reused" if result.reused_from else "photos_done|succeeded")
                if not result.reused_from:
                    for stage, took_ms in asdict(result.analysis.timings_ms).items():
                        self.observe(f"stage_seconds|{stage}", took_ms / 1000)
            elif isinstance(result, Failed):
                self.count_failure(result.error.code)
            elif saved.statuses[result.photo_id] == PhotoStatus.FAILED:
                self.count_failure(Code.FILE_UNAVAILABLE)
            else:
                self.count("reads_put_off")

    def count_failure(self, code: str) -> None:
        """Count a photo that is final as failed."""
        self.count("photos_done|failed")
        self.count(f"failures|{code}")
