"""A process for decoders that are not trusted: whatever ends it costs one file, and has a name."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nightshift.words.errors import Unreadable
from nightshift.words.options import AnalysisOptions
from shared.settings import Settings
from tests.support.pictures.raws import dng
from worker.pipeline.decoding import apart_child, jxl, raw
from worker.pipeline.decoding.apart import Apart, Refused
from worker.pipeline.decoding.limits import Decoder

CHILD = """
import os, signal, sys, time
from worker.pipeline.decoding import apart_child
spoiled = []
def echo(data, asked):
    if spoiled:
        os.kill(os.getpid(), signal.SIGSEGV)
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
def spoil(data, asked):
    spoiled.append(data)
    return {}, ()
def babble(data, asked):
    os.write(3, data)
    time.sleep(60)
def told(data, asked):
    for each in asked["signals"]:
        os.kill(os.getpid(), each)
    return {}, ()
def pid(data, asked):
    return {"pid": os.getpid()}, ()
def knows(data, asked):
    return {"names": list(os.environ)}, ()
all_ = (echo, die, leave, loud, fill, burn, raises, lacks, spoil, babble, told, pid, knows)
apart_child.OPERATIONS.update({each.__name__: each for each in all_})
apart_child.main()
"""
BURNS = """
from worker.pipeline.decoding import apart_child
def burn(data, asked):
    while True:
        pass
apart_child.OPERATIONS.update(jxl=burn, raw_preview=burn, raw_developed=burn)
apart_child.main()
"""
BARE_JXL = bytes.fromhex("ff0a0f00") + bytes(64)
MB = 1_000_000


@pytest.fixture
def apart() -> Iterator[Apart]:
    reader = Apart((sys.executable, "-c", CHILD))
    yield reader
    reader.close()


def ask(apart: Apart, operation: str, data: bytes = b"", **more: Any) -> Any:
    limits = {"memory": 50 * MB, "seconds": 30} | more
    return apart.ask(operation, data, package="decoder>=1", **limits)


def code_of(apart: Apart, operation: str, data: bytes = b"", **more: Any) -> str:
    with pytest.raises(Unreadable) as caught:
        ask(apart, operation, data, **more)
    return caught.value.code


def test_files_go_and_pictures_come(apart: Apart) -> None:
    data = os.urandom(3 * MB)
    for word in ("one", "two"):
        known, bodies = ask(apart, "echo", data, word=word)
        assert (known, bodies) == ({"said": word}, [data, data[:3]])


def test_what_ends_it_costs_one_file(apart: Apart) -> None:
    for number in (6, 11):
        assert code_of(apart, "die", signal=number) == "corrupt_image"
    assert code_of(apart, "leave") == "corrupt_image"
    assert ask(apart, "echo", b"abcd", word="still there") == ({"said": "still there"}, [b"abcd", b"abc"])


def test_no_file_is_blamed_for_what_an_earlier_one_broke(apart: Apart) -> None:
    ask(apart, "spoil", b"it")
    assert ask(apart, "echo", b"abcd", word="whole") == ({"said": "whole"}, [b"abcd", b"abc"])


@pytest.mark.parametrize(
    "says",
    [b"no JSON\n", b"[]\n", b"{}\n", b'{"sizes": 3}\n', b'{"sizes": [-1]}\n', b'{"sizes": ["a"]}\n',
     b'{"sizes": [99999999999999]}\n', b"\xff" * 20_000, b"[" * 20_000],
)  # fmt: skip
def test_what_it_makes_up_is_no_answer(apart: Apart, says: bytes) -> None:
    assert code_of(apart, "babble", says) == "corrupt_image"
    ask(apart, "echo", word="")


def test_who_tells_its_worker_to_stop_does_not_end_it(apart: Apart) -> None:
    ask(apart, "told", signals=[signal.SIGTERM, signal.SIGHUP, signal.SIGINT])


def test_a_worker_has_more_patience_than_it_has_time(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, photo_timeout_s=40)
    assert Decoder.under(settings).max_apart_s == settings.stall_s / 2 == 20
    assert Decoder().max_apart_s == Settings(home=tmp_path).stall_s / 2


def test_each_decoder_has_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Apart((sys.executable, "-c", BURNS))
    monkeypatch.setattr(jxl, "APART", reader)
    monkeypatch.setattr(raw, "APART", reader)
    short = Decoder(max_apart_s=0.2)
    image = Image.new("RGB", (64, 64))
    for data in (BARE_JXL, dng(image)):
        with pytest.raises(Unreadable) as caught:
            short(data, AnalysisOptions())
        assert caught.value.code == "timeout"
    reader.close()


def test_the_systems_end_of_it_may_be_short_memory(apart: Apart) -> None:
    with pytest.raises(MemoryError):
        ask(apart, "die", signal=9)


def test_it_may_take_no_more_memory_than_it_was_given(apart: Apart) -> None:
    ask(apart, "fill", bytes=200 * MB)  # what the libraries may take beside it is not used here
    assert code_of(apart, "fill", bytes=700 * MB) == "too_much_memory"
    ask(apart, "fill", bytes=200 * MB)


def test_it_may_take_no_more_time(apart: Apart) -> None:
    assert code_of(apart, "burn", seconds=0.3) == "timeout"
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
