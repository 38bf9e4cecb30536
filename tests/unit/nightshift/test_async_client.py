"""`AsyncClient` is `Client`, awaited."""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import re
import tarfile
from collections.abc import Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from nightshift import ApiError, AsyncClient, Client, Unreachable, UploadCut
from nightshift.upload import PhotoFile
from nightshift.words.documents import Job
from nightshift.words.errors import InvalidInput
from tests.support.answering_server import Answer, Received, serving
from tests.support.answers_made import job, photo, problem

T = TypeVar("T")


def over(url: str, do: Callable[[AsyncClient], Awaitable[T]]) -> T:
    async def run() -> T:
        async with AsyncClient(url, "k") as client:
            return await do(client)

    return asyncio.run(run())


def public(kind: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(member)
        for name, member in inspect.getmembers(kind, callable)
        if not name.startswith("_")
    }


def test_it_has_the_same_methods() -> None:
    """Also those that come: what `Calls` can do, both can, with the same arguments."""
    assert public(Client) == public(AsyncClient)
    assert all(inspect.getdoc(getattr(Client, name)) for name in public(Client))


ARGUMENTS = {
    "custom_id": "a",
    "path": Path(__file__),
    "photo": PhotoFile(Path(__file__)),
    "label": "x",
}
"""Of methods that take a job, what they need besides, by name."""


def with_a_job(client: Client, name: str, job: object, folder: Path) -> None:
    """Call a method of a client with a job; what it iterates is read, what it writes is in the folder."""
    method = getattr(client, name)
    given = {n: value for n, value in ARGUMENTS.items() if n in inspect.signature(method).parameters}
    if "photos" in inspect.signature(method).parameters:
        given["photos"] = [("a", Path("/a"))] if name == "register_in_place" else {"a": "0"}
    if "file" in inspect.signature(method).parameters:
        given["file"] = io.BytesIO()
    if "folder" in inspect.signature(method).parameters:
        given["folder"] = folder
    if "photo_id" in inspect.signature(method).parameters:
        given["photo_id"] = "pho_1"
    if name == "change_job":
        given["label"] = "x"
    if inspect.signature(method).parameters["job_id"].kind == inspect.Parameter.KEYWORD_ONLY:
        answer = method(job_id=job, **given)
    else:
        answer = method(job, **given)
    if isinstance(answer, Iterator):
        next(answer, None)


TAKES_A_JOB = [name for name, signature in public(Client).items() if "job_id" in signature.parameters]


@pytest.mark.parametrize("name", TAKES_A_JOB)
def test_a_job_is_taken_wherever_its_id_is(name: str, tmp_path: Path) -> None:
    def refuse(*_: object) -> Answer:
        return problem(409, "illegal_move")

    with serving(refuse) as server, Client(server.url, "k") as client:
        with pytest.raises(ApiError):
            with_a_job(client, name, Job.model_validate(job("ended")), tmp_path / "out")
        for wrong in (5, b"job_1", {"id": "job_1"}, "job_1/photos"):
            with pytest.raises(InvalidInput) as refused:
                with_a_job(client, name, wrong, tmp_path / "out")
            assert refused.value.code == "job_not_found", wrong
    [request] = server.requests
    assert re.search(r"[/=]job_1\b", request.path), request.path


def test_a_job_from_its_opening_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightshift.calls.SHORTEST_POLL_S", 0.0)
    (tmp_path / "a.jpg").write_bytes(b"bytes")
    states = iter(["open", "queued", "running", "running", "ended"])

    def answer(asked: Received, _number: int) -> Answer:
        return Answer(document=photo("a.jpg") if asked.method == "PUT" else job(next(states)))

    async def do(client: AsyncClient) -> list[str]:
        opened = await client.create_job(label="party")
        await client.put_photo(opened.id, "a.jpg", tmp_path / "a.jpg")
        submitted = await client.submit(opened.id)
        ended = await client.wait(opened.id, timeout_s=60)
        return [opened.state, submitted.state, ended.state]

    with serving(answer) as server:
        assert over(server.url, do) == ["open", "queued", "ended"]
        assert json.loads(server.requests[0].body) == {"label": "party"}
        assert server.requests[1].body == b"bytes"


