"""docker-compose.yml, with its secrets filled in."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from shared.settings import REPOSITORY

COMPOSE = REPOSITORY / "docker-compose.yml"
SECRETS = {
    "POSTGRES_PASSWORD": "pw",
    "S3_SECRET_KEY": "sk",
    "VALKEY_PASSWORD": "vk",
    "NIGHTSHIFT_API_KEY": "0123456789abcdef" * 4,
}
OURS = ("migrate", "api", "worker-cpu", "worker-gpu", "sweeper")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    text = COMPOSE.read_text(encoding="utf-8")
    filled = re.sub(r"\$\{(\w+):\?[^}]+\}", lambda variable: SECRETS[variable[1]], text)
    loaded: dict[str, Any] = yaml.safe_load(filled)["services"]
    return loaded
