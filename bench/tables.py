"""One benchmark run as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.mode import MODES
from bench.results import Agreement, Floors, Result, Results, Spread, ratios, spread

PLAIN, PEER = "plain", "peer"
CLOSE = 0.05
"""A label may differ from the fp32 network's where that one's top two classes are within this."""

NOISY = 0.10
"""Share of the cores' time taken by others from which on a measurement is marked."""

_STAGES_OF = ("plain", "pipeline", "queue-2", "pipeline-384", "queue-2-384")
_CROPS = {"plain": "plain MTCNN's faces", "same": "its own faces"}


def section(run: Results, picture: str) -> str:
    """A run: what was measured on what, speed, faces, labels, stages and floors, and the picture."""
    parts = [
        f"### {run.photos.source}",
        _subject(run),
        _speed(run),
        f"![Seconds a photo of each contender, and its stages]({picture})",
        _notes(run),
        "#### Labels",
        _labels(run),
        "#### Stages and floors",
        _stages(run),
        _floors(run),
    ]
    return "\n\n".join(part for part in parts if part)


def _subject(run: Results) -> str:
    machine, photos, weights = run.machine, run.photos, run.weights
    features = ", ".join(machine.features) or "none"
    lacking = [name for name in ("AVX2", "AVX-512", "bf16") if name not in machine.features]
    return (
        f"{photos.count:,} photos of {photos.megapixels_least:.1f} to {photos.megapixels_most:.1f} megapixels"
        f" (median {photos.megapixels_median:.1f}), {photos.size_bytes / photos.count / 1e6:.1f} MB each;"
        f" {_rounds(run.rounds)} on {run.day.isoformat()}. Weights `{weights.name}`"
        f" ({weights.input_px} px). {machine.cpu}, {machine.cores} cores,"
        f" {machine.memory_bytes / 2**30:.0f} GiB; it has {features}"
        f"{f' and lacks {_listed(lacking)}' if lacking else ''}. Python {machine.python}, torch"
        f" {machine.torch}, {machine.threads} threads by default.{_mode(run)}"
    )


def _mode(run: Results) -> str:
    says = MODES[run.mode].says
    return f" **{says[0].upper()}{says[1:]}.**" if says else ""


def _rounds(number: int) -> str:
    return "1 round" if number == 1 else f"{number} interleaved rounds"


def _speed(run: Results) -> str:
    plain, peer = run.of(PLAIN), run.of(PEER)
    rows = []
    for result in run.results:
        each = spread([seconds / run.photos.count for seconds in result.seconds])
        rows.append(
            (
                result.title,
                f"{each.median:.3f}",
                f"{each.least:.3f}-{each.most:.3f}",
                f"{1 / each.median:.1f}",
                _times(plain, result),
                _times(peer, result),
                f"{result.faces:,}",
                "" if result.matched is None else f"{result.matched:,}",
                f"{result.peak_bytes / 2**20:,.0f}",
            )
        )
    head = (
        *("Contender", "s a photo", "least-most", "photos/s", "times the plain flow", "times the peer"),
        *("faces", "matched", "peak MiB"),
    )
    return table(head, rows)


def _notes(run: Results) -> str:
    lines = [
        "Times are medians of the rounds; ratios are medians of the rounds' ratios, with their least and"
        " most. `matched`: faces whose box has an IoU over 0.5 with one of plain MTCNN's; both count faces"
        " from a confidence of 0.90. Peak memory is the sum of each process's own peak, so what processes"
        " share counts in each. Every contender is loaded and warm before it is timed; the queue is timed"
        " from opening the job to its end, without starting and stopping the service.",
        f"Set-up. {' '.join(_about(result) for result in run.results)}",
    ]
    lines += [f"{entry.title} did not run: {entry.reason}." for entry in run.skipped]
    noisy = [r.title for r in run.results if r.others_share is not None and r.others_share > NOISY]
    if noisy:
        lines.append(
            f"**Other processes took more than {NOISY:.0%} of the cores' time in a pass of:"
            f" {'; '.join(noisy)}.**"
        )
    if any(r.name.endswith("-384") for r in run.results):
        lines.append(
            "At 384 px stands the original's network, EfficientNetV2-S, as in the plain flow. Only the speed"
            " is meant: the weights were not trained at that size, and it does not depend on what they hold."
        )
    return "\n\n".join(lines)


def _about(result: Result) -> str:
    return f"{result.title}: {', '.join(f'{name} {value}' for name, value in result.about.items())}."


def _labels(run: Results) -> str:
    rows = [
        (
            result.title,
            _CROPS[found.crops],
            f"{found.faces:,}",
            _share(found.gender, found.faces),
            _share(found.age_group, found.faces),
            _share(found.both, found.faces),
            _flips(found),
        )
        for result in run.results
        for found in result.agreements
    ]
    if not rows:
        return "No labels were compared."
    head = (
        *("Labels of", "against fp32 on", "faces", "gender agreed", "age group agreed", "both"),
        f"differing, and how many of them by more than {CLOSE}",
    )
    return (
        f"{table(head, rows)}\n\nThe fp32 network is torchvision's, eager, with the same weights. On its own"
        " faces only the arithmetic differs; on plain MTCNN's also decoding and landmarks. The last column"
        " counts labels that differ, and those of them where the fp32 network's top two classes lie further"
        f" apart than {CLOSE}."
    )