def test_a_photo_that_is_read_twice_is_sent_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightshift.upload.IN_MEMORY_BYTES", 2)
    monkeypatch.setattr("nightshift.upload._PIECE_BYTES", 2)
    (tmp_path / "a.jpg").write_bytes(b"bytes")
    with serving(lambda *_: Answer(201, photo("a.jpg"))) as server:
        over(server.url, lambda client: client.put_photo("job_1", "a.jpg", tmp_path / "a.jpg"))
    assert server.requests[0].body == b"bytes"


def test_an_archive_is_sent_again_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)
    (tmp_path / "party.zip").write_bytes(b"PK zip")
    answers = iter([problem(503, "busy"), Answer(202, job("unpacking"))])
    with serving(lambda *_: next(answers)) as server:
        made = over(server.url, lambda client: client.submit_archive(tmp_path / "party.zip", priority=-1))
    assert made.state == "unpacking"
    assert all(b"PK zip" in request.body and b"-1" in request.body for request in server.requests)


def test_pages_results_and_thumbnails_are_iterated() -> None:
    name = f"pho_{1:032x}"
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        member = tarfile.TarInfo(f"{name}.webp")
        member.size = 4
        tar.addfile(member, io.BytesIO(b"webp"))

    def answer(asked: Received, _number: int) -> Answer:
        if asked.path.endswith("/thumbnails"):
            return Answer(body=data.getvalue())
        if asked.path.endswith("/results"):
            return Answer(body=b"".join(json.dumps(photo(custom_id)).encode() + b"\n" for custom_id in "ab"))
        first = "cursor" not in asked.path
        return Answer(document={"photos": [photo("1" if first else "2")], "next": "c" if first else None})

    async def do(client: AsyncClient) -> tuple[list[str], list[str], list[tuple[str, bytes]]]:
        return (
            [each.custom_id async for each in client.photos("job_1")],
            [each.custom_id async for each in client.results("job_1")],
            [each async for each in client.thumbnails("job_1")],
        )

    with serving(answer) as server:
        assert over(server.url, do) == (["1", "2"], ["a", "b"], [(name, b"webp")])


def test_errors_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)
    (tmp_path / "huge.jpg").write_bytes(b"x" * 20_000_000)
    with serving(lambda *_: problem(409, "illegal_move", state="ended")) as server:
        with pytest.raises(ApiError) as refused:
            over(server.url, lambda client: client.resume("job_1"))
        assert refused.value.state == "ended"
    with serving(lambda *_: Answer(hang_up=True)) as server, pytest.raises(UploadCut):
        over(server.url, lambda client: client.put_photo("job_1", "huge.jpg", tmp_path / "huge.jpg"))
    with pytest.raises(Unreachable):
        over("http://127.0.0.1:9", lambda client: client.job("job_1"))
    with pytest.raises(Unreachable, match="address"):
        AsyncClient("http://a:b")


def test_calls_of_one_client_go_on_beside_each_other() -> None:
    async def do(client: AsyncClient) -> list[str]:
        return [each.id for each in await asyncio.gather(*(client.job("job_1") for _ in range(20)))]

    with serving(lambda *_: Answer(document=job())) as server:
        assert over(server.url, do) == ["job_1"] * 20


def test_who_stops_early_leaves_no_connection_open() -> None:
    lines = b"".join(json.dumps(photo(str(n))).encode() + b"\n" for n in range(20_000))
    with serving(lambda *_: Answer(body=lines)) as server, Client(server.url, "k") as client:
        results = client.results("job_1")
        assert next(results).custom_id == "0"
        assert isinstance(results, Generator)
        results.close()
        transport = client.calls._connection._transport
        assert transport._http._transport._pool.connections == []  # type: ignore[union-attr]
        assert [each.custom_id for each in client.results("job_1")][-1] == "19999"


def test_the_plain_client_works_within_a_running_loop() -> None:
    async def run(url: str) -> list[str]:
        with Client(url, "k") as client:
            return [client.job("job_1").id, *(each.custom_id for each in client.photos("job_1"))]

    def answer(asked: Received, _number: int) -> Answer:
        return Answer(document={"photos": [photo("1")], "next": None} if "photos" in asked.path else job())

    with serving(answer) as server:
        assert asyncio.run(run(server.url)) == ["job_1", "1"]
