"""The page's Failures over ten thousand of them: a screenful at a time, and all tried again by reason."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from shared.db.engine import Database
from shared.settings import Settings
from tests.support.failures_made import MANY, job_of_failures
from tests.support.page_served import opened_pages, serving, signed_in

PAGE = 50


def test_ten_thousand_failures_on_the_page(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as served, opened_pages(browser) as opened:
        database = Database(Settings(home=served.command.home).database_url)
        job_id = job_of_failures(database)
        database.close()
        timed_out = (MANY + 2) // 3
        page = signed_in(opened, served)
        page.goto(f"{served.url}/#/jobs/{job_id}")
        failures = page.get_by_role("region", name="Failures")
        late = failures.get_by_role("listitem").filter(has_text="timeout")
        expect(late).to_contain_text(f"{timed_out:,} photos", timeout=20_000)
        late.get_by_role("button", name="Show the photos").click()
        rows = late.get_by_role("rowheader")
        expect(rows).to_have_count(PAGE)
        late.get_by_role("button", name="More").click()
        expect(rows).to_have_count(2 * PAGE)
        with page.expect_download(timeout=60_000) as listed:
            failures.get_by_role("button", name="Download the list").click()
        assert Path(listed.value.path()).read_text("utf-8-sig").count("\n") >= MANY

        late.get_by_role("button", name="Try these again").click()
        expect(failures).not_to_contain_text("timeout", timeout=20_000)
        counts = served.ask("GET", f"/v1/jobs/{job_id}")["counts"]
        assert (counts["queued"], counts["failed"]) == (timed_out, MANY - timed_out)
