"""What one does with a report in Chromium: look closely, search, sort, hand the photos on, print."""

from __future__ import annotations

import csv
import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from bench.fake_analyser import size_of
from nightshift.words.documents import Photo
from nightshift.words.photo_names import folded
from shared.reads.table import disarm
from tests.support.report_made import failed_photo, fake_photo, parts_of, shown, write_report_of

PHOTOS = 60
HOSTILE = (
    "=1+1.jpg",
    "it's $(touch pwned) `x`.jpg",
    "two\nlines\x1b[201~\x15.jpg",
    "é — 100% #1?.jpg",
    "-rf.jpg",
    "a;\u2212b\t=c.jpg",
    " '+1\r@x.jpg",
)
ON_DISK = len(HOSTILE) + 10

Open = Callable[..., Page]


UMLAUTS = ("Mu\u0308ller/1.jpg", "M\u00fcller/2.jpg", "MULLER/3.jpg", "Stra\u00dfe/4.jpg", "\u0130zmir/5.jpg")


def photos_of(folder: Path) -> list[Photo]:
    """Photos in two folders, over three hours, by two cameras; the first ones are files of the folder."""
    made = []
    for number in range(PHOTOS):
        name = f"{'friday' if number % 3 else 'saturday/late'}/{number:03}.jpg"
        if number < len(HOSTILE):
            name = HOSTILE[number]
        photo = fake_photo(number, name)
        update = {
            "taken_at": f"2026-05-30T{20 + number % 3}:{number:02}:00",
            "camera_model": "X100" if number % 4 else None,
            "root": str(folder),
        }
        if number < ON_DISK:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            width, height = size_of(number)
            Image.new("RGB", (width // 4, height // 4), (90, number, 60)).save(path, "JPEG")
            update["path"] = str(path)
        made.append(photo.model_copy(update=update))
    return made


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Photo]:
    return photos_of(tmp_path_factory.mktemp("photos") / "garden party")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, photos: list[Photo]) -> Path:
    return write_report_of(tmp_path_factory.mktemp("report"), photos, originals=True)


@pytest.fixture(scope="module")
def umlauts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = [fake_photo(number, name) for number, name in enumerate(UMLAUTS)]
    return write_report_of(tmp_path_factory.mktemp("umlauts"), made)


def one_with_faces(photos: list[Photo], least: int = 2) -> Photo:
    """A photo of the disk."""
    return next(photo for photo in photos[len(HOSTILE) : ON_DISK] if len(photo.faces) >= least)


def test_it_is_called_by_the_folder(open_page: Open, report: Path) -> None:
    expect(open_page(report).get_by_role("heading", level=1)).to_have_text("garden party")


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        ("name=late+03", lambda photo: all(word in photo.custom_id for word in ("late", "03"))),
        ("folder=saturday", lambda photo: photo.custom_id.startswith("saturday/")),
        ("time=2026-05-30T21", lambda photo: photo.taken_at.startswith("2026-05-30T21")),
        ("camera=X100", lambda photo: photo.camera_model == "X100"),
        ("from=2&to=3", lambda photo: photo.status == "succeeded" and 2 <= len(photo.faces) <= 3),
        ("sureGender=90", lambda photo: any(face.gender.probability >= 0.9 for face in photo.faces)),
        ("sureAge=60", lambda photo: any(face.age_group.probability >= 0.6 for face in photo.faces)),
        ("detector=99", lambda photo: any(face.confidence >= 0.99 for face in photo.faces)),
        (
            "gender=female&age=65%2B+20-29",
            lambda photo: any(
                face.gender.value == "female" and face.age_group.label in {"65+", "20-29"}
                for face in photo.faces
            ),
        ),
        ("show=nonsense&gender=%3Cb%3E&from=x&sort=y&folder=", lambda _: True),
    ],
)
def test_an_address_is_a_filter(
    open_page: Open, report: Path, photos: list[Photo], wish: str, wanted: Callable[[Photo], bool]
) -> None:
    page = open_page(report, wish=wish)
    assert shown(page) == [photo.custom_id for photo in photos if wanted(photo)]
    assert shown(page)


