"""The page as it is served: whole, under its policy, by names that its bytes decide."""

from __future__ import annotations

import hashlib
import re

import pytest

from api.page_files import BUILT, FOLDER, POLICY
from tests.support.service import Service


def test_the_page_runs_its_own_script_and_nothing_else(plain_service: Service) -> None:
    answer = plain_service.anybody.get("/")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert answer.headers.getlist("Content-Security-Policy") == [POLICY]
    assert "unsafe" not in POLICY
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script>|<style|style=|\son\w+=|https?://", answer.text)


def test_what_it_names_is_there_for_ever(plain_service: Service) -> None:
    named = re.findall(rf'"({FOLDER}/[^"]+)"', plain_service.anybody.get("/").text)
    assert {f"{FOLDER}/{path.name}" for path in BUILT.iterdir() if path.name != "index.html"} == set(named)
    for name in named:
        answer = plain_service.anybody.get(f"/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert hashlib.sha256(answer.data).hexdigest()[:12] in name


@pytest.mark.parametrize(
    "path", ["/page-files/", "/page-files/index.html", "/page-files/../api_key", "/page"]
)
def test_nothing_else_is_served(plain_service: Service, path: str) -> None:
    assert plain_service.anybody.get(path).json["code"] == "not_found"


def test_on_loopback_it_answers_to_its_names_alone(plain_service: Service) -> None:
    refused = plain_service.anybody.get("/", headers={"Host": "rebound.example"})
    assert refused.json["code"] == "host_forbidden"
