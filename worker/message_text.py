"""What people are told of a job: a line that says it all, and a few below it."""

from __future__ import annotations

from collections.abc import Mapping

from nightshift.words.documents import Job
from nightshift.words.plain_text import counted, plain
from nightshift.words.states import Outcome

REASONS = 5
"""Reasons of failures that are told; the others are counted."""

_HARMLESS = str.maketrans({"<": "‹", ">": "›", "@": "＠"})  # noqa: RUF001 - it is to look alike
"""For what chats take for markup, which breaks a message, or for a call to everybody who is there."""
_ENDED = {
    Outcome.SUCCEEDED: "is done",
    Outcome.PARTIAL: "is done, but for some photos",
    Outcome.FAILED: "has failed",
    Outcome.CANCELLED: "was cancelled",
    Outcome.EXPIRED: "has expired",
}


def title_of(event: str, job: Job | None) -> str:
    """One line, in plain text.

    Args:
        event: as of a delivery.
        job: as the API shows it; None for a test.
    """
    if job is None:
        return "Nightshift: a test"
    told = {
        "job.failed_early": "stops: too many photos fail",
        "job.progress": f"is {job.progress:.0%} done",
        "job.expiring": f"will be erased {job.results_expire_at:%Y-%m-%d %H:%M} UTC"
        if job.results_expire_at
        else "will be erased",
    }
    ended = _ENDED[job.outcome] if isinstance(job.outcome, Outcome) else "has ended"
    return f"Nightshift: {_quoted(job.label or job.id)} {told.get(event, ended)}"


def text_of(job: Job | None, failures: Mapping[str, int], public_url: str) -> str:
    """A few lines of plain text: the counts, failures by reason, and where to look.

    Args:
        job: as the API shows it; None for a test.
        failures: photos that failed, by error code.
        public_url: of the service's page; empty for no link.
    """
    page = public_url.rstrip("/")
    if job is None:
        return "\n".join(["Messages arrive here.", *([page] if page else [])])
    counts = job.counts
    said = {
        "succeeded": counts.succeeded,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
        "to do": counts.total - counts.final,
    }
    parts = [f"{number:,} {what}" for what, number in said.items() if number]
    lines = [f"{counted(counts.total, 'photo')}: {', '.join(parts) or 'none'}; {counted(job.faces, 'face')}"]
    if job.error is not None:
        lines.append(_quoted(job.error.message))
    often = sorted(failures.items(), key=lambda each: (-each[1], each[0]))
    reasons = [f"{number:,} {plain(code).replace('_', ' ')}" for code, number in often[:REASONS]]
    if rest := sum(number for _, number in often[REASONS:]):
        reasons.append(f"{rest:,} for other reasons")
    if reasons:
        lines.append(f"Failed: {', '.join(reasons)}")
    if page:
        lines.append(f"{page}/#/jobs/{job.id}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """Somebody's words, as words."""
    return plain(text).translate(_HARMLESS)
