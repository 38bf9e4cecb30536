"""The report in Chromium, opened from disk with the network off, by mouse, by keyboard, narrow and dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from nightshift.words.documents import Photo
from tests.support.report_made import failed_photo, fake_photo, parts_of, write_report_of

PHOTOS = 1300
HOSTILE = "</script><img src=x onerror=alert(1)>\"' \u2028 <b>bold</b>.jpg"
AGE_5_9 = "5\N{EN DASH}9"

Open = Callable[..., Page]


def photos() -> list[Photo]:
    """Three data files' worth, the first of them with names and messages that mean harm."""
    hostile = failed_photo(
        0, HOSTILE, "<script>alert(2)</script> & the file is cut off", code="corrupt_image"
    )
    return [hostile, *(fake_photo(number) for number in range(1, PHOTOS))]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # A name with what means something in addresses.
    out = tmp_path_factory.mktemp("report") / "100% #1 party?"
    out.mkdir()
    (out / "faces.csv").write_text("custom_id\n")
    return write_report_of(out, photos(), label="<i>Summer</i> party")


def shown_count(page: Page) -> int:
    return int(page.locator("#grid li").first.get_attribute("aria-setsize") or 0)


def test_it_opens_from_disk_without_a_network(open_page: Open, report: Path) -> None:
    page = open_page(report)
    found = photos()
    faces = sum(len(photo.faces) for photo in found)

    expect(page.get_by_role("heading", level=1)).to_have_text("<i>Summer</i> party")
    numbers = dict(
        zip(page.locator("dt").all_inner_texts(), page.locator("dd").all_inner_texts(), strict=False)
    )
    # The filters count photos, by other words.
    assert not numbers.keys() & {"Uncertain gender", "Uncertain age"}
    assert numbers["Photos"].startswith(f"{PHOTOS:,}")
    assert numbers["Faces"].startswith(f"{faces:,}")
    expect(page.locator("#count")).to_have_text(f"{PHOTOS:,} photos, {faces:,} faces")
    expect(page.locator("#in-words")).to_contain_text(f"{faces:,} faces in ")
    expect(page.locator("#notice")).to_contain_text("Faces are not people")
    first = page.locator("#grid .tile").first.bounding_box()
    assert first is not None and first["y"] + first["height"] / 2 < 900, "no photo on the first screen"
    expect(page.locator("#notice")).to_contain_text("apparent")
    expect(page.get_by_role("link", name="faces.csv")).to_have_attribute("href", "faces.csv")
    assert page.get_by_role("link", name="results.jsonl").count() == 0
    expect(page.locator("#grid img").first).to_have_js_property("complete", True)
    assert page.locator("#grid img").first.evaluate("image => image.naturalWidth") > 0
    # Only what is near the window is in the document, and only its data has been read.
    assert page.locator("#grid li").count() < 80
    assert page.locator("script[src*='page-']").count() == 1


def test_the_charts_are_tables_too_and_add_up(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.locator("#charts > summary").click()
    for chart, least in (("#ages", 8), ("#crowds", 4)):
        expect(page.locator(f"{chart} svg[role=img]")).to_have_attribute("aria-label", re.compile("table"))
        page.locator(f"{chart} summary").click()
        assert page.locator(f"{chart} tbody tr").count() >= least
    rows = page.locator("#ages tbody tr").all()
    cells = [[int(cell.replace(",", "")) for cell in row.locator("td").all_inner_texts()] for row in rows]
    found = photos()
    all_faces = [face for photo in found for face in photo.faces]
    assert sum(row[0] + row[3] for row in cells) == len(all_faces)
    assert sum(row[1] + row[4] for row in cells) == sum(face.age_group.uncertain for face in all_faces)
    assert sum(row[2] + row[5] for row in cells) == sum(face.gender.uncertain for face in all_faces)
    crowds = [int(text.replace(",", "")) for text in page.locator("#crowds td").all_inner_texts()]
    assert sum(crowds) == sum(photo.status == "succeeded" for photo in found)


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (["Failed"], lambda photo: photo.status == "failed"),
        (["No face"], lambda photo: photo.status == "succeeded" and not photo.faces),
        (["Uncertain gender"], lambda photo: any(face.gender.uncertain for face in photo.faces)),
        (["Uncertain age"], lambda photo: any(face.age_group.uncertain for face in photo.faces)),
        (["Male"], lambda photo: any(face.gender.value == "male" for face in photo.faces)),
        (
            ["Male", AGE_5_9, "65+"],
            lambda photo: any(
                face.gender.value == "male" and face.age_group.label in {"65+", "5-9"} for face in photo.faces
            ),
        ),
    ],
)
def test_filters_narrow_the_grid_and_the_count(
    open_page: Open, report: Path, labels: list[str], wanted: Callable[[Photo], bool]
) -> None:
    page = open_page(report)
    for label in labels:
        # A pill of the first row says how many, too.
        counted = label in {"Failed", "No face", "Uncertain gender", "Uncertain age"}
        page.locator("#filters").get_by_label(label, exact=not counted).check()
    expected = [photo.custom_id for photo in photos() if wanted(photo)]
    expect(page.locator("#count")).to_contain_text(f"{len(expected):,} of {PHOTOS:,} photos")
    assert shown_count(page) == len(expected) > 0
    expect(page.locator("#grid .tile[aria-busy]")).to_have_count(0)
    titles = [tile.get_attribute("title") for tile in page.locator("#grid .tile").all()]
    assert titles == expected[: len(titles)]

    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("#count")).to_contain_text(f"{PHOTOS:,} photos, ")


