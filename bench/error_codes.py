"""Every error code of the benchmarks."""

from __future__ import annotations

from nightshift.words.errors import AnyCode, Fault

CLIENT, _, OPERATOR, SERVICE = Fault


class BenchCode(AnyCode):
    """The codes of bench/; those of what it measures are `Code`s."""

    UNREADABLE_PHOTO = "unreadable_photo", CLIENT
    """Pillow alone, which the plain flow has, cannot open a photo of the folder.
    Leave it out: all flows are to do the same work."""
    NO_SUCH_CONTENDER = "no_such_contender", CLIENT
    """There is no contender of this name.
    The message lists them."""
    NO_CONTENDERS = "no_contenders", CLIENT
    """Nobody takes part: what was chosen is not installed, or not for this machine.
    The message says why; `make bench-peer` installs the peer."""
    NO_PLAIN_NETWORK = "no_plain_network", CLIENT
    """These weights are of ONNX networks, which the plain flow does not have.
    Choose a bundle of another architecture."""
    CONTENDER_FAILED = "contender_failed", SERVICE
    """A contender's process ended, or gave no answer in time.
    The message has its last lines."""
    FLOORS_FAILED = "floors_failed", SERVICE
    """The process that measures the floors ended.
    The message has its last lines."""
    RESULTS_MISSING = "results_missing", SERVICE
    """The queue flow's job ended without all its results.
    Look at the logs in its home."""
    BAD_RESULTS = "bad_results", CLIENT
    """A file of results cannot be read, or is none.
    Look at the path; `make bench` writes them."""
    PERFORMANCE_STALE = "performance_stale", CLIENT
    """docs/performance.md says something else than the results.
    `python -m bench.report`."""
