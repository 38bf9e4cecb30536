"""Draws a run's log, and the model card's pictures.

python -m training.plot DIR
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nightshift.words.errors import NightshiftError
from training.log import read_log

PLOT = "log.svg"
_SMOOTHED_OVER = 20

# The same input gives the same file, and text stays text.
_STYLE: Any = {"svg.hashsalt": "nightshift", "svg.fonttype": "none", "font.size": 9}


def plot_run(folder: Path) -> Path:
    """Draw the loss of every step, smoothed, and the validation after every epoch.

    Returns:
        The picture, `log.svg` in the run's folder.

    Raises:
        InvalidInput: `no_log`.
    """
    entries = read_log(folder)
    steps = [entry for entry in entries if entry["event"] == "step"]
    checks = [entry for entry in entries if entry["event"] == "validation"]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        loss, validation = figure.subplots(1, 2)
        _draw_losses(loss, steps)
        for name, label in (("gender", "gender"), ("age8", "age group"), ("near", "within one group")):
            validation.plot([c["epoch"] + 1 for c in checks], [c[name] for c in checks], "o-", label=label)
        validation.set(title="validation, averaged weights", xlabel="epoch", ylabel="share right")
        if checks:
            validation.legend(frameon=False)
        return _save(figure, folder / PLOT)


def plot_reliability(path: Path, heads: Mapping[str, Sequence[Mapping[str, float]]]) -> Path:
    """Draw how sure labels were against how often they were right, one panel a head.

    Args:
        path: of the picture.
        heads: by title, bins as `training.metrics.reliability` gives them.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.2 * len(heads), 3.8), layout="constrained")
        for axes, (title, bins) in zip(
            figure.subplots(1, len(heads), squeeze=False)[0], heads.items(), strict=True
        ):
            axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
            sure, right, faces = (
                np.array([part[key] for part in bins]) for key in ("probability", "right", "faces")
            )
            axes.plot(sure, right, color="C0", linewidth=1)
            axes.scatter(sure, right, s=8 + 200 * faces / max(faces.max(), 1), color="C0", alpha=0.7)
            axes.set(
                title=title,
                xlabel="probability of the label",
                ylabel="share right",
                xlim=(0, 1.02),
                ylim=(0, 1.02),
            )
            axes.set_aspect("equal")
        return _save(figure, path)


def plot_confusion(path: Path, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Path:
    """Draw a confusion matrix: a row for each true class, its shares and counts."""
    table = np.array(counts, dtype=float)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(5.6, 4.8), layout="constrained")
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), value in np.ndenumerate(shares):
            if table[row, column]:
                colour = "white" if value > 0.5 else "black"
                text = f"{value:.0%}\n{int(table[row, column])}"
                axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7)
        ticks = range(len(labels))
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        axes.set(xlabel="answered", ylabel="labelled")
        return _save(figure, path)


def _draw_losses(axes: Axes, steps: Sequence[Mapping[str, Any]]) -> None:
    others = {"event", "epoch", "step", "side", "at", "rate"}
    names = [name for name in (steps[0] if steps else ()) if name not in others]
    for name in names:
        values = np.array([entry.get(name, np.nan) for entry in steps])
        width = min(_SMOOTHED_OVER, len(values))
        smooth = np.convolve(values, np.ones(width) / width, mode="valid")
        axes.plot(np.arange(len(smooth)) + width, smooth, label=name, linewidth=2 if name == "loss" else 0.8)
    axes.set(title=f"training loss, mean of {_SMOOTHED_OVER} steps", xlabel="step", yscale="log")
    if names:
        axes.figure.legend(loc="outside lower left", frameon=False, fontsize=7, ncols=len(names))


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, metadata={"Date": None})
    return path


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the picture is drawn, 2 when there is no run."""
    parser = argparse.ArgumentParser(prog="python -m training.plot", description="Draw a training run's log.")
    parser.add_argument("run", type=Path, help="folder of the run")
    try:
        print(plot_run(parser.parse_args(argv).run))  # noqa: T201
    except NightshiftError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
