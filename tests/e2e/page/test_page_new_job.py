"""New jobs from the page: archives, wishes, and a network that goes away in the middle and comes back."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.command import write_portraits
from tests.support.page_served import Open, Served, accessible, signed_in
from tests.support.processes import wait_for

PORTRAITS = 8


@pytest.fixture(scope="module")
def party(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "party"
    write_portraits(folder, PORTRAITS)
    return folder


@pytest.fixture(scope="module")
def archive(party: Path) -> Path:
    path = party.parent / "Fest \u05d7\u05d2.zip"
    with zipfile.ZipFile(path, "w") as members:
        for photo in sorted(party.iterdir()):
            members.write(photo, f"\u062d\u0641\u0644\u0629/{photo.name}")
        members.writestr("guests.docx", b"no photo")
        members.writestr("__MACOSX/._portrait-00.jpg", b"of the system")
        members.writestr("inner.zip", b"PK")
    return path


def drop(page: Page, *paths: Path) -> None:
    """As a person does it, from the desktop."""
    place = page.locator(".drop").bounding_box()
    assert place
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    at = {"x": place["x"] + 20, "y": place["y"] + 20}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


def newest(served: Served) -> dict[str, object]:
    return dict(served.ask("GET", "/v1/jobs")["jobs"][0])


def names_in(served: Served, job_id: object) -> set[str]:
    return {photo["custom_id"] for photo in served.ask("GET", f"/v1/jobs/{job_id}/photos")["photos"]}


def test_the_network_goes_away_in_the_middle_and_comes_back(
    open_page: Open, served: Served, party: Path
) -> None:
    page = signed_in(open_page, served, "new")
    page.get_by_label("Choose a folder").set_input_files(party)
    sent: list[str] = []

    def cut_after_three(route: Route) -> None:
        if len(sent) == 3:
            page.context.set_offline(True)
        sent.append(route.request.url)
        route.continue_()

    page.route("**/photos?custom_id=*", cut_after_three)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("The service does not answer.")).to_be_visible()
    job_id = newest(served)["id"]
    assert len(names_in(served, job_id)) < PORTRAITS
    # Whoever is gone for a while finds it where it was.
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("heading", level=1, name="party")).to_be_visible()
    assert names_in(served, job_id) == {path.name for path in party.iterdir()}
    assert served.ask("GET", f"/v1/jobs/{job_id}")["state"] == "queued"


def test_a_dropped_zip_says_what_is_in_it_and_is_sent_with_wishes(
    open_page: Open, served: Served, archive: Path
) -> None:
    page = signed_in(open_page, served, "new", timezone_id="Europe/Berlin")
    drop(page, archive)
    expect(page.get_by_text(f"{PORTRAITS} photos")).to_be_visible()
    expect(page.get_by_text("2 files are of no kind that is read")).to_be_visible()
    for name in ("guests.docx", "inner.zip"):
        expect(page.get_by_text(name)).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value(archive.stem)
    page.get_by_text("When, and how").click()
    page.get_by_label("from").fill("22:00")
    page.get_by_label("until").fill("06:00")
    page.get_by_label("Priority").fill("-5")
    page.get_by_label("Give up what is not done by").fill("2099-01-02T03:04")
    page.get_by_label("The detector has to be this sure").fill("95")
    page.get_by_label("Previews, pixels").select_option("1600")
    page.get_by_label("Delete the photos that were sent").check()
    page.get_by_label("Analyse again").check()
    accessible(page)

    # The network is lost while it is sent, and what was sent of it with it.
    tries: list[str | None] = []

    def lose_the_first(route: Route) -> None:
        tries.append(route.request.header_value("Idempotency-Key"))
        if len(tries) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/v1/jobs", lose_the_first)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", level=1, name=archive.stem)).to_be_visible()
    assert len(tries) == 2
    assert tries[0] == tries[1]
    job = newest(served)
    assert job["label"] == archive.stem
    assert job["processing_window"] == "22:00-06:00 Europe/Berlin"
    assert job["priority"] == -5
    assert job["deadline"] == "2099-01-02T02:04:00Z"
    options = job["options"]
    assert isinstance(options, dict)
    assert (options["min_confidence"], options["preview_px"]) == (0.95, 1600)
    assert (options["delete_originals"], options["reuse"]) == (True, False)
    names = {f"\u062d\u0641\u0644\u0629/{photo.name}" for photo in archive.with_name("party").iterdir()}
    assert names_in(served, job["id"]) == names


def test_what_an_archive_cannot_be_is_said_before_and_after(
    open_page: Open, served: Served, tmp_path: Path, archive: Path
) -> None:
    write_portraits(tmp_path, 1)
    (tmp_path / "nothing.jpg").touch()
    (tmp_path / "no archive.zip").write_bytes(b"not at all")
    page = signed_in(open_page, served, "new")
    # Beside photos it is not sent.
    files = page.get_by_label("Choose photos")
    files.set_input_files([tmp_path / "portrait-00.jpg", tmp_path / "nothing.jpg", archive])
    expect(page.get_by_text("1 photo,")).to_be_visible()
    expect(page.get_by_text("1 file is empty, and is not sent")).to_be_visible()
    expect(page.get_by_text(archive.name)).to_be_visible()
    files.set_input_files(tmp_path / "no archive.zip")
    expect(page.get_by_text("no archive.zip, 10 B")).to_be_visible()
    expect(page.get_by_text("What is in it cannot be listed here.")).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="That did not work")).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    accessible(page)


def test_wishes_that_the_service_refuses_are_said(open_page: Open, served: Served, party: Path) -> None:
    key = served.made_key("read", "submit")["key"]
    page = open_page(f"{served.url}/#/new")
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    page.get_by_label("Choose a folder").set_input_files(party)
    page.get_by_text("When, and how").click()
    page.get_by_label("Priority").fill("7")
    before = len(served.ask("GET", "/v1/jobs")["jobs"])
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="admin")).to_be_visible()
    # What was written is there still, to be mended.
    expect(page.get_by_label("Priority")).to_have_value("7")
    page.get_by_label("Priority").fill("0")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="party")).to_be_visible()
    wait_for(lambda: len(served.ask("GET", "/v1/jobs")["jobs"]) == before + 1, "the job", 20)


def test_it_fits_a_phone(open_page: Open, served: Served, party: Path) -> None:
    page = signed_in(open_page, served, "new", viewport={"width": 360, "height": 700}, color_scheme="dark")
    page.get_by_label("Choose photos").set_input_files(sorted(party.iterdir()))
    page.get_by_text("When, and how").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    accessible(page)
