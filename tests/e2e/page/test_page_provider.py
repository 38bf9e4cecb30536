"""Signing in to the page by an OpenID provider, in Chromium, from one site to another and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.openid import CLIENT_ID, CLIENT_SECRET, OpenId, openid_provider
from tests.support.page_served import Served, accessible, free_port, serving

GRANTS = {"desk": {"owner": "news", "scopes": ["submit"]}}


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenId]:
    with openid_provider() as running:
        yield running


def settings_for(provider: OpenId, port: int) -> dict[str, str]:
    return {
        # Not the provider's 127.0.0.1: to a browser these are two sites.
        "PUBLIC_URL": f"http://localhost:{port}",
        "OIDC_NAME": "the picture desk",
        "OIDC_ISSUER": provider.url,
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "OIDC_GRANTS": json.dumps(GRANTS),
    }


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, provider: OpenId) -> Iterator[Served]:
    port = free_port()
    with serving(tmp_path_factory.mktemp("served"), port, **settings_for(provider, port)) as server:
        yield server


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB")
    opened = context.new_page()
    opened.goto(served.command.settings["PUBLIC_URL"] + "/#/new")
    yield opened
    context.close()


def test_one_comes_back_signed_in_to_where_one_was(page: Page, provider: OpenId) -> None:
    way_there = page.get_by_role("link", name="Sign in with the picture desk")
    expect(way_there).to_be_visible()
    accessible(page)
    way_there.press("Enter")
    expect(page.get_by_role("heading", level=1, name="New job")).to_be_visible()
    expect(page.locator(".owner")).to_have_text("news")
    page.reload()
    expect(page.locator(".owner")).to_have_text("news")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "de"])
def test_who_is_not_let_in_is_told(page: Page, provider: OpenId, language: str) -> None:
    said = {"en": "none of your groups is let in here", "de": "keine seiner Gruppen hat hier Zugang"}
    name = {"en": "Sign in with the picture desk", "de": "Mit the picture desk anmelden"}
    if language == "de":
        page.get_by_role("button", name="Deutsch").click()
    kept, provider.claims = provider.claims, {"sub": "ben-2", "groups": ["guests"]}
    provider.told = {"sub": "ben-2"}
    try:
        page.get_by_role("link", name=name[language]).click()
        expect(page.get_by_role("alert")).to_contain_text(said[language])
    finally:
        provider.claims = kept
    assert "refused" not in page.url
    accessible(page)


def test_a_code_that_a_link_brings_is_said_in_the_pages_own_words(page: Page, served: Served) -> None:
    page.goto("about:blank")
    page.goto(served.command.settings["PUBLIC_URL"] + "/#refused=send_your_key_to_evil")
    expect(page.get_by_role("alert")).to_contain_text("broken off, or took too long")


def test_a_sign_in_whose_time_is_over_goes_on_where_it_was(
    browser: Browser, provider: OpenId, tmp_path: Path
) -> None:
    port = free_port()
    settings = settings_for(provider, port) | {"OIDC_SESSION_S": "10"}
    with serving(tmp_path, port, **settings):
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        page.goto(settings["PUBLIC_URL"])
        way_there = page.get_by_role("link", name="Sign in with the picture desk")
        way_there.click()
        expect(page.get_by_role("heading", level=1, name="Tonight")).to_be_visible()
        expect(page.get_by_text("You were signed out")).to_be_visible()
        way_there.click()
        expect(page.get_by_role("heading", level=1, name="Tonight")).to_be_visible()
        context.close()
