"""Addresses of the page, going back, and its parts on paper and on a phone, with names of every kind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.command import Nightshift, write_portraits
from tests.support.page_served import Open, Served, accessible, signed_in
from tests.support.processes import wait_for

NAMES = (
    "\u062d\u0641\u0644\u0629/\u0635\u0648\u0631\u0629 \u0661.jpg",
    "\u05d7\u05d2/\u05ea\u05de\u05d5\u05e0\u05d4.jpg",
    "\U0001f389/party \U0001f382.jpg",
    "<img src=x onerror=alert(1)>.jpg",
    "n" * 240 + ".jpg",
    "line\nbreak.jpg",
    "=1+1.jpg",
)
GERMAN_PHONE = {"locale": "de-DE", "viewport": {"width": 360, "height": 740}}


@pytest.fixture(scope="module")
def job_id(served: Served, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A job of photos with such names that has ended, and whose label is one of them."""
    folder = tmp_path_factory.mktemp("photos") / "party"
    write_portraits(folder, len(NAMES) + 1)
    for number, name in enumerate(NAMES):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"portrait-0{number}.jpg").rename(folder / name)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    with Nightshift(served.command.folder).running("worker", "--workers", "1"):
        served.command.run("submit", str(folder), "--label", NAMES[3], "--wait")
    return str(served.ask("GET", "/v1/jobs")["jobs"][0]["id"])


def widths(page: Page) -> list[int]:
    return list(page.evaluate("[document.documentElement.scrollWidth, innerWidth]"))


def test_going_back_closes_the_photo_and_not_the_part(open_page: Open, served: Served, job_id: str) -> None:
    page = signed_in(open_page, served, f"jobs/{job_id}")
    page.get_by_role("link", name="Photos and faces").click()
    tiles = page.locator(".grid button")
    expect(tiles).to_have_count(len(NAMES) + 2)
    tiles.nth(1).click()
    viewer = page.get_by_role("dialog")
    expect(viewer).to_be_visible()
    page.go_back()
    expect(viewer).to_have_count(0)
    expect(page.get_by_role("heading", level=1, name="Faces")).to_be_visible()
    expect(tiles.nth(1)).to_be_focused()
    # Closed by hand it leaves no step behind.
    tiles.nth(0).click()
    expect(viewer).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("heading", level=1, name=NAMES[3])).to_be_visible()
    page.go_forward()
    expect(tiles).to_have_count(len(NAMES) + 2)


@pytest.mark.parametrize("times", [1, 3])
def test_photos_looked_at_and_sought_leave_no_step_behind(
    open_page: Open, served: Served, job_id: str, times: int
) -> None:
    page = signed_in(open_page, served, f"jobs/{job_id}")
    page.get_by_role("link", name="Photos and faces").click()
    tiles, viewer = page.locator(".grid button"), page.get_by_role("dialog")
    for number in range(times):
        tiles.nth(number).click()
        expect(viewer).to_be_visible()
        page.keyboard.press("Escape")
        expect(viewer).to_have_count(0)
    page.get_by_label("Show", exact=True).select_option("Failed photos")
    expect(tiles).to_have_count(1)
    page.reload()
    expect(tiles).to_have_count(1)
    page.go_back()
    expect(page.get_by_role("heading", level=1, name=NAMES[3])).to_be_visible()


def test_a_link_followed_as_a_photo_closes_is_followed(open_page: Open, served: Served, job_id: str) -> None:
    page = signed_in(open_page, served, f"jobs/{job_id}")
    for wait_ms in (0, 1, 2, 4, 6, 8, 12):
        page.goto(f"{served.url}/#/jobs/{job_id}/faces")
        page.locator(".grid button").first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        page.evaluate(
            "ms => new Promise(done => setTimeout(() => done(document.querySelector('main a').click()), ms))",
            wait_ms,
        )
        expect(page.get_by_role("heading", level=1, name=NAMES[3])).to_be_visible()
        page.wait_for_timeout(200)
        assert page.url.endswith(job_id), wait_ms