def test_controls_are_in_the_address_and_come_back(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.get_by_role("searchbox", name="Name").fill("day")
    page.locator("#filters").get_by_label("Female", exact=True).check()
    page.locator("#sort").select_option("time")
    page.locator("#more-filters > summary").click()
    page.locator("#folder").select_option("saturday/late")
    page.get_by_label("to", exact=True).fill("4")
    page.locator("[name=sureAge]").fill("30")
    expect(page).to_have_url(re.compile("sureAge=30"))
    before = shown(page)
    assert before and len(before) < PHOTOS

    again = open_page(report, wish=page.url.split("#")[1])
    assert shown(again) == before
    expect(again.locator("[name=name]")).to_have_value("day")
    expect(again.locator("#folder")).to_have_value("saturday/late")
    again.get_by_role("button", name="Clear filters").click()
    expect(again.locator("#count")).to_contain_text(f"{PHOTOS} photos, ")
    assert "#" not in again.url


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("time", lambda photo: photo.taken_at),
        ("faces", lambda photo: -len(photo.faces)),
        ("gender", lambda photo: min((round(face.gender.probability, 3) for face in photo.faces), default=2)),
        ("age", lambda photo: min((round(face.age_group.probability, 3) for face in photo.faces), default=2)),
    ],
)
def test_photos_are_sorted(
    open_page: Open, report: Path, photos: list[Photo], sort: str, key: Callable[[Photo], float]
) -> None:
    names = [photo.custom_id for photo in sorted(photos, key=key)]
    assert shown(open_page(report, wish=f"sort={sort}")) == names


def test_hours_folders_and_cameras_are_counted_and_lead_to_their_photos(
    open_page: Open, report: Path, photos: list[Photo]
) -> None:
    page = open_page(report)
    page.locator("#breakdown > summary").click()
    heads = page.locator("#breakdown h3").all_inner_texts()
    assert [head.split(" by")[0] for head in heads] == ["By hour", "By folder", "By camera"]
    hour = [photo for photo in photos if "T21:" in (photo.taken_at or "")]
    faces = sum(len(photo.faces) for photo in hour)
    button = page.locator("#breakdown button", has_text="21:00")
    expect(button).to_contain_text(f"{len(hour)} photos, {faces} faces")
    button.click()
    assert shown(page) == [photo.custom_id for photo in hour]
    expect(page.locator("#also")).to_have_text("Only 2026-05-30, 21:00")


def test_rows_add_up_to_all_photos_and_say_the_year(open_page: Open, tmp_path: Path) -> None:
    """Also of those at the top, and of those without a time or a camera."""
    photos = [
        fake_photo(0, "top.jpg"),
        fake_photo(1, "a/one.jpg").model_copy(
            update={"taken_at": "2016-01-25T03:10:00", "camera_model": "X100"}
        ),
        fake_photo(2, "b/two.jpg"),
        fake_photo(3, "b/three.jpg"),
    ]
    page = open_page(write_report_of(tmp_path, photos))
    page.locator("#breakdown > summary").click()
    rows = page.locator("#breakdown button")
    assert [" ".join(row.split()[:-4]) for row in rows.all_inner_texts()] == [
        *("25 Jan 2016, 03:00", "without a time"),
        *("a", "b", "at the top of the folder"),
        *("X100", "without a camera"),
    ]
    for section in page.locator("#breakdown section").all_inner_texts():
        assert sum(int(found) for found in re.findall(r"(\d+) photos?,", section)) == len(photos)
    rows.filter(has_text="at the top").click()
    assert shown(page) == ["top.jpg"]
    rows.filter(has_text="without a time").click()
    expect(page.locator("#also")).to_have_text("Only without a time")
    assert shown(page) == ["top.jpg", "b/two.jpg", "b/three.jpg"]
    page.locator("#more-filters > summary").click()
    page.locator("#folder").select_option("/")
    expect(page.locator("#grid li")).to_have_count(1)
    assert shown(page) == ["top.jpg"]


