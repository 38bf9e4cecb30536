"""Sending that is disturbed: by other tabs, other parts of the page, and files that go away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.page.test_page_new_job import drop, names_in, newest
from tests.support.command import write_portraits
from tests.support.page_served import Open, Served, sign_in, signed_in
from tests.support.processes import wait_for

PORTRAITS = 6


@pytest.fixture
def party(tmp_path: Path) -> Path:
    folder = tmp_path / "party"
    write_portraits(folder, PORTRAITS)
    return folder


def choose(page: Page, folder: Path) -> None:
    page.get_by_label("Choose a folder").set_input_files(folder)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()


class Gate:
    """Lets so many photos pass to the service, and the others when it is opened."""

    def __init__(self, page: Page, passes: int) -> None:
        self.waiting: list[Route] = []
        self._passes = passes
        page.route("**/photos?custom_id=*", self._pass)

    def _pass(self, route: Route) -> None:
        if self._passes:
            self._passes -= 1
            route.continue_()
        else:
            self.waiting.append(route)

    def open(self) -> None:
        self._passes = 1_000_000
        for route in self.waiting:
            route.continue_()
        self.waiting.clear()


def test_it_goes_on_while_somebody_looks_elsewhere(open_page: Open, served: Served, party: Path) -> None:
    page = signed_in(open_page, served, "new")
    gate = Gate(page, 3)
    choose(page, party)
    send(page)
    expect(page.get_by_text(f"3 of {PORTRAITS} sent")).to_be_visible()
    page.get_by_role("link", name="Tonight").click()
    expect(page.get_by_role("link", name="New job · 50 %")).to_be_visible()
    # Another tab does not offer to send what this one sends.
    other = page.context.new_page()
    other.goto(f"{served.url}/#/new")
    expect(other.get_by_text("Drop photos")).to_be_visible()
    expect(other.get_by_text("is still open")).to_have_count(0)
    other.close()
    gate.open()
    expect(page.get_by_role("link", name="New job", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", level=1, name="Tonight")).to_be_visible()
    job = newest(served)
    assert job["state"] == "queued"
    assert len(names_in(served, job["id"])) == PORTRAITS


def test_a_session_that_ends_meanwhile_holds_it_up_until_somebody_signs_in(
    open_page: Open, served: Served, party: Path
) -> None:
    page = signed_in(open_page, served, "new")
    gate = Gate(page, 2)
    choose(page, party)
    send(page)
    expect(page.get_by_text(f"2 of {PORTRAITS} sent")).to_be_visible()
    job_id = newest(served)["id"]
    other = page.context.new_page()
    other.goto(served.url)
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    other.close()
    gate.open()
    expect(page.get_by_text("You were signed out")).to_be_visible()
    page.get_by_label("API key").fill(served.key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="party")).to_be_visible()
    assert len(names_in(served, job_id)) == PORTRAITS
    assert newest(served)["id"] == job_id


def test_a_tab_that_is_shown_again_knows_who_is_signed_in(open_page: Open, served: Served) -> None:
    page = signed_in(open_page, served)
    other = page.context.new_page()
    other.goto(served.url)
    other.get_by_role("button", name="Sign out").click()
    sign_in(other, served.made_key("read", owner="somebody")["key"])
    other.close()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("somebody", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="New job")).to_have_count(0)


def test_files_that_went_away_are_named_and_the_others_sent(
    open_page: Open, served: Served, party: Path
) -> None:
    page = signed_in(open_page, served, "new")
    drop(page, party)
    expect(page.get_by_text(f"{PORTRAITS} photos")).to_be_visible()
    (party / "portrait-00.jpg").unlink()
    send(page)
    told = page.get_by_role("alert").filter(has_text="1 photo was refused")
    expect(told).to_contain_text("portrait-00.jpg: cannot be read any more, or is damaged")
    job_id = newest(served)["id"]
    assert len(names_in(served, job_id)) == PORTRAITS - 1
    # Mended, it goes into the same job, and that one is submitted.
    shutil.copyfile(party / "portrait-01.jpg", party / "portrait-00.jpg")
    choose(page, party)
    expect(page.get_by_text("is still open")).to_be_visible()
    send(page)
    expect(page.get_by_role("heading", level=1, name="party")).to_be_visible()
    assert newest(served)["id"] == job_id
    assert len(names_in(served, job_id)) == PORTRAITS


def test_who_stops_has_the_form_again(open_page: Open, served: Served, party: Path) -> None:
    page = signed_in(open_page, served, "new")
    # What ends late, after the stop, may not bring the progress back.
    page.evaluate(
        """() => {
            const digest = crypto.subtle.digest.bind(crypto.subtle);
            crypto.subtle.digest = async (...of) => {
                await new Promise((done) => setTimeout(done, 1500));
                return digest(...of);
            };
        }"""
    )
    choose(page, party)
    send(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    page.wait_for_timeout(3000)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()


def test_folders_dropped_together_keep_their_names(open_page: Open, served: Served, tmp_path: Path) -> None:
    for folder in ("100CANON", "101CANON"):
        write_portraits(tmp_path / folder, 1)
    page = signed_in(open_page, served, "new")
    drop(page, tmp_path / "100CANON", tmp_path / "101CANON")
    expect(page.get_by_text("2 photos")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("100CANON, 101CANON")
    send(page)
    expect(page.get_by_role("heading", level=1, name="100CANON, 101CANON")).to_be_visible()
    names = names_in(served, newest(served)["id"])
    assert names == {"100CANON/portrait-00.jpg", "101CANON/portrait-00.jpg"}


def test_an_empty_folder_is_said_to_be_empty(open_page: Open, served: Served, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    page = signed_in(open_page, served, "new")
    drop(page, tmp_path / "nothing")
    expect(page.get_by_text("There is no photo in it.")).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()


def test_what_is_dropped_beside_the_place_is_taken(open_page: Open, served: Served, party: Path) -> None:
    page = signed_in(open_page, served, "new")
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(party)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 30, "data": data})
    expect(page.get_by_text(f"{PORTRAITS} photos")).to_be_visible()
    assert page.url.endswith("/#/new")
    wait_for(lambda: page.locator(".drop.over").count() == 0, "the mark goes", 10)


def test_over_plain_http_nothing_is_sent_twice_either(open_page: Open, served: Served, party: Path) -> None:
    page = open_page("about:blank")
    # As a browser leaves it out for pages of other machines without TLS.
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    page.goto(f"{served.url}/#/new")
    page.get_by_label("API key").fill(served.key)
    page.keyboard.press("Enter")
    gate = Gate(page, 2)
    choose(page, party)
    send(page)
    expect(page.get_by_text(f"2 of {PORTRAITS} sent")).to_be_visible()
    job_id = newest(served)["id"]
    page.reload()
    expect(page.get_by_text("is still open")).to_be_visible()
    gate.waiting.clear()
    gate.open()
    puts: list[str] = []
    page.on("request", lambda request: puts.append(request.url) if request.method == "PUT" else None)
    choose(page, party)
    send(page)
    expect(page.get_by_role("heading", level=1, name="party")).to_be_visible()
    assert newest(served)["id"] == job_id
    assert len(puts) == PORTRAITS - 2


def test_a_service_that_is_away_is_not_called_well(open_page: Open, served: Served) -> None:
    page = signed_in(open_page, served)
    expect(page.locator(".bell")).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text("The service does not answer.")).to_be_visible()
    expect(page.locator(".bell")).to_have_count(0)
    page.context.set_offline(False)
    expect(page.locator(".bell")).to_be_visible()