def _stages(run: Results) -> str:
    shown = [result for name in _STAGES_OF if (result := run.of(name))]
    names = list(dict.fromkeys(name for result in shown for name in result.stages))
    rows = [
        (
            name,
            *(
                f"{result.stages[name] / run.photos.count * 1000:.1f}" if name in result.stages else ""
                for result in shown
            ),
        )
        for name in names
    ]
    if not rows:
        return ""
    times = table(("ms a photo", *(result.title for result in shown)), rows)
    return (
        f"{times}\n\nMedians of the rounds, added up over all processes: stages that run at the same time may"
        " add up to more than the photo took."
    )


def _floors(run: Results) -> str:
    floors = run.floors
    faces = _faces_a_photo(run)
    rows = [_decode_row(run), *_network_rows(run, faces)]
    bf16 = f"{floors.bf16_flops / 1e9:,.1f} GFLOP/s{'' if floors.bf16_is_native else ', emulated'}"
    jpeg = (
        f" libjpeg decodes {floors.full_bytes_rate / 1e6:.1f} MB or {floors.full_pixels_rate / 1e6:.0f}"
        f" megapixels a second on one core, at the scale that leaves 1080 rows"
        f" {floors.scaled_bytes_rate / 1e6:.1f} MB."
        if floors.jpegs
        else " There were no JPEGs to measure libjpeg on."
    )
    head = ("Floor, ms a photo on all cores", "work a photo", "fp32", "bf16", *_beside(run))
    return (
        f"{table(head, rows)}\n\nMatrix product: fp32 {floors.fp32_flops / 1e9:,.1f} GFLOP/s on all cores,"
        f" bf16 {bf16}.{jpeg} P-Net's work follows from the photos' sizes, that of R- and O-Net from the"
        f" candidates that plain MTCNN had, the classifier's from {faces:.2f} faces a photo. Beside the"
        " floors stands what the stage took, as above; one that works on one core at a time, as plain"
        " decoding does, is not spread over the others."
    )


def _faces_a_photo(run: Results) -> float:
    """The pipeline's, or else of whoever found any."""
    result = run.of("pipeline") or max(run.results, key=lambda each: each.faces, default=None)
    return result.faces / run.photos.count if result else 0.0


def _decode_row(run: Results) -> tuple[str, ...]:
    floors, cores = run.floors, run.machine.cores
    if not floors.jpegs:
        return ("decode", "no JPEGs", "", "", *_took(run, "decode"))
    full = floors.jpeg_bytes / floors.full_bytes_rate / cores * 1000
    scaled = floors.jpeg_bytes / floors.scaled_bytes_rate / cores * 1000
    work = f"{floors.jpeg_bytes / 1e6:.2f} MB"
    return ("decode", work, f"{scaled:.1f} scaled, {full:.1f} full", "", *_took(run, "decode"))


def _network_rows(run: Results, faces: float) -> Iterable[tuple[str, ...]]:
    floors = run.floors
    detect = floors.pnet_flops + floors.rnet_flops + floors.onet_flops
    yield _row("detect", detect, floors, _took(run, "detect"))
    enlarged = [size for size in floors.face_flops if size != run.weights.input_px]
    for size in (run.weights.input_px, *enlarged):
        took = _took(run, "classify", size)
        yield _row(f"classify, {size} px", floors.face_flops[size] * faces, floors, took)


def _row(name: str, flops: float, floors: Floors, took: Sequence[str]) -> tuple[str, ...]:
    bf16 = f"{flops / floors.bf16_flops * 1000:.1f}" if floors.bf16_is_native else "emulated"
    return (name, f"{flops / 1e9:.2f} GFLOP", f"{flops / floors.fp32_flops * 1000:.1f}", bf16, *took)


def _compared(run: Results) -> list[tuple[str, Result, int]]:
    """Name, result and input size of those whose stages stand beside the floors."""
    small = run.weights.input_px
    pairs = (("plain", 384), ("pipeline", small), ("pipeline-384", 384))
    return [(name, result, size) for name, size in pairs if (result := run.of(name))]


def _beside(run: Results) -> list[str]:
    return [result.title for _, result, _ in _compared(run)]


def _took(run: Results, stage: str, size: int | None = None) -> list[str]:
    """Cells of what a stage took, empty for a contender that reads crops of another size."""
    return [
        ""
        if stage not in result.stages or (size is not None and size != reads)
        else f"{result.stages[stage] / run.photos.count * 1000:.1f}"
        for _, result, reads in _compared(run)
    ]


def _times(base: Result | None, result: Result) -> str:
    if base is None or base.name == result.name:
        return ""
    found: Spread = spread(ratios(base.seconds, result.seconds))
    return f"{found.median:.2f} ({found.least:.2f}-{found.most:.2f})"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else ""


def _flips(found: Agreement) -> str:
    wide = sum(margin > CLOSE for margin in found.flip_margins)
    widest = f", at most by {max(found.flip_margins):.3f}" if found.flip_margins else ""
    return f"{len(found.flip_margins)}; {wide}{widest}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown: the first column to the left, the others to the right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
