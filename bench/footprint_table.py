"""What Nightshift takes of a machine, as Markdown."""

from __future__ import annotations

from bench.footprint_results import Footprint, Install, JobCost, Start
from bench.protocol import STAGES
from bench.results import Spread, spread
from bench.tables import table


def footprint_section(found: Footprint) -> str:
    """A table of what was measured, each with its goal, and one of jobs by size; empty where nothing was."""
    rows = [*_install(found.install), *_start(found.start), *_memory(found.memory)]
    if not rows and not found.jobs:
        return ""
    parts = ["### What it takes of a machine", f"{found.cpu}, {found.cores} cores. Weights `{found.bundle}`."]
    if rows:
        parts.append(table(("", "measured", "goal"), rows))
    if found.jobs:
        parts += ["#### What a photo costs in jobs of several sizes", _jobs(found)]
    return "\n\n".join(parts)


def _install(install: Install | None) -> list[tuple[str, str, str]]:
    if install is None:
        return []
    return [
        ("environment for the CPU", f"{install.size_bytes / 1e6:,.0f} MB", "under 1,200 MB"),
        ("making it, packages at hand", f"{install.seconds:.0f} s, {install.packages} packages", "60 s"),
    ]


def _start(start: Start | None) -> list[tuple[str, str, str]]:
    if start is None:
        return []
    runs = f"{len(start.first_s)} runs over {start.photos} photos"
    return [
        ("`nightshift run` to its first photo done", f"{_spread(spread(start.first_s))}; {runs}", "5 s"),
        ("`nightshift run` to its end", f"{_spread(spread(start.total_s))}; {runs}", ""),
    ]


def _memory(memory: JobCost | None) -> list[tuple[str, str, str]]:
    if memory is None:
        return []
    says = (
        f"{memory.worker_bytes / 1e6:,.0f} MB resident ({memory.worker_own_bytes / 1e6:,.0f} MB with what is"
        f" shared divided; at most {memory.worker_peak_bytes / 1e6:,.0f} MB)"
    )
    return [(f"a worker on the CPU after {memory.photos:,} photos", says, "under 500 MB")]


def _jobs(found: Footprint) -> str:
    rows = []
    for photos, job in sorted(found.jobs.items()):
        stages = (f"{job.stages.get(name, 0.0) / photos * 1000:.1f}" for name in STAGES)
        rows.append(
            (
                f"{photos:,}",
                f"{job.workers}",
                f"{job.seconds / photos * 1000:.1f}",
                *stages,
                f"{job.faces:,}",
                f"{job.worker_bytes / 1e6:,.0f}",
                f"{job.worker_peak_bytes / 1e6:,.0f}",
            )
        )
    head = ("photos", "workers", "ms a photo", *STAGES, "faces", "MB a worker", "at most")
    text = "Real photos made into many by variation. From opening the job to its end, with warm workers;"
    return f"{table(head, rows)}\n\n{text} stages are added up over all processes."


def _spread(found: Spread) -> str:
    return f"{found.median:.1f} s ({found.least:.1f}-{found.most:.1f})"