def test_a_filter_without_photos_says_so(open_page: Open, tmp_path: Path) -> None:
    page = open_page(write_report_of(tmp_path, [fake_photo(2)]))
    faces = {(face.gender.value, face.age_group.label) for face in fake_photo(2).faces}
    assert ("male", "5-9") not in faces
    for label in ("Male", AGE_5_9):
        page.locator("#filters").get_by_label(label, exact=True).check()
    expect(page.locator("#nothing")).to_be_visible()
    expect(page.locator("#count")).to_contain_text("0 of 1 photo")


def test_the_keyboard_does_it_all(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.locator("#more-filters > summary").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#grid [data-position='0'] button")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#grid [data-position='2'] button")).to_be_focused()
    page.keyboard.press("Enter")

    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("#viewer-name")).to_have_text("party/00002.jpg")
    expect(dialog.locator("#viewer-place")).to_have_text(f"3 of {PHOTOS:,}")
    page.keyboard.press("ArrowRight")
    expect(dialog.locator("#viewer-name")).to_have_text("party/00003.jpg")
    expect(dialog.locator(".faces > li")).to_have_count(len(fake_photo(3).faces))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#grid [data-position='3'] button")).to_be_focused()

    # To the very end, whose data has not been read yet, and on from there.
    page.keyboard.press("End")
    last = page.locator(f"#grid [data-position='{PHOTOS - 1}'] button")
    expect(last).to_be_focused()
    expect(last).to_have_attribute("title", f"party/{PHOTOS - 1:05}.jpg")
    page.keyboard.press("ArrowUp")
    expect(last).not_to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#more-filters > summary")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Shift+Tab")
    expect(page.locator("#filters [name=age]").last).to_be_focused()
    page.keyboard.press("Space")
    assert shown_count(page) < PHOTOS


def test_failures_are_listed_with_their_reasons(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.locator("#failures > summary").click()
    failed = [photo for photo in photos() if photo.status == "failed"]
    rows = page.locator("#failure-rows tr")
    expect(rows).to_have_count(len(failed))
    for row, photo in zip(rows.all(), failed, strict=True):
        assert photo.error
        name, code, message = row.locator("th, td").all_text_contents()
        assert (name, code, message) == (photo.custom_id, photo.error.code, photo.error.message)

    opener = rows.first.get_by_role("button")
    opener.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".error")).to_have_text("<script>alert(2)</script> & the file is cut off")
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_hostile_names_are_text(open_page: Open, report: Path) -> None:
    page = open_page(report)
    first = page.locator("#grid .tile").first
    expect(first).to_have_attribute("title", HOSTILE)
    assert page.locator("img[src=x], b, i, main script").count() == 0
    first.click()
    assert page.locator("#viewer-name").text_content() == HOSTILE


def test_what_was_left_alone_is_told_as_text(open_page: Open, tmp_path: Path) -> None:
    beside = [("Left alone", "3 videos (.mov): only photos are analysed"), ("Not taken", HOSTILE)]
    page = open_page(write_report_of(tmp_path, photos(), beside=beside))
    page.locator("#provenance > summary").click()
    for name, text in beside:
        row = page.locator("#facts > div", has=page.locator("dt", has_text=name))
        assert row.locator("dd").text_content() == text
    assert page.locator("#facts img, #facts b, #facts script").count() == 0


