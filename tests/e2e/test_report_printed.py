"""The report on paper."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.report_made import fake_photo, parts_of, shown, write_report_of

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report_of(tmp_path_factory.mktemp("report"), [fake_photo(number) for number in range(60)])


def pages_of(pdf: bytes) -> list[bytes]:
    """What is drawn on each page."""
    objects = dict(re.findall(rb"(\d+) 0 obj\r?\n?(.*?)endobj", pdf, re.DOTALL))
    pages = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b", body)]
    drawn = []
    for page in pages:
        [content] = re.findall(rb"/Contents (\d+) 0 R", page)
        about, stream = objects[content].split(b"stream", 1)
        stream = stream.lstrip(b"\r\n")
        # What is short is not compressed, such as a blank page.
        drawn.append(zlib.decompressobj().decompress(stream) if b"/FlateDecode" in about else stream)
    return drawn


@pytest.mark.parametrize("wish", ["", "gender=female"])
def test_every_photo_is_printed_and_no_page_is_blank(open_page: Open, report: Path, wish: str) -> None:
    page = open_page(report, wish=wish, color_scheme="dark")
    page.evaluate("nightshift.readyToPrint()")
    pdf = page.pdf(format="A4")
    expect(page.locator("#print > *")).to_have_count(0)
    page.evaluate("nightshift.readyToPrint()")
    expect(page.locator("#print .legend")).to_contain_text("apparently female")
    if wish:
        expect(page.locator("#print")).to_contain_text("Only: female")
        expect(page.locator("#print .box.wanted").first).to_be_attached()
    names = page.locator("#print .print-photo .name").all_text_contents()
    assert names == [name.split("/")[-1] for name in shown(page)]
    drawn = pages_of(pdf)
    # As many rows as there are, of a height that is known, and what stands above them.
    assert 2 <= len(drawn) <= 4 + page.locator("#print .print-row").count() // 4
    # Each has text, or a picture; Chromium draws a blank page in fewer bytes.
    assert [number for number, page in enumerate(drawn) if not re.search(rb"\bT[jJ]\b|\bDo\b", page)] == []
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(247, 246, 243)"
    assert page.locator("#print .print-photo").first.is_visible()
    assert not page.locator("#grid").is_visible()


def test_large_previews_are_printed_at_their_size_on_paper(open_page: Open, tmp_path: Path) -> None:
    """Chromium keeps every pixel, unpacked: 16 photos of 1,600 pixels were 30 MB, and 300 its end."""
    made = [fake_photo(number) for number in range(1, 13)]
    path = write_report_of(tmp_path, made)
    noise = io.BytesIO()
    Image.effect_noise((1600, 1067), 80).convert("RGB").save(noise, "WEBP", quality=50)
    thumbnails = list(parts_of(path).rglob("*.webp"))
    for thumbnail in thumbnails:
        thumbnail.write_bytes(noise.getvalue())
    page = open_page(path)
    page.evaluate("nightshift.readyToPrint()")
    assert page.locator("#print canvas").count() == len(thumbnails)
    assert len(page.pdf(format="A4")) < 500_000 * len(thumbnails)


def test_photos_come_first_on_paper_and_the_panels_are_back_after_it(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.locator("#provenance > summary").focus()
    in_order = """() => [...document.querySelectorAll("#numbers, #print, #charts, #failures, #provenance")]
        .map(({ id }) => id)"""
    on_screen = ["numbers", "charts", "failures", "provenance", "print"]
    assert page.evaluate(in_order) == on_screen
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(in_order) == ["numbers", "print", "charts", "failures", "provenance"]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(in_order) == on_screen
    expect(page.locator("#provenance > summary")).to_be_focused()


def test_whoever_prints_very_many_photos_is_told_of_filters_first(open_page: Open, tmp_path: Path) -> None:
    report = write_report_of(tmp_path, [fake_photo(number) for number in range(501)])
    page = open_page(report)
    page.evaluate("""() => {
        [window.printed, window.asked] = [0, []];
        window.print = () => (window.printed += 1);
        window.confirm = (text) => window.asked.push(text) > 1;
    }""")
    many = "501 photos are printed: a filter on the page makes it fewer."
    for printed in (0, 1):
        page.evaluate("nightshift.printShown()")
        assert page.evaluate("window.printed") == printed
    assert page.evaluate("window.asked") == [f"{many} Print all of them?"] * 2
    expect(page.locator("#print")).to_contain_text(many)
    page.evaluate("nightshift.showOnly({ gender: [0] })")
    page.evaluate("nightshift.printShown()")
    assert page.evaluate("[window.printed, window.asked.length]") == [2, 2]
    expect(page.locator("#print")).not_to_contain_text("are printed")


def test_what_was_not_read_is_said_on_paper(open_page: Open, tmp_path: Path) -> None:
    report = write_report_of(tmp_path, [fake_photo(number) for number in range(501)])
    page = open_page(report)
    # At once: nothing is drawn between this and the paper.
    charts = "dispatchEvent(new Event('beforeprint')), document.querySelectorAll('.plot svg').length"
    assert page.evaluate(charts) == 2
    expect(page.locator("#print")).to_contain_text("1 more photo had not been read")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.evaluate("nightshift.readyToPrint()")
    expect(page.locator("#print .print-photo .name")).to_have_count(501)
