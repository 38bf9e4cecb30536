import io
from datetime import UTC, datetime

from rich.console import Console

from nightshift.progress import JobProgress
from nightshift.words.documents import Job, PhotoCounts


def job(succeeded: int, failed: int = 0, state: str = "running", rate: float | None = None) -> Job:
    counts = PhotoCounts(total=100, queued=100 - succeeded - failed, succeeded=succeeded, failed=failed)
    return Job(
        id="job_1",
        state=state,
        counts=counts,
        faces=succeeded * 2,
        created_at=datetime.now(UTC),
        photos_per_second=rate,
    )


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_log_gets_a_line_now_and_then_and_one_at_the_end() -> None:
    text, clock = io.StringIO(), Clock()
    with JobProgress(Console(file=text, width=200), clock=clock) as progress:
        for second in range(25):
            clock.now_s = float(second)
            progress.show(job(second * 2, rate=2.0 if second > 15 else None))
        progress.show(job(97, failed=3, state="ended", rate=4.26))
    assert text.getvalue().splitlines() == [
        "running: 20 of 100 photos, 40 faces",
        "running: 40 of 100 photos, 80 faces, 2.0 photos/s, 0:00:30 left",
        "ended: 100 of 100 photos, 194 faces, 4.3 photos/s, 3 failed",
    ]


def test_an_archive_is_unpacked_towards_no_known_end() -> None:
    text, clock = io.StringIO(), Clock()
    with JobProgress(Console(file=text, width=200), clock=clock) as progress:
        clock.now_s = 11.0
        progress.show(job(0, state="unpacking"))
    assert text.getvalue() == "unpacking: 100 photos so far\n"


def test_a_terminal_gets_a_bar_that_goes_away() -> None:
    text = io.StringIO()
    with JobProgress(Console(file=text, width=100, force_terminal=True)) as progress:
        progress.show(job(40, failed=2))
        progress._bar.refresh()
    assert "42/100" in text.getvalue()
    assert "2 failed" in text.getvalue()


def test_quiet_shows_nothing() -> None:
    text = io.StringIO()
    with JobProgress(Console(file=text, force_terminal=True), quiet=True) as progress:
        progress.show(job(100, state="ended"))
    assert text.getvalue() == ""
