"""The picture of a benchmark run: what each contender took, and what for."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.results import Results

# The same input gives the same file, and text stays text.
_STYLE: Any = {"svg.hashsalt": "nightshift", "svg.fonttype": "none", "font.size": 9}
_COLOURS = {"decode": "C0", "detect": "C1", "align": "C2", "classify": "C3", "detect and classify": "C4"}


def draw(run: Results, path: Path) -> None:
    """Two panels: seconds a photo, median and each round; milliseconds a photo by stage."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 0.8 + 0.42 * len(run.results)), layout="constrained")
        times, stages = figure.subplots(1, 2, sharey=True)
        _draw_times(run, times)
        _draw_stages(run, stages)
        times.set_yticks(range(len(run.results)), [result.title for result in run.results])
        times.invert_yaxis()
        figure.savefig(path, metadata={"Date": None})


def _draw_times(run: Results, axes: Axes) -> None:
    for row, result in enumerate(run.results):
        each = [seconds / run.photos.count for seconds in result.seconds]
        axes.barh(row, statistics.median(each), height=0.6, color="0.8")
        axes.plot(each, [row] * len(each), "o", color="C0", markersize=3)
    axes.set(xlabel="seconds a photo: median, each round", xlim=(0, None))


def _draw_stages(run: Results, axes: Axes) -> None:
    labelled: set[str] = set()
    for row, result in enumerate(run.results):
        left = 0.0
        for name, seconds in result.stages.items():
            width = seconds / run.photos.count * 1000
            label = None if name in labelled else name
            labelled.add(name)
            axes.barh(row, width, left=left, height=0.6, color=_COLOURS.get(name, "0.5"), label=label)
            left += width
    axes.set(xlabel="milliseconds a photo by stage, all processes")
    if labelled:
        axes.legend(frameon=False, fontsize=7)
