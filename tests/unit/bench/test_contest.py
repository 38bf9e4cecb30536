"""The protocol, between real processes; the contenders are fakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.contender import serve
from bench.contest import Contender, Entry, environment
from bench.mode import MODES, WITHOUT_BF16, bf16_is_switched_off
from bench.protocol import FoundFace, Pass, Reading, Setup
from nightshift.words.errors import NightshiftError
from tests.support.flows_made import FakeFlow


def setup_of(folder: Path) -> Setup:
    return Setup((Path("a.jpg"), Path("b.jpg"), Path("c.jpg")), Path("weights"), 2, folder, 2)


@contextmanager
def started(flow: str, folder: Path) -> Iterator[Contender]:
    entry = Entry("fake", "a fake", f"tests.support.flows_made:{flow}")
    contender = Contender(entry, setup_of(folder), Path(sys.executable), folder / "log")
    try:
        yield contender
    finally:
        contender.stop()


def test_a_contender_answers_as_often_as_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_HOME", "somewhere")
    with started("FakeFlow", tmp_path) as contender:
        assert contender.about == {"workers": "2", "settings": "[]"}
        for _ in range(2):
            done = contender.run()
            assert (done.seconds, done.stages) == (0.5, {"decode": 0.25})
            # The last corner tells how many photos it was warmed up with.
            assert done.photos == ((FoundFace((0.0, 1.0, 2.0, 2.0), "female", "20-29"),),) * 3
            assert done.peak_bytes > 1_000_000
        assert contender.read().photos[2][0].reading == Reading("male", 0.9, "0-4", 0.1)
    assert "a library speaks" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("flow", "says"),
    [
        ("Refusing", "fake: ValueError: cannot read a.jpg"),
        ("Dying", "fake: it ended with status 7\nwarming up\nthe last words"),
        ("Babbling", "fake: an answer of another shape"),
    ],
)
def test_a_contender_that_fails_is_named_with_its_reason(tmp_path: Path, flow: str, says: str) -> None:
    with started(flow, tmp_path) as contender, pytest.raises(NightshiftError) as failure:
        contender.run()
    assert failure.value.code == "contender_failed"
    assert says in failure.value.message


@pytest.mark.parametrize(("flow", "says"), [("Unloadable", "no weights"), ("Nobody", "AttributeError")])
def test_a_contender_that_cannot_be_loaded_is_named(tmp_path: Path, flow: str, says: str) -> None:
    with pytest.raises(NightshiftError, match=says), started(flow, tmp_path):
        pass


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    entry = Entry("peer", "the peer", "bench.peer_flow:PeerFlow")
    with pytest.raises(NightshiftError, match=r"peer: .*no-python"):
        Contender(entry, setup_of(tmp_path), tmp_path / "no-python", tmp_path / "log")


def test_a_word_it_does_not_know_ends_it(tmp_path: Path) -> None:
    said: list[dict[str, object]] = []
    lines = [json.dumps(setup_of(tmp_path).as_json()), "run\n", "walk\n", "run\n"]

    assert serve(FakeFlow, lines, said.append) == 1
    assert [next(iter(answer)) for answer in said] == ["ready", "photos", "error"]


def test_a_pass_survives_its_way_through_json() -> None:
    face = FoundFace((1.5, 2.0, 3.0, 4.0), "male", "65+", Reading("male", 0.5, "65+", 0.25))
    done = Pass(((face,), ()), 1.25, {"decode": 1.0}, 5)

    assert Pass.from_json(done.as_json()) == done


def test_settings_of_the_caller_do_not_reach_a_contender() -> None:
    given = {"PATH": "p", "NIGHTSHIFT_HOME": "h", "OMP_WAIT_POLICY": "ACTIVE", "OMP_NUM_THREADS": "1"}

    assert environment(given).keys() == {"PATH", "OMP_NUM_THREADS", "PYTHONPATH"}


def test_without_bf16_neither_contenders_nor_floors_have_it() -> None:
    told = environment({**os.environ, "NIGHTSHIFT_PRECISION": "bf16"}, MODES[WITHOUT_BF16])
    said = "from shared.settings import load_settings as l; print(l().precision)"
    said += "; from bench.mode import bf16_is_switched_off as off; print(off())"
    ran = subprocess.run([sys.executable, "-c", said], env=told, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["fp32", "True"]
    assert not bf16_is_switched_off({})
