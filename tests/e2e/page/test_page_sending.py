"""New jobs from the page, and their faces in it: choose, be told what is known, lose the network, reload."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.command import Nightshift, write_portraits
from tests.support.page_served import Open, Served, accessible, signed_in
from tests.support.processes import wait_for

PORTRAITS = 6


@pytest.fixture(scope="module")
def party(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "party & more"
    write_portraits(folder, PORTRAITS)
    (folder / "below").mkdir()
    (folder / "portrait-00.jpg").rename(folder / "below" / "g\u00e4ste #1?.jpg")
    (folder / "guests.docx").write_bytes(b"no photo")
    (folder / ".hidden.jpg").write_bytes(b"of the system")
    return folder


def choose(page: Page, folder: Path) -> None:
    page.get_by_label("Choose a folder").set_input_files(folder)


def listed(served: Served, job_id: str) -> list[str]:
    return [photo["custom_id"] for photo in served.ask("GET", f"/v1/jobs/{job_id}/photos")["photos"]]


def photos_of(served: Served, job_id: str) -> set[str]:
    return set(listed(served, job_id))


def test_a_folder_is_sent_over_a_lost_network_and_a_reload(
    open_page: Open, served: Served, party: Path
) -> None:
    page = signed_in(open_page, served, "new")
    accessible(page)
    choose(page, party)
    expect(page.get_by_text(f"{PORTRAITS} photos")).to_be_visible()
    expect(page.get_by_text("1 file is of no kind that is read")).to_be_visible()
    expect(page.get_by_text("guests.docx")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("party & more")
    accessible(page)

    # Three photos pass, then the network is gone.
    passed: list[str] = []

    def pass_three(route: Route) -> None:
        if len(passed) >= 3:
            route.abort()
            return
        passed.append(route.request.url)
        route.continue_()

    page.route("**/photos?custom_id=*", pass_three)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("The service does not answer.")).to_be_visible()
    job_id = served.ask("GET", "/v1/jobs")["jobs"][0]["id"]
    wait_for(lambda: len(photos_of(served, job_id)) == 3, "three photos", 60)
    page.reload()
    expect(page.get_by_text("is still open")).to_be_visible()
    page.unroute("**/photos?custom_id=*")
    puts: list[str] = []
    page.on("request", lambda request: puts.append(request.url) if request.method == "PUT" else None)
    choose(page, party)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="party & more")).to_be_visible()
    assert len(puts) == PORTRAITS - 3
    assert served.ask("GET", f"/v1/jobs/{job_id}")["state"] == "queued"
    names = {path.relative_to(party).as_posix() for path in party.rglob("*portrait-*.jpg")}
    assert listed(served, job_id) == sorted({*names, "below/g\u00e4ste #1?.jpg"})


def test_what_the_service_knows_is_not_sent_again_and_faces_are_shown(
    open_page: Open, served: Served, party: Path
) -> None:
    page = signed_in(open_page, served, "new")
    puts: list[str] = []
    page.on("request", lambda request: puts.append(request.url) if request.method == "PUT" else None)
    with Nightshift(served.command.folder).running("worker", "--workers", "1"):
        # The service knows what was analysed, under whichever name.
        first = served.command.run("submit", str(party), "--label", "first", "--wait")
        assert "first" in served.command.run("status").stdout, first.stderr
        choose(page, party)
        expect(page.get_by_text("it would be ready at about")).to_be_visible()
        page.get_by_text("When, and how").click()
        page.get_by_label("from", exact=True).fill("03:00")
        with page.expect_request("**/v1/jobs/estimate") as asked:
            page.get_by_label("until", exact=True).fill("04:00")
        body = asked.value.post_data_json
        assert body and body["processing_window"].startswith("03:00-04:00 ")
        with page.expect_request("**/v1/jobs/estimate"):
            page.get_by_label("until", exact=True).fill("")
        page.get_by_label("from", exact=True).fill("")
        page.get_by_label("Name").fill("second")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("heading", level=1, name="second")).to_be_visible()
        assert puts == []
        expect(page.get_by_role("status").filter(has_text="done")).to_be_visible(timeout=120_000)
    _is_counted(page, served)
    page.get_by_role("link", name="Photos and faces").click()
    tiles = page.locator(".grid button")
    expect(tiles).to_have_count(PORTRAITS)
    accessible(page)
    tiles.first.click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("heading", name="Face 1")).to_be_visible()
    expect(viewer.get_by_role("list", name="Probability of each age group")).to_be_visible()
    name = viewer.get_by_role("heading", level=2).inner_text()
    accessible(page)
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_role("heading", level=2)).not_to_have_text(name)
    # The photo itself has come over its preview, which is 320 pixels.
    whole = viewer.locator(".viewer-stage .whole")
    expect(whole).to_be_visible()
    assert whole.evaluate("image => image.naturalWidth") == 512
    # The box lies where the face is: within the picture that is shown.
    picture, box = whole.bounding_box(), viewer.locator(".box").bounding_box()
    assert picture is not None
    assert box is not None
    assert picture["x"] <= box["x"] <= picture["x"] + picture["width"]
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    page.get_by_label("Show", exact=True).select_option("Failed photos")
    expect(page.get_by_text("No photo has failed.")).to_be_visible()
    _are_sought(page, served)


def _is_counted(page: Page, served: Served) -> None:
    """The job's numbers, with Wilson's intervals, are on the page and in the table that is saved."""
    job_id = re.search(r"job_\w+", page.url)
    assert job_id
    summary = served.ask("GET", f"/v1/jobs/{job_id[0]}/summary")
    shares = page.get_by_role("region", name="Apparent genders and ages")
    expect(shares.get_by_role("row")).to_have_count(2 + 2 + 8)
    with page.expect_download() as saved:
        shares.get_by_role("button", name="Download the numbers").click()
    text = saved.value.path().read_text("utf-8-sig")
    rows = {row["label"]: row for row in csv.DictReader(io.StringIO(text))}
    assert {label: int(row["faces"]) for label, row in rows.items()} == {
        **summary["gender"],
        **summary["age_group"],
    }
    of = summary["faces"]
    for row in rows.values():
        part, low, high = int(row["faces"]), float(row["low"]), float(row["high"])
        assert float(row["share"]) == pytest.approx(part / of)
        # Where a true share would lie 1.96 standard errors from the one that was seen.
        for bound in (low, high):
            if 0 < bound < 1:
                assert abs(part / of - bound) == pytest.approx(
                    1.96 * (bound * (1 - bound) / of) ** 0.5, rel=1e-3, abs=1e-6
                )
        assert low <= part / of <= high


def _are_sought(page: Page, served: Served) -> None:
    """Photos are sought by name and by what was found, and the address keeps it."""
    tiles, job_id = page.locator(".grid button"), re.search(r"job_\w+", page.url)
    assert job_id
    page.get_by_role("button", name="Show everything").click()
    expect(tiles).to_have_count(PORTRAITS)
    page.get_by_role("searchbox", name="Name").fill("#1?")
    expect(tiles).to_have_count(1)
    page.reload()
    expect(tiles).to_have_count(1)
    expect(page.get_by_role("searchbox", name="Name")).to_have_value("#1?")
    page.get_by_role("button", name="Show everything").click()
    found = served.ask("GET", f"/v1/jobs/{job_id[0]}/photos")["photos"]
    for gender in ("female", "male"):
        page.get_by_label("Gender", exact=True).select_option(gender)
        expect(tiles).to_have_count(
            sum(any(face["gender"]["value"] == gender for face in photo["faces"]) for photo in found)
        )
        assert f"gender={gender}" in page.url
    page.get_by_label("Faces", exact=True).select_option("10+")
    expect(page.get_by_text("No photo is like that.")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Show everything").click()
    expect(tiles).to_have_count(PORTRAITS)
    assert "?" not in page.url.partition("#")[2]
