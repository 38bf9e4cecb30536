"""A process for decoders that are not trusted: whatever ends it costs one file, and has a name."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nightshift.words.errors import Unreadable
from worker.pipeline.decoding import apart_child
from worker.pipeline.decoding.apart import Apart, Refused

CHILD = """
import os, signal, sys, time
from worker.pipeline.decoding import apart_child
def echo(data, asked):
    return {"said": asked["word"]}, (data, data[:3])
def die(data, asked):
    os.kill(os.getpid(), asked["signal"])
def leave(data, asked):
    os._exit(3)
def loud(data, asked):
    os.write(1, b"a decoder's words"); os.write(2, b"and more"); print("more")
    return {}, ()
def fill(data, asked):
    return {}, (bytes(asked["bytes"]),)
def burn(data, asked):
    while True:
        pass
def raises(data, asked):
    raise ValueError("wrong\\nand a second line")
def lacks(data, asked):
    import a_decoder_that_nobody_has
def pid(data, asked):
    return {"pid": os.getpid()}, ()
def knows(data, asked):
    return {"names": list(os.environ)}, ()
all_ = (echo, die, leave, loud, fill, burn, raises, lacks, pid, knows)
apart_child.OPERATIONS.update({each.__name__: each for each in all_})
apart_child.CPU_S = 0.3
apart_child.main()
"""
MB = 1_000_000


@pytest.fixture
def apart() -> Iterator[Apart]:
    reader = Apart((sys.executable, "-c", CHILD))
    yield reader
    reader.close()


def ask(apart: Apart, operation: str, data: bytes = b"", **more: Any) -> Any:
    return apart.ask(operation, data, package="decoder>=1", memory=50 * MB, **more)


def code_of(apart: Apart, operation: str, **more: Any) -> str:
    with pytest.raises(Unreadable) as caught:
        ask(apart, operation, **more)
    return caught.value.code


def test_files_go_and_pictures_come(apart: Apart) -> None:
    data = os.urandom(3 * MB)
    for word in ("one", "two"):
        known, bodies = ask(apart, "echo", data, word=word)
        assert (known, bodies) == ({"said": word}, [data, data[:3]])


def test_what_ends_it_costs_one_file(apart: Apart) -> None:
    for signal in (6, 11):
        assert code_of(apart, "die", signal=signal) == "corrupt_image"
    assert code_of(apart, "leave") == "corrupt_image"
    assert ask(apart, "echo", b"abcd", word="still there") == ({"said": "still there"}, [b"abcd", b"abc"])


def test_the_systems_end_of_it_may_be_short_memory(apart: Apart) -> None:
    with pytest.raises(MemoryError):
        ask(apart, "die", signal=9)


def test_it_may_take_no_more_memory_than_it_was_given(apart: Apart) -> None:
    ask(apart, "fill", bytes=200 * MB)  # what the libraries may take beside it is not used here
    assert code_of(apart, "fill", bytes=700 * MB) == "too_much_memory"
    ask(apart, "fill", bytes=200 * MB)


def test_it_may_take_no_more_time(apart: Apart) -> None:
    assert code_of(apart, "burn") == "timeout"
    ask(apart, "echo", word="")


def test_nobody_hears_what_it_says(apart: Apart, capfd: pytest.CaptureFixture[str]) -> None:
    assert ask(apart, "loud") == ({}, [])
    ask(apart, "echo", word="")
    assert capfd.readouterr() == ("", "")


def test_what_it_raises_has_a_name(apart: Apart) -> None:
    with pytest.raises(Refused) as caught:
        ask(apart, "raises")
    assert (caught.value.kind, caught.value.reason) == ("ValueError", "wrong")


def test_a_decoder_that_is_not_installed_is_named_with_what_installs_it(apart: Apart) -> None:
    with pytest.raises(Unreadable) as caught:
        ask(apart, "lacks")
    assert caught.value.code == "decoder_not_installed"
    assert 'pip install "decoder>=1"' in caught.value.message


def test_it_is_one_process_for_all_threads_and_ends_with_who_asks(apart: Apart) -> None:
    pids: list[int] = []

    def one() -> None:
        known, _ = ask(apart, "pid")
        pids.append(known["pid"])

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 4 and len(set(pids)) == 1
    apart.close()
    assert not Path(f"/proc/{pids[0]}").exists()


def test_it_knows_no_secrets(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_API_KEY", "a" * 40)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    known, _ = ask(apart, "knows")
    assert "PATH" in known["names"]
    assert not [name for name in known["names"] if "KEY" in name or name.startswith("NIGHTSHIFT")]


def test_it_imports_nothing_of_the_service() -> None:
    names = {name for name in vars(apart_child) if not name.startswith("_")}
    assert "torch" not in names
    source = Path(apart_child.__file__).read_text(encoding="utf-8")
    assert "from worker" not in source and "from shared" not in source and "from nightshift" not in source
