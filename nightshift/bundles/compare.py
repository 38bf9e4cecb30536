"""`nightshift models compare`: the same photos under two bundles, each by a run of its own."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from rich.console import Console

from nightshift.bundles.compared import DIFFERENCES, Compared, Side, write_differences
from nightshift.bundles.comparison import compare
from nightshift.embedded.interrupted_runs import cancel_runs
from nightshift.embedded.run import Request, Run
from nightshift.exits import Exit, say
from nightshift.report import Report, check_writable
from nightshift.results_folder import RESULTS_FOLDER, free
from nightshift.words.documents import BundleName, Photo
from shared.bundles.in_use import bundle_in_use
from shared.db.engine import Database
from shared.settings import Settings, load_settings


def compare_bundles(
    names: tuple[str, str],
    paths: Sequence[Path],
    out: Path | None,
    given: Mapping[str, object],
    console: Console,
) -> Compared | Exit:
    """Analyse the photos with both bundles, and compare; a bare exit code when it was interrupted.

    Args:
        names: of the bundles, or their paths.
        paths: of the photos, absolute.
        out: folder for the results of both and the differences; None for the default.
        given: settings by name.
        console: on standard error.

    Raises:
        NightshiftError: a bundle cannot be used, bad input, a service that cannot go on.
    """
    sides = _sides(names, load_settings(**given))
    out = out or free(Path.cwd() / RESULTS_FOLDER / f"{sides[0].label}-and-{sides[1].label}")
    check_writable(out)
    if sides[0].bundle.sha256 == sides[1].bundle.sha256:
        say("both have the same weights: only what their manifests say can differ")
    again = ["nightshift", "models", "compare", *names, *map(str, paths), "--out", str(out)]
    for name, value in given.items():
        again += [f"--{name}", str(value)]
    done = []
    for side in sides:
        say(f"analysing with {side.label}, sha256 {side.bundle.sha256[:12]}")
        request = Request(
            paths=paths,
            out=out / side.label,
            resume=False,
            options={},
            settings={**given, "bundle": str(side.folder)},
            page=False,
            again=shlex.join(again),
        )
        report = Run(request, console).execute()
        if not isinstance(report, Report):
            # Its photos are taken over when the comparison is made again; nobody is to resume it.
            _cancel(request)
            return report
        done.append(Side(side.folder, side.bundle, side.label, report))
    a, b = done
    comparison = compare(_results(a), _results(b))
    file = out / DIFFERENCES
    write_differences(file, comparison.differences)
    return Compared(a, b, comparison, file, max(side.report.exit for side in done if side.report))


def _cancel(request: Request) -> None:
    settings = load_settings(**request.settings)
    with closing(Database(settings.database_url)) as database, database.write() as session:
        cancel_runs(session, settings.home, request.out or Path.cwd())


def _sides(names: tuple[str, str], settings: Settings) -> list[Side]:
    """Both, checked before anything is started."""
    found = [bundle_in_use(settings.model_copy(update={"bundle": name}), verified=True) for name in names]
    folders, manifests = [folder.absolute() for folder, _ in found], [manifest for _, manifest in found]
    labels = [folder.resolve().name for folder in folders]
    if labels[0].casefold() == labels[1].casefold():
        # Not every disk tells upper from lower case.
        labels = [f"{label}-{letter}" for label, letter in zip(labels, "ab", strict=True)]
    bundles = [BundleName(name=manifest.name, sha256=manifest.sha256) for manifest in manifests]
    return [Side(*side) for side in zip(folders, bundles, labels, strict=True)]


def _results(side: Side) -> Iterator[Photo]:
    assert side.report is not None  # noqa: S101 - both have run
    with side.report.files["jsonl"].open(encoding="utf-8") as file:
        for line in file:
            yield Photo.model_validate_json(line)
