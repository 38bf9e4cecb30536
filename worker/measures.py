"""What a worker counts for /metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from shared.queue.save import Failed, NotRead, Result, Succeeded
from shared.sums import Sums


class Measures(Sums):
    """Sums of one process."""

    def batch_saved(self, results: Sequence[Result], seconds: float) -> None:
        """Count a batch and what became of its photos."""
        self.observe("batch_photos", len(results))
        self.observe("batch_seconds", seconds)
        for result in results:
            if isinstance(result, Succeeded):
                self.count("photos_done|reused" if result.reused_from else "photos_done|succeeded")
                if not result.reused_from:
                    for stage, took_ms in asdict(result.analysis.timings_ms).items():
                        self.observe(f"stage_seconds|{stage}", took_ms / 1000)
            elif isinstance(result, Failed):
                self.photo_failed(result.error.code)
            elif isinstance(result, NotRead):
                self.count("reads_put_off")

    def photo_failed(self, code: str) -> None:
        """Count a photo that is final as failed."""
        self.count("photos_done|failed")
        self.count(f"failures|{code}")