def test_scrolling_reads_the_data_that_comes_into_view(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = page.locator(f"#grid [data-position='{PHOTOS - 1}'] button")
    expect(last).to_have_attribute("title", f"party/{PHOTOS - 1:05}.jpg")
    assert page.locator("#grid li").count() < 80
    order = [int(item.get_attribute("data-position") or -1) for item in page.locator("#grid li").all()]
    assert order == sorted(order)


def test_boxes_lie_on_the_picture(open_page: Open, report: Path) -> None:
    page = open_page(report)
    for item in page.locator("#grid li:has(.box)").all()[:6]:
        frame = item.locator(".picture").bounding_box()
        assert frame is not None
        for mark in item.locator(".box, .tag").all():
            box = mark.bounding_box()
            assert box is not None
            assert frame["x"] - 1 <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
            assert frame["y"] - 1 <= box["y"] and box["y"] + box["height"] <= frame["y"] + frame["height"] + 1


@pytest.mark.parametrize("width", [360, 768])
def test_it_is_as_wide_as_the_screen(open_page: Open, report: Path, width: int) -> None:
    page = open_page(report, viewport={"width": width, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.locator("#provenance summary").click()
    expect(page.locator("#facts")).to_contain_text("no: trained on UTKFace")
    page.locator("#charts > summary").click()
    page.locator("#ages summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.locator("#grid .tile").nth(1).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    close = page.get_by_role("button", name="Close", exact=True).bounding_box()
    assert close is not None and close["x"] >= 0 and close["x"] + close["width"] <= width
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_on_a_phone_nothing_of_the_filters_and_numbers_is_cut_off(open_page: Open, report: Path) -> None:
    page = open_page(report, viewport={"width": 360, "height": 740})
    for field in page.locator(".filters > .field :is(input, select)").all():
        box = field.bounding_box()
        assert box is not None and box["width"] >= 100
    numbers = page.locator("#numbers")
    assert numbers.evaluate("it => it.scrollWidth <= it.clientWidth")
    heights = page.locator(".filters > .field").evaluate_all("all => all.map((one) => one.offsetHeight)")
    assert max(heights) < 64, "a word is broken"


def test_going_back_closes_the_photo_and_not_the_report(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.locator("#grid .tile").nth(1).click()
    viewer = page.get_by_role("dialog")
    expect(viewer).to_be_visible()
    page.go_back()
    expect(viewer).to_be_hidden()
    assert page.url.startswith(report.as_uri())
    expect(page.locator("#grid .tile").nth(1)).to_be_focused()
    # Closed by hand it leaves no step behind.
    page.locator("#grid .tile").nth(0).click()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    page.wait_for_function("!history.state")
    assert page.url.startswith(report.as_uri())


def test_light_and_dark(open_page: Open, report: Path) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page = open_page(report, color_scheme=scheme)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds.append([int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(",")])
    light, dark = grounds
    assert min(light) > 200 and max(dark) < 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("where", ["page", "opened", "viewer"])
def test_axe_finds_nothing_serious(open_page: Open, report: Path, scheme: str, where: str) -> None:
    # axe runs as a script of its own, which the page's policy would not let in.
    page = open_page(report, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    if where == "opened":
        for summary in page.locator(".panels summary, .as-table summary").all():
            if summary.is_visible():
                summary.click()
        page.locator("#filters").get_by_label("Female", exact=True).check()
    if where == "viewer":
        page.locator("#grid .tile").nth(2).click()
        expect(page.get_by_role("dialog")).to_be_visible()
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    assert [
        (rule["id"], node["html"], node["failureSummary"])
        for rule in found
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ] == []


def test_a_running_job_says_that_its_report_is_partial(open_page: Open, tmp_path: Path) -> None:
    page = open_page(write_report_of(tmp_path, [fake_photo(1), fake_photo(2)], more=8))
    expect(page.locator("#partial")).to_contain_text("2 of its 10 photos were done")


def test_without_thumbnails_there_are_words(open_page: Open, tmp_path: Path) -> None:
    cancelled = Photo(custom_id="late.jpg", photo_id="pho_" + "f" * 32, status="cancelled")
    page = open_page(write_report_of(tmp_path, [*photos()[:2], cancelled], thumbnails=False))
    texts = page.locator("#grid .placeholder").all_inner_texts()
    assert len(texts) == 3
    assert "corrupt image" in texts[0].lower() and "the file is cut off" in texts[0]
    assert "No picture" in texts[1]
    assert "Cancelled" in texts[2]


def test_a_report_of_nothing_opens(open_page: Open, tmp_path: Path) -> None:
    page = open_page(write_report_of(tmp_path, []))
    expect(page.locator("#nothing")).to_be_visible()


def test_data_that_is_missing_is_said(browser: Browser, tmp_path: Path) -> None:
    report = write_report_of(tmp_path, [fake_photo(number) for number in range(4)])
    (parts_of(report) / "page-0001.js").unlink()
    page = browser.new_page()
    page.goto(report.as_uri())
    expect(page.locator("#grid").get_by_text("missing").first).to_be_visible()
    page.close()
