"""The page in Chromium, over a real `nightshift serve` with a worker: sign in, look, steer, take away."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.command import Nightshift, write_portraits
from tests.support.page_served import Open, Served, accessible, serving, sign_in, signed_in
from tests.support.processes import wait_for

PORTRAITS = 3
HOSTILE = '<img src=x onerror="alert(1)"> \u05e9\u05dc\u05d5\u05dd.jpg'
ANALYSED_WITHIN_MS = 120_000


def test_the_link_of_serve_signs_in_once(open_page: Open, served: Served) -> None:
    page = open_page(served.link)
    expect(page.get_by_role("heading", level=1, name="Tonight")).to_be_visible()
    assert "link" not in page.url
    page.reload()
    expect(page.get_by_text("No worker is running").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    again = open_page(served.link)
    expect(again.get_by_role("alert")).to_contain_text("used before")
    accessible(again)
    again.get_by_label("API key").fill("wrong")
    again.keyboard.press("Enter")
    expect(again.get_by_role("alert")).to_contain_text("no such key")


def test_a_job_from_waiting_to_its_receipt(open_page: Open, served: Served, tmp_path: Path) -> None:
    folder = served.command.folder / "party"
    write_portraits(folder, PORTRAITS)
    (folder / HOSTILE).write_bytes(b"no photo")
    (folder / "cut off.jpg").write_bytes((folder / "portrait-00.jpg").read_bytes()[:4000])
    submitted = served.command.run("submit", "party", "--label", "summer party")
    assert submitted.returncode == 0, submitted.stderr
    job_id = submitted.stdout.strip()

    page = signed_in(open_page, served)
    strip = page.get_by_role("listitem").filter(has_text="summer party")
    expect(strip).to_contain_text("No worker is running")
    expect(strip).to_contain_text(f"0 of {PORTRAITS + 2} photos")
    accessible(page)
    strip.get_by_role("link", name="summer party").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused until somebody resumes it.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()

    with Nightshift(served.command.folder).running("worker", "--workers", "1"):
        # Nobody presses anything: the page follows the job.
        expect(page.get_by_role("status").filter(has_text="done, some failed")).to_be_visible(
            timeout=ANALYSED_WITHIN_MS
        )
        failures = page.get_by_role("region", name="Failures")
        expect(failures).to_contain_text("of a kind that is not read")
        no_photo = failures.get_by_role("listitem").filter(has_text="unsupported_format")
        no_photo.get_by_role("button", name="Show the photos").click()
        expect(no_photo.get_by_role("rowheader")).to_have_text(HOSTILE)
        accessible(page)
        with page.expect_download() as listed:
            failures.get_by_role("button", name="Download the list").click()
        assert "unsupported_format" in Path(listed.value.path()).read_text("utf-8")
        with page.expect_download() as faces:
            page.get_by_role("link", name="Table of faces, CSV").click()
        assert Path(faces.value.path()).read_text("utf-8-sig").count("\n") == PORTRAITS + 1
        with page.expect_download() as report:
            page.get_by_role("link", name="Report with thumbnails, zip").click()
        with zipfile.ZipFile(report.value.path()) as packed:
            assert packed.testzip() is None
            assert sum(name.endswith(".webp") for name in packed.namelist()) == PORTRAITS

        # Of what is no picture nothing was kept: to try it again is not offered, and it says why.
        expect(no_photo).to_contain_text("has not kept them")
        expect(no_photo.get_by_role("button", name="Try these again")).to_have_count(0)
        expect(no_photo.get_by_role("checkbox")).to_have_count(0)
        cut_off = failures.get_by_role("listitem").filter(has_text="corrupt_image")
        cut_off.get_by_role("button", name="Show the photos").click()
        cut_off.get_by_role("checkbox").check()
        accessible(page)
        cut_off.get_by_role("button", name="Try the chosen one again").click()

        def tried_twice() -> bool:
            job = served.ask("GET", f"/v1/jobs/{job_id}")
            photos = served.ask("GET", f"/v1/jobs/{job_id}/photos?code=corrupt_image")["photos"]
            return job["state"] == "ended" and [len(photo["history"]) for photo in photos] == [2]

        wait_for(tried_twice, "the second attempt", 60)
        page.goto(f"{served.url}/#/")
        strip = page.get_by_role("listitem").filter(has_text="summer party").first
        # For two reasons: neither is that of most.
        expect(strip).to_contain_text("2 failed")
        expect(strip).not_to_contain_text("mostly")
        expect(strip.get_by_role("img")).to_have_count(PORTRAITS)
        accessible(page)

    page.goto(f"{served.url}/#/jobs/{job_id}")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("heading", level=1, name="summer party")).to_be_visible()
    page.get_by_role("button", name="Erase").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    page.get_by_role("button", name="Erase").click()
    accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Erase it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Erased: the receipt")
    expect(page.get_by_text("Uploads deleted")).to_be_visible()
    accessible(page)
    # Whoever else was looking at it is told.
    expect(other.get_by_role("alert").filter(has_text="not there")).to_be_visible()
    assert served.ask("GET", f"/v1/jobs/{job_id}")["code"] == "job_not_found"


def test_who_may_look_cannot_act_and_is_signed_out_with_the_key(open_page: Open, served: Served) -> None:
    job_id = served.ask("POST", "/v1/jobs", json={"label": "to be looked at"})["id"]
    made = served.made_key("read")
    page = open_page(f"{served.url}/#/jobs/{job_id}")
    page.get_by_label("API key").fill(made["key"])
    page.get_by_role("button", name="Sign in").click()
    # One is where one wanted to be.
    expect(page.get_by_role("heading", level=1, name="to be looked at")).to_be_visible()
    expect(page.get_by_text("Your key may look, and not steer.")).to_be_visible()
    for name in ("Cancel", "Erase", "Submit what is there"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.get_by_role("link", name="New job")).to_have_count(0)
    served.ask("DELETE", f"/v1/keys/{made['id']}")
    expect(page.get_by_text("You were signed out")).to_be_visible(timeout=60_000)
    accessible(page)


def test_an_operator_sees_others_jobs_from_outside(open_page: Open, served: Served) -> None:
    job_id = served.ask("POST", "/v1/jobs", json={"label": "another's"})["id"]
    made = served.made_key("operator", "submit", owner="ops")
    page = open_page(served.url)
    sign_in(page, made["key"])
    page.get_by_role("link", name="another's").click()
    expect(page.get_by_text("you see it from outside")).to_be_visible()
    expect(page.get_by_role("button", name="Erase")).to_have_count(0)
    expect(page.get_by_role("heading", name="Failures")).to_have_count(0)
    assert job_id in page.url


def test_a_service_that_goes_away_comes_back_by_itself(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_context(locale="de-DE").new_page()
    with serving(tmp_path) as served:
        served.ask("POST", "/v1/jobs", json={"label": "patient"})
        page.goto(served.link)
        expect(page.get_by_role("heading", level=1, name="Heute Nacht")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.get_by_role("link", name="patient")).to_be_visible()
    expect(page.get_by_text("Der Dienst antwortet nicht.")).to_be_visible()
    # What was seen last stays.
    expect(page.get_by_role("link", name="patient")).to_be_visible()
    with serving(tmp_path, port=int(served.url.rsplit(":", 1)[1])) as served:
        expect(page.get_by_text("Der Dienst antwortet nicht.")).to_be_hidden()
        served.ask("POST", "/v1/jobs", json={"label": "later"})
        # Still signed in.
        expect(page.get_by_role("link", name="later")).to_be_visible()
    page.context.close()


def test_a_fault_of_the_service_is_said_and_asked_past(open_page: Open, served: Served) -> None:
    served.ask("POST", "/v1/jobs", json={"label": "after the fault"})
    page = signed_in(open_page, served, "new")
    body = '{"code": "internal", "detail": "an error of the server\'s own"}'
    page.route(
        "**/v1/overview?*",
        lambda route: route.fulfill(status=500, body=body, headers={"Retry-After": "1"}),
        times=1,
    )
    page.get_by_role("link", name="Tonight").click()
    expect(page.get_by_role("alert").filter(has_text="an error of the server's own")).to_be_visible()
    expect(page.get_by_role("link", name="after the fault")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="an error")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_the_keyboard(open_page: Open, served: Served, scheme: str) -> None:
    job_id = served.ask("POST", "/v1/jobs", json={"label": "x" * 120})["id"]
    page = signed_in(open_page, served, viewport={"width": 360, "height": 700}, color_scheme=scheme)
    for place in ("", f"jobs/{job_id}"):
        page.goto(f"{served.url}/#/{place}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_text("x" * 120).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        accessible(page)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Photos and faces")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
