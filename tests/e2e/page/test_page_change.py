"""A job is changed on the page: only what the form says otherwise, and what is wrong is said."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.support.page_served import Open, Served, accessible, signed_in
from tests.support.processes import wait_for


def waiting_job(served: Served, **wishes: Any) -> str:
    """A job that waits for a worker; there is none."""
    job_id = str(served.ask("POST", "/v1/jobs", json=wishes)["id"])
    served.ask("PUT", f"/v1/jobs/{job_id}/photos?custom_id=a.jpg", content=b"a photo")
    served.ask("POST", f"/v1/jobs/{job_id}/submit")
    return job_id


def opened(open_page: Open, served: Served, job_id: str, **options: Any) -> Page:
    page = signed_in(open_page, served, f"jobs/{job_id}", **options)
    page.get_by_text("Change it").click()
    return page


def saved(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Save")).to_be_hidden()


def test_what_the_form_says_otherwise_is_changed_and_nothing_else(open_page: Open, served: Served) -> None:
    job_id = waiting_job(
        served, label="gala", deadline="8h", processing_window="22:00-06:00 Pacific/Auckland"
    )
    page = opened(open_page, served, job_id)
    expect(page.get_by_label("Name", exact=True)).to_have_value("gala")
    expect(page.get_by_label("from", exact=True)).to_have_value("22:00")
    accessible(page)
    page.get_by_label("Name", exact=True).fill("the gala, 2nd night")
    page.get_by_label("Priority", exact=True).fill("-3")
    before = served.ask("GET", f"/v1/jobs/{job_id}")
    # Somebody else changes another thing meanwhile.
    served.ask("PATCH", f"/v1/jobs/{job_id}", json={"metadata": {"desk": 4}, "max_failure_rate": 0.5})
    saved(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("the gala, 2nd night")
    job = served.ask("GET", f"/v1/jobs/{job_id}")
    assert (job["label"], job["priority"], job["metadata"]) == ("the gala, 2nd night", -3, {"desk": 4})
    assert job["max_failure_rate"] == 0.5
    # The clock of a window is its own, and a deadline keeps its seconds.
    assert job["processing_window"] == "22:00-06:00 Pacific/Auckland"
    assert job["deadline"] == before["deadline"]

    page.get_by_text("Change it").click()
    page.get_by_label("until", exact=True).fill("05:30")
    page.get_by_label("Give up what is not done by").fill("")
    saved(page)
    job = served.ask("GET", f"/v1/jobs/{job_id}")
    assert (job["processing_window"], job["deadline"]) == ("22:00-05:30 Pacific/Auckland", None)
    page.get_by_text("Change it").click()
    for name in ("from", "until"):
        page.get_by_label(name, exact=True).fill("")
    saved(page)
    assert served.ask("GET", f"/v1/jobs/{job_id}")["processing_window"] is None


def test_a_pause_has_an_end(open_page: Open, served: Served) -> None:
    job_id = waiting_job(served, label="until tomorrow")
    page = opened(open_page, served, job_id)
    page.get_by_label("Pause until").fill("2099-05-01T06:00")
    page.locator("details.change").get_by_role("button", name="Pause").click()
    wait_for(lambda: served.ask("GET", f"/v1/jobs/{job_id}")["state"] == "paused", "it pauses")
    expect(page.get_by_text("Paused until")).to_be_visible()
    assert served.ask("GET", f"/v1/jobs/{job_id}")["waits_until"].startswith("2099-0")


def test_what_is_wrong_is_said_and_the_form_stays(open_page: Open, served: Served) -> None:
    job_id = waiting_job(served)
    page = opened(open_page, served, job_id, viewport={"width": 360, "height": 700}, color_scheme="dark")
    page.get_by_label("Give up what is not done by").fill("2020-01-01T00:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="deadline")).to_be_visible()
    expect(page.get_by_label("Give up what is not done by")).to_have_value("2020-01-01T00:00")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    accessible(page)
    assert served.ask("GET", f"/v1/jobs/{job_id}")["deadline"] is None


def test_who_may_only_look_is_not_asked(open_page: Open, served: Served) -> None:
    job_id = waiting_job(served)
    page = open_page(served.url)
    page.get_by_label("API key").fill(served.made_key("read")["key"])
    page.keyboard.press("Enter")
    page.goto(f"{served.url}/#/jobs/{job_id}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Change it")).to_have_count(0)
