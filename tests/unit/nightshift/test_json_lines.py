"""JSON Lines are split at the line feed alone."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nightshift.client import Client
from nightshift.json_lines import lines
from tests.support.answering_server import Answer, Received, serving
from tests.support.pieces import all_of, coming

BREAKS = "\u0085\u2028\u2029\x0b\x0c\x1c\x1d\x1e\r"


def lines_of(pieces: list[bytes]) -> list[bytes]:
    return all_of(lines(coming(pieces)))


@given(st.lists(st.text()), st.lists(st.integers(1, 7), min_size=1))
def test_any_text_in_pieces_of_any_size(texts: list[str], sizes: list[int]) -> None:
    data = "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts).encode(
        "utf-8", "surrogatepass"
    )
    pieces: list[bytes] = []
    while data:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[:size])
        data = data[size:]
    read = [json.loads(line.decode("utf-8", "surrogatepass")) for line in lines_of(pieces)]
    assert read == texts


def test_the_last_line_needs_no_end() -> None:
    assert list(lines_of([b"1\n\n2", b"3"])) == [b"1", b"23"]


def test_results_whose_names_hold_every_kind_of_line_break(tmp_path: Path) -> None:
    names = [f"party{character}night.jpg" for character in BREAKS]
    documents = [{"custom_id": name, "photo_id": "pho_1", "status": "cancelled"} for name in names]
    body = "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents).encode()

    def answer(_asked: Received, _number: int) -> Answer:
        return Answer(body=body)

    with serving(answer) as server, Client(server.url) as client:
        assert [photo.custom_id for photo in client.results("job_1")] == names
