"""The page's Service in Chromium, over a real server: workers, keys, webhooks, receipts, who did what."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.command import Nightshift, write_portraits
from tests.support.page_served import Open, Served, accessible, sign_in, signed_in
from tests.support.processes import wait_for

URL = "https://nobody.invalid/bell"


def _part(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def _look(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look at it."""
    if folder := os.environ.get("NIGHTSHIFT_TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_whoever_runs_it_sees_and_steers_the_service(open_page: Open, served: Served) -> None:
    write_portraits(served.command.folder / "party", 2)
    gone = served.ask("POST", "/v1/jobs", json={"label": "to be erased"})["id"]
    assert served.ask("DELETE", f"/v1/jobs/{gone}")["job_id"] == gone
    submitted = served.command.run("submit", "party", "--label", "summer party")
    assert submitted.returncode == 0, submitted.stderr
    job_id = submitted.stdout.strip()
    page = signed_in(open_page, served)
    page.get_by_role("link", name="Service").click()
    expect(page.get_by_role("heading", level=1, name="Service")).to_be_visible()
    workers = _part(page, "Workers and room")
    expect(workers).to_contain_text("2 photos wait for a worker")
    expect(workers).to_contain_text("free (database, store)")
    expect(workers.get_by_role("row").filter(has_text="sweeper")).to_contain_text("at work since")

    keys = _part(page, "Keys")
    expect(keys).to_contain_text("No key yet")
    keys.get_by_text("Make a key").first.click()
    keys.get_by_label("What it is for").fill("the desk's <b>own</b>")
    keys.get_by_label("Owner", exact=True).fill("news")
    keys.get_by_label("read look at").check()
    accessible(page)
    keys.get_by_role("button", name="Make a key").click()
    secret = keys.get_by_role("status").locator("code").inner_text()
    assert secret.startswith("nsk_")
    row = keys.get_by_role("row").filter(has_text="the desk's <b>own</b>")
    expect(row).to_contain_text("read, submit")
    expect(row).to_contain_text("not yet")
    keys.get_by_role("button", name="I have noted it").click()
    expect(page.get_by_text(secret)).to_have_count(0)

    desk = open_page(served.url)
    sign_in(desk, secret)
    expect(desk.get_by_role("link", name="Service")).to_have_count(0)
    desk.goto(f"{served.url}/#/service")
    expect(desk.get_by_role("heading", level=1, name="Tonight")).to_be_visible()
    row.get_by_role("button", name="Revoke").click()
    accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")
    expect(desk.get_by_text("You were signed out")).to_be_visible(timeout=60_000)

    hooks = _part(page, "Your webhooks")
    hooks.get_by_label("Try an address").fill("http://plain")
    hooks.get_by_role("button", name="Send a test", exact=True).click()
    expect(hooks.get_by_role("alert")).to_contain_text("That did not work")
    hooks.get_by_role("button", name="Make a secret").click()
    expect(hooks.get_by_role("status").locator("code")).to_contain_text("whsec_")
    hooks.get_by_role("button", name="I have noted it").click()
    assert served.ask("PUT", "/v1/webhooks", json={"notify": [{"url": URL}]})["receivers"]
    page.reload()
    hooks.get_by_role("button", name=f"Send a test: {URL}").click()
    delivery = hooks.get_by_role("row").filter(has_text="webhook.test")
    expect(delivery).to_contain_text("waiting")
    # It leads nowhere: the sweeper has tried, and says why it did not do.
    expect(delivery).to_contain_text("waiting ·", timeout=60_000)
    delivery.get_by_role("button", name="Send again").click()

    with Nightshift(served.command.folder).running("worker", "--workers", "1"):
        wait_for(lambda: served.ask("GET", f"/v1/jobs/{job_id}")["state"] == "ended", "the job", 120)
        page.reload()
        expect(workers.get_by_role("row").filter(has_text="cpu")).to_contain_text("at work since")
        expect(_part(page, "The last 24 hours")).to_contain_text("2 photos done", timeout=90_000)
    page.get_by_text("As a table").click()
    expect(_part(page, "What goes when").get_by_role("row").nth(1)).to_contain_text("summer party")
    weights = _part(page, "Weights").get_by_role("row").filter(has_text="faces-mobilenet")
    expect(weights).to_contain_text("in use")
    expect(weights).to_contain_text("no: ")
    expect(_part(page, "Receipts of erased jobs")).to_contain_text(gone)
    audit = _part(page, "Who did what")
    for what in ("key made", "key revoked", "webhook tried", "sent again", "submitted"):
        expect(audit.get_by_role("row").filter(has_text=what).first).to_contain_text("root key")
    while audit.get_by_role("button", name="Show more").count():
        audit.get_by_role("button", name="Show more").click()
    expect(audit.get_by_role("row").filter(has_text=gone).filter(has_text="erased")).to_be_visible()
    accessible(page)
    _look(page, "service-light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(open_page: Open, served: Served, scheme: str) -> None:
    served.ask("POST", "/v1/jobs", json={"label": "x" * 120})
    served.made_key("read", owner="x" * 60)
    page = signed_in(
        open_page, served, "service", viewport={"width": 360, "height": 700}, color_scheme=scheme
    )
    expect(_part(page, "Who did what").get_by_role("row").first).to_be_visible()
    expect(_part(page, "Keys").get_by_text("x" * 60).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    accessible(page)
    _look(page, f"service-phone-{scheme}")


def test_it_speaks_german(open_page: Open, served: Served) -> None:
    page = open_page(served.url, locale="de-DE", color_scheme="dark")
    page.get_by_label("API-Schlüssel").fill(served.key)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Dienst").click()
    expect(_part(page, "Wer was tat").get_by_role("row").nth(1)).to_be_visible()
    expect(_part(page, "Gewichte")).to_contain_text("in Gebrauch")
    _look(page, "service-dark-de")