def test_codes_of_failures_do_not_break(open_page: Open, tmp_path: Path) -> None:
    name, message = "a rather long folder/" + "x" * 60 + ".jpg", "a message of some words " * 12
    photos = [failed_photo(0, name, message, code="unsupported_format"), fake_photo(1)]
    page = open_page(write_report_of(tmp_path, photos), viewport={"width": 1280, "height": 900})
    page.locator("#failures > summary").click()
    code = page.locator("#failure-rows .code")
    assert code.evaluate("code => code.getClientRects().length") == 1


def test_the_faces_that_were_asked_for_are_marked(open_page: Open, report: Path, photos: list[Photo]) -> None:
    page = open_page(report, wish="gender=male", viewport={"width": 1280, "height": 6000})
    wanted = sum(face.gender.value == "male" for photo in photos for face in photo.faces)
    others = sum(
        face.gender.value == "female"
        for photo in photos
        if any(face.gender.value == "male" for face in photo.faces)
        for face in photo.faces
    )
    assert wanted and others
    expect(page.locator("#grid .box.wanted")).to_have_count(wanted)
    expect(page.locator("#grid .box.other")).to_have_count(others)
    page.locator("#grid li:has(.other) button").first.click()
    expect(page.locator(".faces > li").first).to_have_class(re.compile("male wanted"))


def test_the_viewer_shows_the_photo_itself_and_comes_near(
    open_page: Open, report: Path, photos: list[Photo]
) -> None:
    photo = one_with_faces(photos)
    page = open_page(report, wish=f"name={photo.custom_id}")
    page.locator("#grid .tile").first.click()
    image = page.locator("#viewer-stage img")
    expect(image).to_have_js_property("naturalWidth", (photo.width or 0) // 4)
    expect(page.get_by_role("link", name="Open the photo itself")).to_have_attribute(
        "href", Path(photo.path or "").as_uri()
    )
    expect(page.locator(".crop img")).to_have_count(len(photo.faces))
    assert page.locator(".crop img").first.get_attribute("src") == image.get_attribute("src")

    width = image.evaluate("image => image.clientWidth")
    page.keyboard.press("+")
    assert image.evaluate("image => image.clientWidth") == pytest.approx(1.5 * width, abs=2)
    page.keyboard.press("0")
    assert image.evaluate("image => image.clientWidth") == pytest.approx(width, abs=2)
    page.get_by_role("button", name="Face 2: show it larger").click()
    stage = page.locator("#viewer-stage").bounding_box()
    box = page.locator("#viewer-stage .box").nth(1).bounding_box()
    assert stage and box
    assert box["height"] >= 0.3 * stage["height"] or box["width"] >= 0.3 * stage["height"]
    assert stage["x"] <= box["x"] + box["width"] / 2 <= stage["x"] + stage["width"]
    page.get_by_role("button", name="Boxes").click()
    expect(page.locator("#viewer-stage .box").first).to_be_hidden()


def test_a_photo_that_is_gone_leaves_its_preview(tmp_path: Path, open_page: Open) -> None:
    photos = photos_of(tmp_path / "photos")
    photo = one_with_faces(photos)
    report = write_report_of(tmp_path / "out", photos, originals=True)
    Path(photo.path or "").write_bytes(b"no image any more")
    page = open_page(report, wish=f"name={photo.custom_id}")
    page.locator("#grid .tile").first.click()
    expect(page.locator("#viewer-original")).to_have_text(
        "The photo is not where it was: this is its preview."
    )
    assert page.locator("#viewer-stage img").evaluate("image => image.naturalWidth") > 0


def saved(page: Page, what: str) -> str:
    page.locator("#list > summary").click()
    with page.expect_download() as download:
        page.locator(f"[data-list={what}]").click()
    text = Path(download.value.path()).read_bytes().decode("utf-8")
    page.locator("#list > summary").click()
    return text


def test_the_list_is_saved_as_names_and_as_a_table(
    open_page: Open, report: Path, photos: list[Photo]
) -> None:
    page = open_page(report)
    assert saved(page, "save-names") == "".join(f"{photo.custom_id}\n" for photo in photos)
    text = saved(page, "save-csv")
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text[1:], newline="")))
    assert [row["custom_id"] for row in rows] == [disarm(photo.custom_id) for photo in photos]
    assert sum(row["custom_id"] != photo.custom_id for row, photo in zip(rows, photos, strict=True)) == 4
    assert [int(row["faces"]) for row in rows] == [len(photo.faces) for photo in photos]


