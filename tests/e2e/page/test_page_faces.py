"""Photos and faces of large jobs on the page: rows that come as one looks at them, and the viewer."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from bench.planted_job import plant
from tests.support.page_served import Open, Served, accessible, serving, signed_in

PHOTOS = 1200


def name_of(number: int) -> str:
    return f"evening-1/{'a' if number % 3 else 'b'}/IMG_{number:06}.jpg"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    plant(folder / "home", PHOTOS, name=name_of)
    with serving(folder) as server:
        yield server


def opened_faces(open_page: Open, served: Served, sought: str = "", **options: Any) -> Page:
    job_id = served.ask("GET", "/v1/jobs")["jobs"][-1]["id"]
    return signed_in(open_page, served, f"jobs/{job_id}/faces{sought}", **options)


def tile(page: Page, position: int) -> Locator:
    return page.locator(f".grid [data-position='{position}'] button")


def test_only_what_is_looked_at_is_asked_for_and_in_the_page(open_page: Open, served: Served) -> None:
    asked: list[str] = []
    page = opened_faces(open_page, served)
    page.on("request", lambda request: asked.append(request.url))
    expect(page.get_by_role("status").filter(has_text="1,200 photos")).to_be_visible()
    expect(tile(page, 0)).to_have_attribute("title", name_of(0))
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(tile(page, PHOTOS - 1)).to_have_attribute("title", name_of(PHOTOS - 1))
    tiles = page.locator(".grid li")
    assert tiles.count() < 80
    assert tiles.first.get_attribute("aria-setsize") == str(PHOTOS)
    # Those between were passed by.
    pages = [url for url in asked if "/photos?" in url]
    assert len(pages) <= 4, pages
    # Rows fill the width and lie under each other, in order.
    boxes = [item.bounding_box() for item in tiles.all()]
    places = [(round(box["y"]), box["x"]) for box in boxes if box]
    assert places == sorted(places)
    assert page.evaluate("document.documentElement.scrollWidth") == 1200
    accessible(page)


def test_the_keyboard_goes_through_rows_and_photos(open_page: Open, served: Served) -> None:
    page = opened_faces(open_page, served)
    expect(page.locator(".grid [aria-busy]")).to_have_count(0)
    tile(page, 0).focus()
    page.keyboard.press("ArrowRight")
    expect(tile(page, 1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    below = page.evaluate("Number(document.activeElement.parentElement.dataset.position)")
    assert below > 2
    page.keyboard.press("ArrowUp")
    expect(tile(page, 1)).to_be_focused()
    page.keyboard.press("End")
    expect(tile(page, PHOTOS - 1)).to_be_focused()
    expect(tile(page, PHOTOS - 1)).to_be_in_viewport()
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("heading", level=2)).to_have_text(name_of(PHOTOS - 1))
    expect(viewer.get_by_role("button", name="Next photo")).to_be_disabled()
    page.keyboard.press("ArrowLeft")
    expect(viewer.get_by_role("heading", level=2)).to_have_text(name_of(PHOTOS - 2))
    page.keyboard.press("Escape")
    # One goes on where one was.
    expect(tile(page, PHOTOS - 2)).to_be_focused()
    page.keyboard.press("Home")
    expect(tile(page, 0)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(tile(page, 0)).to_be_focused()


def test_a_photo_that_is_open_has_an_address(open_page: Open, served: Served) -> None:
    page = opened_faces(open_page, served, "?sort=-name")
    viewer = page.get_by_role("dialog")
    name = viewer.get_by_role("heading", level=2)
    below = 300
    expect(tile(page, 0)).not_to_have_attribute("aria-busy", "true")
    page.evaluate("scrollTo(0, document.body.scrollHeight / 4)")
    expect(tile(page, below)).to_be_attached()
    tile(page, below).click()
    expect(page).to_have_url(re.compile(rf"/faces\?sort=-name&photo={below + 1}$"))
    expect(name).to_contain_text("IMG_")
    first = str(name.text_content())
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(rf"&photo={below + 2}$"))
    link = page.url
    expect(name).not_to_have_text(first)
    shown = str(name.text_content())
    page.reload()
    expect(name).to_have_text(shown)
    page.go_back()
    expect(viewer).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/faces\?sort=-name$"))
    expect(tile(page, below + 1)).to_be_in_viewport()
    page.go_forward()
    expect(name).to_have_text(shown)
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/faces\?sort=-name$"))

    # Where it is somebody's first address, the photos themselves are what one goes back to.
    page.goto("about:blank")
    page.goto(link)
    expect(name).to_have_text(shown)
    page.go_back()
    expect(viewer).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/faces\?sort=-name$"))
    # What is sought otherwise closes it, and more than there are opens none.
    page.evaluate("location.hash = location.hash.split('?')[0] + '?photo=9999'")
    expect(page).to_have_url(re.compile(r"/faces$"))
    expect(viewer).to_have_count(0)


def test_the_curve_of_the_rate_says_how_high_it_is(open_page: Open, served: Served) -> None:
    job = served.ask("GET", "/v1/jobs")["jobs"][-1]
    rates = itertools.chain([2.0, 8.0], itertools.repeat(4.0))

    def answer(route: Route) -> None:
        route.fulfill(json={**job, "state": "running", "outcome": None, "photos_per_second": next(rates)})

    page = signed_in(open_page, served)
    page.route(re.compile(rf"/v1/jobs/{job['id']}$"), answer)
    page.goto(f"{served.url}/#/jobs/{job['id']}")
    curve = page.get_by_role("figure", name="Photos a second")
    expect(curve.get_by_role("img", name="Now 4 photos a second")).to_be_visible()
    expect(curve).to_contain_text("at the top 8")


def test_the_viewer_goes_through_what_is_sought(open_page: Open, served: Served) -> None:
    page = opened_faces(open_page, served, "?faces=5-")
    job_id = re.search(r"job_\w+", page.url)[0]  # type: ignore[index]
    query = {"min_faces": 5, "limit": 1000}
    found = served.ask("GET", f"/v1/jobs/{job_id}/photos", params=query)["photos"]
    tile(page, 0).click()
    viewer = page.get_by_role("dialog")
    for photo in found[:3]:
        expect(viewer.get_by_role("heading", level=2)).to_have_text(photo["custom_id"])
        expect(viewer.locator(".faces > li")).to_have_count(len(photo["faces"]))
        expect(viewer.locator(".points i")).to_have_count(5 * len(photo["faces"]))
        # The boxes lie where the service says.
        picture = viewer.locator(".viewer-stage .picture").bounding_box()
        assert picture
        for face, box in zip(photo["faces"], viewer.locator(".box").all(), strict=True):
            place = box.bounding_box()
            assert place
            assert (place["x"] - picture["x"]) / picture["width"] == pytest.approx(
                face["box_norm"]["x1"], abs=0.01
            )
        assert viewer.locator(".ages").first.get_by_role("listitem").count() == 8
        page.keyboard.press("ArrowRight")
    expect(viewer.get_by_role("status")).to_have_text(f"4 of {len(found)}")
    accessible(page)


def test_a_face_is_looked_at_from_near(open_page: Open, served: Served) -> None:
    page = opened_faces(open_page, served, "?faces=1")
    tile(page, 0).click()
    viewer = page.get_by_role("dialog")
    box = viewer.locator(".box")
    before = box.bounding_box()
    viewer.get_by_role("button", name="Face 1: show it larger").click()
    after, stage = box.bounding_box(), viewer.locator(".viewer-stage").bounding_box()
    assert before
    assert after
    assert stage
    assert after["height"] > 2 * before["height"]
    assert stage["x"] <= after["x"]
    assert after["x"] + after["width"] <= stage["x"] + stage["width"]
    viewer.get_by_role("button", name="Boxes").click()
    expect(box).to_be_hidden()
    viewer.get_by_role("heading", level=2).click()
    page.keyboard.press("0")
    expect(viewer.get_by_role("button", name="Fit")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_role("status")).to_contain_text("2 of")


def test_faces_are_sought_by_how_sure_they_are(open_page: Open, served: Served) -> None:
    page = opened_faces(open_page, served)
    job_id = re.search(r"job_\w+", page.url)[0]  # type: ignore[index]
    page.get_by_text("How sure").click()
    page.get_by_label("Gender at").or_(page.get_by_label("Gender any")).fill("0.98")
    expect(page.get_by_text("at least 98 %")).to_be_visible()
    sought = {"min_gender_probability": 0.98, "limit": 1}
    total = served.ask("GET", f"/v1/jobs/{job_id}/photos/outline", params=sought)["total"]
    assert 0 < total < PHOTOS
    expect(page.get_by_role("status").filter(has_text=f"{total} photos")).to_be_visible()
    assert "min_gender_probability=0.98" in page.url
    accessible(page)
    page.reload()
    expect(page.get_by_text("at least 98 %")).to_be_visible()
    page.get_by_role("button", name="Show everything").click()
    expect(page.get_by_role("status").filter(has_text="1,200 photos")).to_be_visible()


def test_faces_are_sought_by_how_sharp_they_are(open_page: Open, served: Served) -> None:
    page = opened_faces(open_page, served)
    job_id = re.search(r"job_\w+", page.url)[0]  # type: ignore[index]
    page.get_by_text("how sharp").click()
    for sharpness in ("0.5", "2"):
        page.get_by_label("Sharpness").fill(sharpness)
        expect(page.get_by_text(f"at least {sharpness} (a sharp face: about 1)")).to_be_visible()
        sought = {"min_quality": sharpness, "limit": 1}
        total = served.ask("GET", f"/v1/jobs/{job_id}/photos/outline", params=sought)["total"]
        expect(page.get_by_role("status").filter(has_text="photos")).to_have_text(f"{total:,} photos")
    # Those of the planted faces that have no doubts are of 1.1.
    assert total == 0
    assert "min_quality=2" in page.url
    accessible(page)


def test_photos_are_ordered_and_of_a_folder(open_page: Open, served: Served) -> None:
    page = opened_faces(open_page, served)
    job_id = re.search(r"job_\w+", page.url)[0]  # type: ignore[index]
    page.get_by_label("Order").select_option("most faces first")
    page.get_by_label("Folder").select_option("evening-1/a")
    query = {"sort": "faces", "reverse": "true", "folder": "evening-1/a", "limit": 1000}
    found = served.ask("GET", f"/v1/jobs/{job_id}/photos", params=query)["photos"]
    assert 0 < len(found) < PHOTOS
    expect(page.get_by_role("status").filter(has_text=f"{len(found)} photos")).to_be_visible()
    expect(tile(page, 0)).to_have_attribute("title", found[0]["custom_id"])
    # Any page of it, by the cursor that the outline gave.
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(tile(page, len(found) - 1)).to_have_attribute("title", found[-1]["custom_id"])
    assert "sort=-faces" in page.url
    page.reload()
    expect(tile(page, 0)).to_have_attribute("title", found[0]["custom_id"])
    expect(page.get_by_label("Folder")).to_have_value("evening-1/a")
    accessible(page)


def test_charts_are_pictures_and_tables(open_page: Open, served: Served) -> None:
    job_id = served.ask("GET", "/v1/jobs")["jobs"][-1]["id"]
    found = served.ask("GET", f"/v1/jobs/{job_id}/breakdown")
    page = signed_in(open_page, served, f"jobs/{job_id}")
    numbers = page.get_by_role("region", name="Photos in numbers")
    wanted = {
        "Photos by number of faces": [[each["faces"], each["photos"]] for each in found["by_faces"]],
        "Photos by hour": [[each["photos"], each["faces"]] for each in found["by_hour"]],
        "Photos by folder": [[each["key"], each["photos"], each["faces"]] for each in found["by_folder"]],
    }
    assert len(found["by_hour"]) == 6
    for title, rows in wanted.items():
        expect(numbers.get_by_role("img", name=title)).to_be_visible()
        with page.expect_download() as saved:
            numbers.get_by_role("button", name=f"{title}: download as CSV").click()
        _, *table = csv.reader(io.StringIO(saved.value.path().read_text("utf-8-sig")))
        assert [row[-len(rows[0]) :] for row in table] == [[str(cell) for cell in row] for row in rows]
        with page.expect_download() as saved:
            numbers.get_by_role("button", name=f"{title}: download as PNG").click()
        with Image.open(saved.value.path()) as picture:
            assert picture.format == "PNG"
            assert picture.width > 1000
            # The bars' colour is there: the style went along.
            pixels = np.asarray(picture.convert("RGB"))
            assert (pixels == (0x56, 0x60, 0x73)).all(axis=-1).any()
    shares = page.get_by_role("region", name="Apparent genders and ages")
    with page.expect_download() as saved:
        shares.get_by_role("button", name="download as PNG").click()
    with Image.open(saved.value.path()) as picture:
        assert picture.height > 700
    for summary in numbers.get_by_text("As a table").all():
        summary.click()
    accessible(page)
    page.set_viewport_size({"width": 360, "height": 700})
    expect(numbers.get_by_role("img", name="Photos by hour")).to_have_attribute(
        "width", re.compile(r"^[23]\d\d$")
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    accessible(page)
    numbers.get_by_role("link", name="evening-1/b").click()
    expect(page.get_by_label("Folder")).to_have_value("evening-1/b")
    expect(page.get_by_role("status").filter(has_text="400 photos")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_rows_and_viewer_fit_a_phone(open_page: Open, served: Served, scheme: str) -> None:
    page = opened_faces(open_page, served, viewport={"width": 360, "height": 700}, color_scheme=scheme)
    expect(page.locator(".grid [aria-busy]")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    accessible(page)
    tile(page, 0).click()
    viewer = page.get_by_role("dialog")
    expect(viewer.locator(".ages").first).to_be_visible()
    assert viewer.evaluate("dialog => dialog.scrollWidth") <= 360
    accessible(page)
    viewer.get_by_role("button", name="Close").click()
    expect(viewer).to_have_count(0)


def test_pages_that_do_not_come_are_asked_for_again(open_page: Open, served: Served) -> None:
    page = opened_faces(open_page, served)
    expect(tile(page, 0)).to_have_attribute("title", name_of(0))
    page.context.set_offline(True)
    page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    expect(page.get_by_text("The service does not answer.")).to_be_visible()
    expect(page.locator(".grid [aria-busy]").first).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator(".grid [aria-busy]")).to_have_count(0)


def test_a_job_that_is_erased_meanwhile_is_said(open_page: Open, served: Served) -> None:
    job_id = served.ask("POST", "/v1/jobs", json={"label": "short"})["id"]
    page = signed_in(open_page, served, f"jobs/{job_id}/faces")
    expect(page.get_by_text("Nothing has been analysed yet.")).to_be_visible()
    served.ask("DELETE", f"/v1/jobs/{job_id}")
    expect(page.get_by_role("alert").filter(has_text="not there")).to_be_visible()
