"""The page's Service in Chromium, over a real server: workers, keys, webhooks, receipts, who did what."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.bundles_made import make_bare_bundle, make_bundle
from tests.support.command import Nightshift, write_portraits
from tests.support.page_served import Open, Served, accessible, serving, sign_in, signed_in
from tests.support.processes import wait_for

MARKUP = "<b onclick=alert(1)>&amp;</b>"
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


def test_who_is_told_of_all_jobs_is_added_changed_and_removed(open_page: Open, served: Served) -> None:
    served.ask("POST", "/v1/webhooks/secrets")
    served.ask("PUT", "/v1/webhooks", json={"notify": []})
    page = signed_in(open_page, served, "service")
    hooks = _part(page, "Your webhooks")
    hooks.get_by_text("Tell one more").first.click()
    hooks.get_by_label("To", exact=True).fill("http://plain")
    hooks.get_by_role("button", name="Tell one more").click()
    expect(hooks.get_by_role("alert").first).to_contain_text("That did not work")
    hooks.get_by_label("To", exact=True).fill(f"{URL}/1")
    hooks.get_by_label("job.progress").check()
    hooks.get_by_label("Each time so many").fill("25")
    accessible(page)
    hooks.get_by_role("button", name="Tell one more").click()
    row = hooks.get_by_role("row").filter(has_text=f"{URL}/1").first
    expect(row).to_contain_text("job.ended, job.progress (every 25 %)")
    expect(hooks.get_by_label("To", exact=True)).to_be_hidden()

    row.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("To", exact=True)).to_have_value(f"{URL}/1")
    dialog.get_by_label("To", exact=True).fill(f"{URL}/2")
    dialog.get_by_label("job.expiring").check()
    accessible(page)
    _look(page, "receiver")
    # Somebody else was there first: nothing is overwritten, and what there is now is shown.
    (made,) = served.ask("GET", "/v1/webhooks")["receivers"]
    path = f"/v1/webhooks/receivers/{made['id']}"
    served.ask("PATCH", path, json={"progress_percent": 50})
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody else has changed it")
    expect(dialog.get_by_label("Each time so many")).to_have_value("50")
    dialog.get_by_label("To", exact=True).fill(f"{URL}/2")
    dialog.get_by_label("job.ended").uncheck()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    row = hooks.get_by_role("row").filter(has_text=f"{URL}/2").first
    expect(row).to_contain_text("job.progress (every 50 %)")
    assert served.ask("GET", path)["notify"]["events"] == ["job.progress"]

    row.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(hooks).to_contain_text("Nobody is told by default")
    audit = _part(page, "Who did what")
    for what in ("receiver added", "receiver changed", "receiver removed"):
        expect(audit.get_by_role("row").filter(has_text=what).first).to_contain_text("root key")


def test_a_message_to_people_is_changed_without_its_url(open_page: Open, served: Served) -> None:
    pytest.importorskip("apprise")
    secret = "ntfys://ann:p4ssw0rd@ntfy.example.org/topic"
    served.ask("PUT", "/v1/webhooks", json={"notify": [{"url": secret}]})
    page = signed_in(open_page, served, "service", viewport={"width": 360, "height": 700})
    _part(page, "Your webhooks").get_by_role("button", name="Change: ntfys://***").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("To", exact=True)).to_have_value("")
    dialog.get_by_label("job.expiring").check()
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    (told,) = served.ask("GET", "/v1/webhooks")["receivers"]
    assert told["notify"]["events"] == ["job.ended", "job.expiring"]
    served.ask("PUT", "/v1/webhooks", json={"notify": []})


def _card(page: Page, row: str, button: str, region: str) -> Locator:
    """Opened by keyboard, from the bundle's row."""
    _part(page, region).get_by_role("row").filter(has_text=row).get_by_role("button", name=button).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=2)).to_contain_text(row)
    return dialog


def test_weights_show_their_card(open_page: Open, served: Served) -> None:
    page = signed_in(open_page, served, "service")
    card = _card(page, "faces-mobilenet", "Card", "Weights")
    expect(card.get_by_role("row").filter(has_text="validation faces")).to_contain_text("1,201")
    expect(card.get_by_role("row").filter(has_text="labelled: 0-4")).to_contain_text("58.1")
    expect(card).to_contain_text("less probable than 54")
    expect(card).to_contain_text("Commercial use: no: trained on VGGFace2")
    expect(card.get_by_text("What its makers do not say")).to_have_count(0)
    accessible(page)
    _look(page, "card-light")
    for summary in card.locator("summary").all():
        summary.click()
    expect(card.get_by_text("224:4")).to_be_visible()
    accessible(page)
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    # Whoever goes by keyboard is where they were.
    expect(page.get_by_role("button", name="Card: faces-mobilenet")).to_be_focused()


def test_a_card_says_what_it_has_and_what_is_not_said(open_page: Open, tmp_path: Path) -> None:
    """One with the necessary fields alone, two of one name, and a broken one; none runs anything."""
    weights = tmp_path / "weights"
    make_bare_bundle(weights / "bare")
    make_bundle(weights / "mine", training={"data": MARKUP}, notices={"N": MARKUP}, licence=MARKUP)
    make_bundle(weights / "broken", format="none")
    used = make_bundle(tmp_path / "elsewhere" / "mine", licence="the other's")
    with serving(tmp_path, WEIGHTS_DIR=str(weights), BUNDLE=str(used)) as served:
        page = signed_in(open_page, served, "service", viewport={"width": 360, "height": 700})
        bare = _card(page, "bare", "Card", "Weights")
        expect(bare.get_by_text("Its makers do not say.")).to_have_count(3)
        expect(bare.get_by_role("listitem")).to_have_count(7)
        accessible(page)
        assert page.evaluate("document.querySelector('dialog').scrollWidth") <= 360
        _look(page, "card-phone")
        bare.get_by_role("button", name="Close").click()
        rows = _part(page, "Weights").get_by_role("row").filter(has_text="mine")
        rows.filter(has_not_text="in use").get_by_role("button").click()
        mine = page.get_by_role("dialog")
        for summary in mine.locator("summary").all():
            summary.click()
        expect(mine.get_by_text(MARKUP)).to_have_count(3)
        assert mine.locator("b").count() == 0
        page.keyboard.press("Escape")
        rows.filter(has_text="in use").get_by_role("button").click()
        expect(mine).to_contain_text("the other's")
        page.keyboard.press("Escape")
        expect(_card(page, "broken", "Card", "Weights")).to_contain_text("It cannot be used: format")
        accessible(page)


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
    card = _card(page, "faces-mobilenet", "Steckbrief", "Gewichte")
    expect(card).to_contain_text("Wie gut sie sind")
    expect(card.get_by_role("row").filter(has_text="Gesichter zur Prüfung")).to_contain_text("1.201")
    accessible(page)
    _look(page, "card-dark-de")