def test_the_command_copies_the_files_whatever_they_are_called(
    open_page: Open, report: Path, photos: list[Photo], tmp_path: Path
) -> None:
    page = open_page(report)
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.locator("#list > summary").click()
    page.locator("[data-list=copy-command]").click()
    expect(page.locator("#list-said")).to_contain_text(f"{ON_DISK} files")
    command = page.evaluate("window.copied")
    assert all(character == "\n" or " " <= character <= "~" for character in command)
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    copied = {path.name: path.read_bytes() for path in (tmp_path / "selection").iterdir()}
    assert copied == {
        photo.custom_id.replace("/", "_"): Path(photo.path).read_bytes() for photo in photos if photo.path
    }
    assert [path.name for path in tmp_path.iterdir()] == ["selection"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("m\u00fcller", [0, 1]),
        ("mu\u0308ller", [0, 1]),
        ("M\u00dcLLER 2", [1]),
        ("muller", [0, 1, 2]),
        ("STRASSE", [3]),
        ("stra\u00dfe", [3]),
        ("izmir", [4]),
        ("\u0131zmir", [4]),
    ],
)
def test_names_are_found_however_their_letters_are_written(
    open_page: Open, umlauts: Path, typed: str, found: list[int]
) -> None:
    page = open_page(umlauts)
    page.get_by_role("searchbox", name="Name").fill(typed)
    expect(page.locator("#count")).to_contain_text(f"{len(found)} of ")
    assert shown(page) == [UMLAUTS[number] for number in found]


def test_the_page_folds_names_as_the_service_does(open_page: Open, umlauts: Path) -> None:
    names = [
        *UMLAUTS,
        "\u1e9e \u039f\u03a3 \u03bf\u03c2 \ufb01 \uff21\u00b5 \u01c5 \u0149 \u017f \u212a",
        "\u0390 \u1fb3 A\u0345",
    ]
    page = open_page(umlauts)
    assert page.evaluate("(names) => names.map(nightshift.folded)", names) == list(map(folded, names))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("where", ["list", "more-filters", "viewer"])
def test_axe_finds_nothing_serious(
    open_page: Open, report: Path, photos: list[Photo], scheme: str, where: str
) -> None:
    page = open_page(
        report, wish="gender=male", color_scheme=scheme, bypass_csp=True, reduced_motion="reduce"
    )
    page.locator("#breakdown > summary").click()
    if where == "viewer":
        page.locator("#grid li:has(.other) button").first.click()
    else:
        page.locator(f"#{where} > summary").click()
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    assert [
        (rule["id"], node["html"], node["failureSummary"])
        for rule in found
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ] == []


@pytest.mark.parametrize("width", [320, 390, 800, 900])
def test_menus_open_inside_the_page(open_page: Open, report: Path, width: int) -> None:
    page = open_page(report, viewport={"width": width, "height": 840})
    for menu in ("list", "more-filters"):
        page.locator(f"#{menu} > summary").click()
        box = page.locator(f"#{menu} .menu-body").bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.keyboard.press("Escape")
        expect(page.locator(f"#{menu} .menu-body")).to_be_hidden()
        expect(page.locator(f"#{menu} > summary")).to_be_focused()


def test_without_its_index_the_rest_of_the_report_is_there(browser: Browser, tmp_path: Path) -> None:
    report = write_report_of(tmp_path, [fake_photo(number) for number in range(4)])
    (parts_of(report) / "index.js").unlink()
    page = browser.new_page()
    page.goto(report.as_uri())
    expect(page.locator("#grid .tile")).to_have_count(4)
    expect(page.locator("[name=name]")).to_be_disabled()
    page.locator("#grid .tile").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.close()
