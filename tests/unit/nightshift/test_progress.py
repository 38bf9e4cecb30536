import io
from datetime import UTC, datetime

from rich.console import Console

from nightshift.progress import JobProgress
from nightshift.screen import say
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


def shown(*jobs: Job, every_s: float = 1.0) -> list[str]:
    """Lines of a log, of a job that is looked at every so often."""
    text, clock = io.StringIO(), Clock()
    with JobProgress(Console(file=text, width=200), clock=clock) as progress:
        for number, each in enumerate(jobs):
            clock.now_s = number * every_s
            progress.show(each)
    return text.getvalue().splitlines()


def test_a_log_gets_a_line_at_once_at_the_first_photo_now_and_then_and_at_the_end() -> None:
    jobs = [job(max(0, second - 3) * 2, rate=2.0 if second > 9 else None) for second in range(25)]
    assert shown(job(0, state="queued"), *jobs, job(97, failed=3, state="ended", rate=4.26)) == [
        "queued: 0 of 100 photos, waiting for a worker",
        "running: 2 of 100 photos, 4 faces",
        "running: 22 of 100 photos, 44 faces, 2.0 photos/s",
        "running: 42 of 100 photos, 84 faces, 2.0 photos/s, 0:00:29 left",
        "ended: 100 of 100 photos, 194 faces, 4.3 photos/s, 3 failed",
    ]


def test_a_job_whose_window_is_closed_waits_for_its_time_and_for_no_worker() -> None:
    held = job(0, state="queued").model_copy(
        update={
            "waits_until": datetime(2026, 11, 28, 21, tzinfo=UTC),
            "processing_window": "22:00-06:00 Europe/Berlin",
        }
    )
    assert shown(held) == ["queued: 0 of 100 photos, waiting for 2026-11-28 22:00 (Europe/Berlin)"]
    elsewhere = held.model_copy(update={"processing_window": "22:00-06:00 Moon/Crater"})
    assert shown(elsewhere)[0].startswith("queued: 0 of 100 photos, waiting for 2026-11-28 ")


def lefts(*rates: float | None) -> list[bool]:
    """Of looks ten seconds apart, each a photo of 100 further on: whether a time left is shown."""
    text, clock = io.StringIO(), Clock()
    shown = []
    with JobProgress(Console(file=text, width=200), clock=clock) as progress:
        for number, rate in enumerate(rates):
            # Each has its line then.
            clock.now_s += 10
            text.truncate(0)
            progress.show(job(number + 1, rate=rate))
            shown.append(" left" in text.getvalue())
    return shown


def test_a_time_left_is_shown_once_it_has_come_to_rest() -> None:
    # A thousand photos that are known, then one after another.
    assert lefts(None, 50, 10, 2, 0.4, 0.12, 0.11, 0.1, 0.1) == [False] * 6 + [True] * 3
    # It stays, though it moves, until the job does not go on.
    assert lefts(0.1, 0.1, 0.3, None, 0.1, 0.1) == [False, True, True, False, False, True]


def test_nothing_is_counted_before_there_is_something() -> None:
    assert shown(job(0)) == ["running: 0 of 100 photos, waiting for the first of them"]


def test_one_is_one_and_slow_is_not_nothing() -> None:
    one = job(1, state="ended", rate=0.04).model_copy(
        update={"counts": PhotoCounts(total=1, succeeded=1), "faces": 1}
    )
    assert shown(one) == ["ended: 1 of 1 photo, 1 face, 0.04 photos/s"]


def test_what_is_waited_for_is_said_before_there_is_a_job() -> None:
    text = io.StringIO()
    with JobProgress(Console(file=text, width=200)) as progress:
        progress.stage("starting the service")
        assert text.getvalue() == "starting the service\n"


def test_an_archive_is_unpacked_towards_no_known_end() -> None:
    assert shown(job(0, state="unpacking")) == ["unpacking: 100 photos so far"]


def test_a_terminal_gets_no_bar_before_it_is_known_of_how_many() -> None:
    text = io.StringIO()
    with JobProgress(Console(file=text, width=60, force_terminal=True, color_system=None)) as progress:
        progress.stage("starting the service")
        progress._bar.refresh()
        assert "starting the service" in text.getvalue()
        assert not {"\u2501", "/"} & set(text.getvalue())
        progress.show(job(0, state="unpacking"))
        progress._bar.refresh()
        assert "\u2501" not in text.getvalue()
        progress.show(job(40))
        progress._bar.refresh()
        assert "\u2501" in text.getvalue()


def test_a_terminal_gets_a_bar_that_goes_away() -> None:
    text = io.StringIO()
    with JobProgress(Console(file=text, width=100, force_terminal=True)) as progress:
        progress.show(job(40, failed=2))
        progress._bar.refresh()
    assert "42 of 100 photos" in text.getvalue()
    assert "2 failed" in text.getvalue()


def test_the_bar_goes_when_the_job_is_over_and_remarks_do_not_stand_in_its_line() -> None:
    text = io.StringIO()
    with JobProgress(Console(file=text, width=60, force_terminal=True, color_system=None)) as progress:
        progress.show(job(40))
        progress._bar.refresh()
        say("something happened")
        assert "\x1b[2Knightshift: something happened\n" in text.getvalue()
        progress.stage("writing results")
        text.truncate(0)
        progress._bar.refresh()
        assert "writing results" in text.getvalue()
        assert "\u2501" not in text.getvalue()


def test_quiet_shows_nothing() -> None:
    text = io.StringIO()
    with JobProgress(Console(file=text, force_terminal=True), quiet=True) as progress:
        progress.show(job(100, state="ended"))
    assert text.getvalue() == ""
