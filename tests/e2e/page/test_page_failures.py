"""Ten thousand failures on the page, of photos with names in any script."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from bench.planted_job import plant
from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from tests.support.page_served import Open, Served, accessible, serving, sign_in, signed_in
from tests.support.processes import wait_for

FAILED = 10_000
SCRIPTS = (
    "\u062d\u0641\u0644\u0629 \u0627\u0644\u0635\u064a\u0641",
    "\u05de\u05e1\u05d9\u05d1\u05d4 (1)",
    "\u590f\u796d\u308a",
    "\u0395\u03bf\u03c1\u03c4\u03ae",
    "\u041f\u0440\u0430\u0437\u0434\u043d\u0438\u043a",
    "\u0e07\u0e32\u0e19\u0e40\u0e25\u0e35\u0e49\u0e22\u0e07",
    "f\u00eate \U0001f389",
    '=1+1 "quoted", <b>',
)
CODES = (Code.TIMEOUT, Code.CORRUPT_IMAGE)


def name_of(number: int) -> str:
    return f"{SCRIPTS[number % len(SCRIPTS)]}/{number:05}.jpg"


def why(number: int) -> PhotoError:
    code = CODES[number % 4 == 1]
    return PhotoError.of(code, "decode", f"\u0635\u0648\u0631\u0629 {number}: a reason of its own")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    plant(folder / "home", FAILED, name=name_of, found=why)
    with serving(folder) as server:
        yield server


def test_what_the_service_has_not_kept_is_not_offered_again(open_page: Open, served: Served) -> None:
    """Which these are, the service says: see tests/integration/worker/test_no_pictures.py."""
    job = served.ask("GET", "/v1/jobs")["jobs"][0]
    summary = served.ask("GET", f"/v1/jobs/{job['id']}/summary")
    assert summary["failures_kept"] == summary["failures"]
    (lost, _), (kept, _) = sorted(summary["failures"].items())
    page = open_page(served.url)
    page.route("**/summary", lambda route: route.fulfill(json={**summary, "failures_kept": {kept: 1}}))
    sign_in(page, served.key)
    page.goto(f"{served.url}/#/jobs/{job['id']}")
    codes = page.get_by_role("region", name="Failures").locator(".codes > li")
    for code, buttons, is_said in ((lost, 0, True), (kept, 1, False)):
        one = codes.filter(has_text=code)
        expect(one.get_by_role("button", name="Show the photos")).to_be_visible()
        expect(one.get_by_role("button", name="Try these again")).to_have_count(buttons)
        expect(one.get_by_text("The service has not kept them")).to_have_count(int(is_said))


def test_ten_thousand_failures_are_shown_listed_and_tried_again(open_page: Open, served: Served) -> None:
    job = served.ask("GET", "/v1/jobs")["jobs"][0]
    assert job["counts"]["failed"] == FAILED
    page = signed_in(open_page, served, f"jobs/{job['id']}")
    failures = page.get_by_role("region", name="Failures")
    timeouts = failures.locator(".codes > li").filter(has_text="timeout")
    expect(timeouts).to_contain_text("7,500 photos")
    expect(failures.locator(".codes > li").filter(has_text="corrupt_image")).to_contain_text("2,500 photos")
    timeouts.get_by_role("button", name="Show the photos").click()
    rows = timeouts.locator("tbody tr")
    expect(rows).to_have_count(50)
    timeouts.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(100)
    # As they are written, each by itself: none turns round what stands beside it.
    wanted = [name_of(number) for number in range(FAILED) if number % 4 != 1][:100]
    assert rows.locator("th bdi").all_text_contents() == wanted
    assert page.locator("main b").count() == 0
    rtl = rows.locator("th bdi").first
    assert rtl.evaluate("name => getComputedStyle(name).unicodeBidi") == "isolate"
    assert rtl.evaluate("name => name.matches(':dir(rtl)')")
    accessible(page)
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 360

    with page.expect_download(timeout=120_000) as saved:
        failures.get_by_role("button", name="Download the list").click()
    _, *listed = csv.reader(io.StringIO(saved.value.path().read_text("utf-8-sig")))
    # What a spreadsheet would take for a formula is marked as text.
    assert [row[0].removeprefix("'") for row in listed] == [name_of(number) for number in range(FAILED)]

    timeouts.get_by_role("button", name="Try these again").click()

    def are_queued() -> bool:
        counts = served.ask("GET", f"/v1/jobs/{job['id']}")["counts"]
        return (counts["failed"], counts["queued"]) == (2_500, 7_500)

    wait_for(are_queued, "7,500 photos in the queue", 60)
    expect(failures).not_to_contain_text("7,500 photos")
    expect(failures).to_contain_text("2,500 photos")


def test_the_grid_shows_failures_and_names_of_any_script(open_page: Open, served: Served) -> None:
    job_id = served.ask("GET", "/v1/jobs")["jobs"][0]["id"]
    page = signed_in(open_page, served, f"jobs/{job_id}/faces?status=failed")
    page.get_by_label("Order").select_option("Name")
    page.get_by_role("searchbox", name="Name").fill("\u05de\u05e1\u05d9\u05d1\u05d4")
    # Every second failure that stays is of that folder.
    expect(page.get_by_role("status").filter(has_text="1,250 photos")).to_be_visible()
    page.locator(".grid [data-position='0'] button").click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("heading", level=2)).to_have_text(name_of(1))
    expect(viewer).to_contain_text("a reason of its own")
    expect(viewer.get_by_role("status")).to_have_text("1 of 1,250")
    accessible(page)
