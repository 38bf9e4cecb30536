"""Rows that the client iterates, and the files and data frames that are made of them."""

from __future__ import annotations

import errno
import io
import json
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import pytest
from typer.testing import CliRunner

from nightshift.cli import app
from nightshift.client import AsyncClient, Client
from nightshift.rows import imported
from nightshift.table_files import save_table
from nightshift.words.columns import columns
from nightshift.words.documents import Photo
from nightshift.words.errors import NightshiftError
from nightshift.words.table_rows import About, face_rows, in_words, photo_row
from nightshift.words.tables import FaceRow, PhotoRow
from shared.reads.flat_tables import FACES, PHOTOS
from tests.support.answering_server import Answer, Received, Server, serving
from tests.support.report_made import fake_photo, job_of
from tests.support.requirements import require

ODD = "=1+1 \u00e4\u4e2d.jpg"


def photos() -> list[Photo]:
    return [fake_photo(number) for number in range(40)] + [fake_photo(3, ODD)]


@pytest.fixture
def about() -> About:
    return About.of(*job_of(photos()))


@pytest.fixture
def server() -> Iterator[Server]:
    job, summary = job_of(photos())

    def answer(request: Received, _: int) -> Answer:
        path = request.path.partition("?")[0]
        if path.endswith("/results"):
            return Answer(200, body="".join(f"{photo.model_dump_json()}\n" for photo in photos()).encode())
        if path.endswith("/photos"):
            return Answer(
                200, {"photos": [photo.model_dump(mode="json") for photo in photos()], "next": None}
            )
        said = summary if path.endswith("/summary") else job
        return Answer(200, json.loads(said.model_dump_json()))

    with serving(answer) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url) as client:
        yield client


@pytest.fixture
def expected(about: About) -> tuple[list[PhotoRow], list[FaceRow]]:
    return (
        [photo_row(photo, about) for photo in photos()],
        [row for photo in photos() for row in face_rows(photo, about)],
    )


Expected = tuple[list[PhotoRow], list[FaceRow]]


def test_faces_are_rows_and_photos_documents(client: Client, expected: Expected) -> None:
    assert list(client.faces("job_1")) == expected[1]
    assert [photo.custom_id for photo in client.photos("job_1")] == [row.custom_id for row in expected[0]]
    assert next(client.faces("job_1")).custom_id == expected[1][0].custom_id


def test_they_are_awaited_just_so(server: Server, expected: Expected) -> None:
    async def listed() -> list[FaceRow]:
        async with AsyncClient(server.url) as client:
            return [row async for row in client.faces("job_1")]

    assert anyio.run(listed) == expected[1]


@pytest.mark.parametrize("group", ["0-4", "5-9", "10-19", "20-39", "65+"])
def test_no_group_is_a_date_or_a_number(group: str) -> None:
    assert re.fullmatch(r"\d+ (to \d+|or more)", in_words(group))


def test_numbers_have_the_digits_that_are_said(expected: Expected) -> None:
    for rows in expected:
        for row in rows:
            for column in columns(type(row)):
                value, digits = getattr(row, column.name), column.told.digits
                assert value is not None or column.optional, column.name
                if value is not None and digits is not None:
                    assert value == round(value, digits)


def test_what_is_not_installed_is_said() -> None:
    with pytest.raises(NightshiftError, match="nowhere_to_be_found") as error:
        imported("nowhere_to_be_found.parquet")
    assert error.value.code == "tables_missing"


