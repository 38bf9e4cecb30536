"""The page for who hears it, goes by keyboard, writes from right to left, or has it open twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.command import Nightshift, write_portraits
from tests.support.page_served import Open, Served, accessible, sign_in, signed_in
from tests.support.processes import wait_for

LABEL = "\u062d\u0641\u0644\u0629 \u0627\u0644\u0635\u064a\u0641 (2026)!"
HEBREW = "\u05d7\u05ea\u05d5\u05e0\u05d4 12 (\u05e1\u05d5\u05e3).jpg"
PERSIAN = "\u0639\u06a9\u0633 \u06f1\u06f2 - final.jpg"
CUT_OFF = "\u05e9\u05dc\u05d5\u05dd & <b>.jpg"
RIGHT_TO_LEFT = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]"


@pytest.fixture(scope="module")
def job_id(served: Served) -> str:
    """A job that has ended: two photos with faces, and one cut off, whose bytes the service keeps."""
    folder = served.command.folder / "party"
    write_portraits(folder, 2)
    (folder / "portrait-00.jpg").rename(folder / HEBREW)
    (folder / "portrait-01.jpg").rename(folder / PERSIAN)
    (folder / CUT_OFF).write_bytes((folder / HEBREW).read_bytes()[:4000])
    submitted = served.command.run("submit", "party", "--label", LABEL)
    assert submitted.returncode == 0, submitted.stderr
    made = submitted.stdout.strip()
    with Nightshift(served.command.folder).running("worker", "--workers", "1"):
        wait_for(lambda: served.ask("GET", f"/v1/jobs/{made}")["state"] == "ended", "the job", 180)
    return made


def tab_to(page: Page, target: Locator, *, backwards: bool = False) -> None:
    """Go there by the Tab key alone; whatever has the focus on the way shows it."""
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        shows = page.evaluate(
            "() => document.activeElement === document.body"
            " || getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        )
        assert shows, page.evaluate("document.activeElement.outerHTML")
        if target.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"the Tab key does not reach {target}")


def on_every_view(page: Page, served: Served, job_id: str, look: Callable[[Page], None]) -> None:
    """Look at each view there is, and at what opens in it; nothing is found by its words, which differ."""
    heading = page.get_by_role("heading", level=1)
    page.goto(f"{served.url}/#/")
    expect(page.locator(".newest img")).to_have_count(2)
    look(page)
    page.goto(f"{served.url}/#/new")
    expect(heading).to_be_visible()
    look(page)
    page.locator("input[type=file]").first.set_input_files(
        [served.command.folder / "party" / name for name in (HEBREW, CUT_OFF)]
    )
    expect(page.locator("main button.main")).to_be_visible()
    look(page)
    page.goto(f"{served.url}/#/jobs/{job_id}")
    failures = page.locator("section[aria-labelledby=failures]")
    failures.locator("button[aria-expanded]").click()
    failures.locator("input[type=checkbox]").check()
    look(page)
    page.locator("button.danger").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look(page)
    page.keyboard.press("Escape")
    page.goto(f"{served.url}/#/jobs/{job_id}/faces")
    expect(page.locator(".tile img")).to_have_count(2)
    look(page)
    page.get_by_title(HEBREW, exact=True).click()
    expect(page.get_by_role("dialog").locator(".crop").first).to_be_visible()
    look(page)
    page.keyboard.press("Escape")
    page.goto(f"{served.url}/#/jobs/{job_id}/faces?search=nobody")
    expect(page.locator(".tile")).to_have_count(0)
    look(page)
    page.goto(f"{served.url}/#/jobs/job_{'0' * 32}")
    expect(page.get_by_role("alert").locator("h1")).to_be_visible()
    look(page)


@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_is_accessible(
    open_page: Open, served: Served, job_id: str, language: str, scheme: str
) -> None:
    page = open_page(served.url, locale=language, color_scheme=scheme)
    expect(page.locator("html")).to_have_attribute("lang", language[:2])
    page.locator("#key").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).not_to_be_empty()
    accessible(page)
    page.locator("#key").fill(served.key)
    page.keyboard.press("Enter")
    expect(page.locator("#key")).to_have_count(0)
    on_every_view(page, served, job_id, accessible)


def test_names_from_right_to_left_stand_by_themselves(
    open_page: Open, served: Served, job_id: str, tmp_path: Path
) -> None:
    """Without isolation, brackets and numbers beside a name would change places with it."""
    seen: set[str] = set()

    def look(page: Page) -> None:
        bare = page.evaluate(
            """(letters) => {
              const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              const found = [[], []];
              for (let node = walker.nextNode(); node; node = walker.nextNode())
                if (new RegExp(letters).test(node.data))
                  found[node.parentElement.closest('bdi, [dir=auto]') ? 1 : 0].push(node.data);
              return found;
            }""",
            RIGHT_TO_LEFT,
        )
        assert bare[0] == []
        seen.update(bare[1])
        assert page.evaluate("document.documentElement.scrollWidth") <= 1200

    page = signed_in(open_page, served)
    on_every_view(page, served, job_id, look)
    assert {LABEL, HEBREW, PERSIAN, CUT_OFF} <= seen


def test_the_keyboard_alone_goes_all_the_way(open_page: Open, served: Served, job_id: str) -> None:
    page = open_page(served.url)
    expect(page.get_by_label("API key")).to_be_visible()
    tab_to(page, page.get_by_label("API key"))
    page.keyboard.type(served.key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Tonight")).to_be_visible()
    to_job = page.get_by_role("link", name=LABEL)
    expect(to_job).to_be_visible()
    tab_to(page, to_job)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name=LABEL)).to_be_visible()
    expect(page.locator("main")).to_be_focused()

    failures = page.get_by_role("region", name="Failures")
    show = failures.get_by_role("button", name="Show the photos")
    expect(show).to_be_visible()
    tab_to(page, show)
    page.keyboard.press("Enter")
    expect(failures.get_by_role("rowheader")).to_have_text(CUT_OFF)
    choose = failures.get_by_role("checkbox")
    tab_to(page, choose)
    page.keyboard.press("Space")
    expect(choose).to_be_checked()
    expect(failures.get_by_role("button", name=re.compile("Try the chosen one")).first).to_be_visible()

    to_faces = page.get_by_role("link", name="Photos and faces")
    tab_to(page, to_faces, backwards=True)
    page.keyboard.press("Enter")
    tile = page.locator(".tile").first
    expect(tile).to_be_visible()
    tab_to(page, tile)
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    expect(viewer).to_be_visible()
    name = viewer.get_by_role("heading", level=2)
    first = name.inner_text()
    page.keyboard.press("ArrowRight")
    expect(name).not_to_have_text(first)
    second = name.inner_text()
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    # One is where one has come to.
    expect(page.locator(".tile:focus")).to_have_attribute("title", second)


def test_two_tabs_follow_each_other(open_page: Open, served: Served) -> None:
    job = served.ask("POST", "/v1/jobs", json={"label": "in two tabs"})["id"]
    one = signed_in(open_page, served, f"jobs/{job}")
    expect(one.get_by_role("heading", level=1, name="in two tabs")).to_be_visible()
    two = one.context.new_page()
    two.goto(one.url)
    cancel = two.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    one.get_by_role("button", name="Cancel").click()
    one.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect(cancel).to_have_count(0)
    expect(two.get_by_role("status").filter(has_text="cancelled")).to_be_visible()
    two.get_by_role("button", name="Sign out").click()
    one.goto(f"{served.url}/#/")
    expect(one.get_by_text("You were signed out")).to_be_visible()
    # Signed in again in one, both are.
    sign_in(one, served.key)
    two.reload()
    expect(two.get_by_role("heading", level=1, name="Tonight")).to_be_visible()


def test_a_session_that_ends_in_the_middle_goes_on_where_it_was(open_page: Open, served: Served) -> None:
    job = served.ask("POST", "/v1/jobs", json={"label": "in the middle"})["id"]
    made = served.made_key("submit")
    page = open_page(f"{served.url}/#/jobs/{job}")
    page.get_by_label("API key").fill(made["key"])
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Erase").click()
    served.ask("DELETE", f"/v1/keys/{made['id']}")
    page.get_by_role("dialog").get_by_role("button", name="Erase it").click()
    expect(page.get_by_text("You were signed out")).to_be_visible()
    assert served.ask("GET", f"/v1/jobs/{job}")["state"] == "open"
    page.get_by_label("API key").fill(served.key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="in the middle")).to_be_visible()


def test_faces_of_a_job_that_is_erased_meanwhile(open_page: Open, served: Served) -> None:
    job = served.ask("POST", "/v1/jobs", json={"label": "short"})["id"]
    page = signed_in(open_page, served, f"jobs/{job}/faces")
    expect(page.get_by_text("Nothing has been analysed yet.")).to_be_visible()
    served.ask("DELETE", f"/v1/jobs/{job}")
    page.goto(f"{served.url}/#/jobs/{job}/faces?search=a")
    expect(page.get_by_role("alert").filter(has_text="not there")).to_be_visible()
    accessible(page)
