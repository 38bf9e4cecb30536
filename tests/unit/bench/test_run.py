from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import needs_torch as _needs_torch  # noqa: F401

# isort: split
from bench import run
from bench.photo_folder import describe_photos, photos_in, sampled
from bench.samples import astronaut_jpeg, no_face_jpeg
from nightshift.words.errors import InvalidInput
from tests.support.onnx_made import make_onnx_bundle


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "one.jpg").write_bytes(astronaut_jpeg(300))
    (folder / "none.jpg").write_bytes(no_face_jpeg())
    return folder


def test_each_round_begins_with_another_one() -> None:
    names = ["a", "b", "c"]

    assert [name for _, name in run.turns(names, 4)] == [*"abc", *"bca", *"cab", *"abc"]
    assert [number for number, _ in run.turns(names, 2)] == [0, 0, 0, 1, 1, 1]


def test_contenders_are_chosen_by_name() -> None:
    assert [entry.name for entry in run.chosen("queue-1, plain")] == ["plain", "queue-1"]
    assert run.chosen("") == list(run.ENTRIES)
    with pytest.raises(InvalidInput, match="somebody: there are plain") as refusal:
        run.chosen("plain,somebody")
    assert refusal.value.code == "no_such_contender"


def test_photos_are_described_without_their_names(photos: Path) -> None:
    found = photos_in(photos)
    about = describe_photos(found, "Two")

    assert (about.count, about.megapixels_least) == (2, 0.09)
    assert about.size_bytes == sum(path.stat().st_size for path in found)
    assert "one" not in about.model_dump_json()


def test_a_sample_is_spread_over_all() -> None:
    paths = [Path(str(number)) for number in range(100)]

    assert [path.name for path in sampled(paths, 4)] == ["0", "25", "50", "75"]
    assert sampled(paths[:3], 4) == paths[:3]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda folder: None, "no_such_path"),
        (lambda folder: folder.mkdir(), "no_photos"),
        (lambda folder: (folder.mkdir(), (folder / "a.jpg").write_bytes(b"no photo")), "unreadable_photo"),
    ],
)
def test_folders_that_will_not_do_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: object, code: str
) -> None:
    folder = tmp_path / "folder"
    make(folder)  # type: ignore[operator]

    assert run.main([str(folder), "--out", str(tmp_path / "out.json")]) == 2
    assert capsys.readouterr().err.startswith(f"{code}: ")


def test_a_peer_that_is_not_installed_is_left_out_with_the_reason(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(photos), "--only", "peer", "--peer-python", str(tmp_path / "none")]

    assert run.main([*arguments, "--out", str(tmp_path / "out.json")]) == 2
    assert "no_contenders: it is not installed (`make bench-peer` does it)" in capsys.readouterr().err


def test_onnx_networks_have_no_plain_flow_to_be_measured_against(photos: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "made"
    make_onnx_bundle(bundle)
    request = run.Request(photos_in(photos), "Two", run.chosen("plain"), bundle)

    with pytest.raises(InvalidInput) as refusal:
        run.measure(request, lambda _: None)
    assert refusal.value.code == "no_plain_network"