def rows_in(frame: Any) -> list[dict[str, Any]]:
    """Rows of a data frame or a table of Arrow, None where a cell is empty."""
    pandas = imported("pandas")
    return [
        {name: None if pandas.isna(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


@pytest.mark.parametrize("name", ["photos", "faces"])
def test_pandas_has_them_with_the_types_of_their_columns(
    client: Client, expected: Expected, name: str
) -> None:
    require(find_spec("pandas"), "pandas is not installed", essential=False)
    rows = expected[name == "faces"]
    frame = client.photos("job_1").to_pandas() if name == "photos" else client.faces("job_1").to_pandas()
    assert rows_in(frame) == [vars(row) for row in rows]
    kinds = {"text": "string", "integer": "int64", "number": "float64", "truth": "bool"}
    for column in columns(type(rows[0])):
        kind = str(frame[column.name].dtype).lower()
        assert kind.removesuffix("ean") == kinds[column.kind] or kind.startswith("str"), column.name


@pytest.mark.parametrize("table", [PHOTOS, FACES])
def test_pandas_reads_the_csv_with_the_right_types(table: Any, about: About, tmp_path: Path) -> None:
    require(find_spec("pandas"), "pandas is not installed", essential=False)
    pandas = imported("pandas")
    path = tmp_path / "table.csv"
    path.write_text(table.head() + table.lines(photos(), about), encoding="utf-8", newline="")
    frame = pandas.read_csv(path)
    assert list(frame) == [column.name for column in columns(table.row)]
    is_kind = {
        "integer": pandas.api.types.is_integer_dtype,
        "number": pandas.api.types.is_float_dtype,
        "truth": pandas.api.types.is_bool_dtype,
        "text": pandas.api.types.is_string_dtype,
    }
    for column in columns(table.row):
        # A column with empty cells has floats for numbers; one that is empty says nothing.
        if not column.optional:
            assert is_kind[column.kind](frame[column.name]), column.name
        elif column.kind in ("integer", "number"):
            assert pandas.api.types.is_numeric_dtype(frame[column.name]), column.name


@pytest.mark.parametrize("name", ["photos", "faces"])
def test_parquet_has_the_same_rows(client: Client, expected: Expected, name: str) -> None:
    require(find_spec("pyarrow"), "pyarrow is not installed", essential=False)
    file = io.BytesIO()
    save_table(client, "job_1", file, f"{name}.parquet")
    read = imported("pyarrow.parquet").read_table(io.BytesIO(file.getvalue()))
    assert read.to_pylist() == [vars(row) for row in expected[name == "faces"]]
    assert read.schema.metadata[b"nightshift.format_version"] == b"1"
    assert read.schema.field("photo_id").metadata[b"meaning"]


def test_a_workbook_has_the_same_rows_and_their_meanings(client: Client, expected: Expected) -> None:
    both = find_spec("xlsxwriter") and find_spec("openpyxl")
    require(both, "xlsxwriter or openpyxl is not installed", essential=False)
    file = io.BytesIO()
    save_table(client, "job_1", file, "xlsx")
    book = imported("openpyxl").load_workbook(io.BytesIO(file.getvalue()))
    tables: dict[str, Sequence[PhotoRow | FaceRow]] = {"photos": expected[0], "faces": expected[1]}
    for name, rows in tables.items():
        head, *lines = book[name].iter_rows(values_only=True)
        told = columns(type(rows[0]))
        assert head == tuple(column.name for column in told)
        assert [dict(zip(head, line, strict=True)) for line in lines] == [vars(row) for row in rows]
    assert ODD in [row[0].value for row in book["photos"].iter_rows()]
    assert "f" not in {cell.data_type for row in book["photos"].iter_rows() for cell in row}
    assert book["columns"].max_row == 1 + len(columns(PhotoRow)) + len(columns(FaceRow))


def test_a_table_that_a_sheet_has_no_room_for_goes_on_on_the_next(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = find_spec("xlsxwriter") and find_spec("openpyxl")
    require(both, "xlsxwriter or openpyxl is not installed", essential=False)
    monkeypatch.setattr("nightshift.table_files.SHEET_ROWS", 21)
    file = io.BytesIO()
    save_table(client, "job_1", file, "xlsx")
    book = imported("openpyxl").load_workbook(io.BytesIO(file.getvalue()))
    assert [book[name].max_row for name in ("photos", "photos 2", "photos 3")] == [21, 21, 2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_full_disk_is_no_fault_of_ours(client: Client) -> None:
    require(find_spec("xlsxwriter"), "xlsxwriter is not installed", essential=False)
    with open("/dev/full", "wb", buffering=0) as file, pytest.raises(OSError, match="TMPDIR") as full:  # noqa: PTH123
        save_table(client, "job_1", file, "xlsx")
    assert full.value.errno == errno.ENOSPC


def test_a_file_that_is_there_is_replaced_only_when_that_is_asked_for(server: Server, tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    out.write_text("edited by hand")
    command = ["results", "job_1", "--out", str(out), "--server", server.url]
    refused = CliRunner().invoke(app, command)
    assert (refused.exit_code, out.read_text()) == (2, "edited by hand")
    assert "results_in_the_way" in refused.stderr
    assert CliRunner().invoke(app, [*command, "--overwrite"]).exit_code == 0
    assert len(out.read_text().splitlines()) == len(photos())