def test_nonsense_in_the_address_seeks_nothing(open_page: Open, served: Served, job_id: str) -> None:
    nonsense = (
        "gender=x&age_group=7&uncertain=%00&faces=-1&sort=%3Cb%3E&status=lost&min_confidence=abc"
        "&min_gender_probability=7&%E0%A4%A=%E0%A4%A&&=&search="
    )
    page = signed_in(open_page, served, f"jobs/{job_id}/faces?{nonsense}")
    expect(page.locator(".grid button")).to_have_count(len(NAMES) + 2)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_label("Gender", exact=True).first).to_have_value("")
    # What no control offers, and the service knows, is shown as chosen.
    page.goto(f"{served.url}/#/jobs/{job_id}/faces?faces=7&search={'x' * 200}")
    expect(page.get_by_text("No photo is like that.")).to_be_visible()
    expect(page.get_by_label("Faces", exact=True)).to_have_value("7")
    for place in ("jobs/", "jobs/job_", "jobs/%00", "jobs/job_0/faces", "%", "new/new", "constructor"):
        page.goto(f"{served.url}/#/{place}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_job_that_is_erased_while_it_is_looked_at_is_said_to_be_gone(
    open_page: Open, served: Served, tmp_path: Path
) -> None:
    write_portraits(tmp_path / "photos", 1)
    served.command.run("submit", str(tmp_path / "photos"), "--label", "soon gone")
    gone = served.ask("GET", "/v1/jobs")["jobs"][0]["id"]
    faces = signed_in(open_page, served, f"jobs/{gone}/faces")
    expect(faces.locator(".grid button")).to_have_count(1)
    faces.locator(".grid button").click()
    job = signed_in(open_page, served, f"jobs/{gone}")
    expect(job.get_by_role("heading", level=1, name="soon gone")).to_be_visible()
    served.ask("POST", f"/v1/jobs/{gone}/cancel")
    wait_for(lambda: served.ask("GET", f"/v1/jobs/{gone}")["state"] == "ended", "it is cancelled", 60)
    served.ask("DELETE", f"/v1/jobs/{gone}")
    for page in (faces, job):
        expect(page.get_by_role("heading", name="This job is not there")).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_on_paper_there_is_what_was_found_and_nothing_lies_over_it(
    open_page: Open, served: Served, job_id: str
) -> None:
    page = signed_in(open_page, served, f"jobs/{job_id}")
    expect(page.get_by_role("region", name="Apparent genders and ages")).to_be_visible()
    page.emulate_media(media="print")
    for name in ("Try again what did not succeed", "Sign out", "Download the list"):
        expect(page.get_by_role("button", name=name)).to_be_hidden()
    shares = page.locator("section", has=page.get_by_role("heading", name="Apparent genders and ages"))
    table, note = shares.locator("table").last.bounding_box(), shares.locator("p").last.bounding_box()
    assert table and note and table["y"] + table["height"] <= note["y"]
    page.emulate_media(media="screen")
    page.goto(f"{served.url}/#/jobs/{job_id}/faces")
    tiles = page.locator(".grid button")
    expect(tiles).to_have_count(len(NAMES) + 2)
    page.emulate_media(media="print")
    boxes = [tile.bounding_box() for tile in tiles.all()]
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert one and other
            across = one["x"] < other["x"] + other["width"] - 1 and other["x"] < one["x"] + one["width"] - 1
            down = one["y"] < other["y"] + other["height"] - 1 and other["y"] < one["y"] + one["height"] - 1
            assert not (across and down)
    page.emulate_media(media="screen")
    tiles.last.click()
    expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_be_visible()
    expect(page.get_by_role("button", name="Close")).to_be_hidden()
    expect(page.locator(".grid")).to_be_hidden()


def test_german_fits_a_phone_without_broken_words(open_page: Open, served: Served, job_id: str) -> None:
    page = open_page(served.url, **GERMAN_PHONE)
    page.locator("#key").fill(served.key)
    page.keyboard.press("Enter")
    for part in ("", "new", f"jobs/{job_id}", f"jobs/{job_id}/faces", "service"):
        page.goto(f"{served.url}/#/{part}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert widths(page) == [360, 360]
        heights = page.locator("nav a").evaluate_all("links => links.map((link) => link.offsetHeight)")
        assert max(heights) < 48, "a word is broken"
    page.goto(f"{served.url}/#/jobs/{job_id}")
    shares = page.locator("table.shares").first
    expect(shares).to_be_visible()
    # Numbers as they are written there, each under its heading.
    expect(shares.get_by_role("row").nth(1)).to_contain_text(re.compile(r"\d,\d %"))
    heads = shares.locator("thead th").evaluate_all(
        "cells => cells.map((cell) => cell.getBoundingClientRect().right)"
    )
    cells = shares.locator("tbody tr").first.locator("th, td.figure")
    ends = cells.evaluate_all("cells => cells.map((cell) => cell.getBoundingClientRect().right)")
    assert [round(end) for end in heads] == [round(end) for end in ends]
    accessible(page)


def test_half_a_window_is_asked_for_whole(open_page: Open, served: Served, tmp_path: Path) -> None:
    write_portraits(tmp_path / "photos", 1)
    page = signed_in(open_page, served, "new")
    page.get_by_label("Choose a folder").set_input_files(tmp_path / "photos")
    page.get_by_text("When, and how").click()
    page.get_by_label("from").fill("22:00")
    page.get_by_text("When, and how").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_label("until")).to_be_focused()
    assert page.get_by_label("until").evaluate("field => field.validity.valueMissing")
    page.get_by_label("until").fill("06:00")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="photos")).to_be_visible()
    assert served.ask("GET", "/v1/jobs")["jobs"][0]["processing_window"].startswith("22:00-06:00 ")
