"""What runs wild in docker-compose.yml takes nobody along, and what is let in is let out nowhere."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from shared.settings import REPOSITORY, Settings
from tests.support.compose import OURS, SECRETS
from tests.support.compose import services as services

BYTES = {"k": 2**10, "m": 2**20, "g": 2**30}


def bytes_of(text: str) -> int:
    found = re.fullmatch(r"(\d+)([kmg])b?", text)
    assert found, text
    return int(found[1]) * BYTES[found[2]]


def test_every_service_has_a_limit_of_memory_and_processes(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert bytes_of(service["mem_limit"]) >= 128 * 2**20, name
        assert 0 < service["pids_limit"] <= 1024, name


def test_the_broker_fits_its_limit_and_takes_no_large_message(services: dict[str, Any]) -> None:
    valkey = services["valkey"]
    command = valkey["command"]
    holds = bytes_of(command[command.index("--maxmemory") + 1])
    assert 2 * holds <= bytes_of(valkey["mem_limit"])
    assert command[command.index("--proto-max-bulk-len") + 1] == "1mb"


def test_the_broker_has_a_password_which_everybody_of_ours_brings(services: dict[str, Any]) -> None:
    command = services["valkey"]["command"]
    assert command[command.index("--requirepass") + 1] == SECRETS["VALKEY_PASSWORD"]
    for name in OURS:
        url = urlsplit(services[name]["environment"]["NIGHTSHIFT_BROKER_URL"])
        assert (url.password, url.hostname) == (SECRETS["VALKEY_PASSWORD"], "valkey")
    assert services["valkey"]["environment"]["VALKEYCLI_AUTH"] == SECRETS["VALKEY_PASSWORD"]
    # Without -e the check would take "NOAUTH" for an answer.
    assert "-e" in services["valkey"]["healthcheck"]["test"]


def test_nobody_gains_rights(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged") and "cap_add" not in service, name
    for name in OURS:
        assert services[name]["cap_drop"] == ["ALL"]
        assert "user" not in services[name]


def test_file_systems_are_read_only_where_they_may_be(services: dict[str, Any]) -> None:
    # The S3 server is an example, to be replaced; nothing is known of what it writes.
    writable = {name for name, service in services.items() if not service.get("read_only")}
    assert writable == {"s3"}
    assert Settings().max_photo_bytes < 256 * 2**20
    for name in OURS:
        assert services[name]["tmpfs"] == ["/tmp:size=256m,mode=1777"]


def test_images_are_of_one_version(services: dict[str, Any]) -> None:
    others = {name: service["image"] for name, service in services.items() if "build" not in service}
    assert set(others) == {"postgres", "valkey", "s3"}
    for image in others.values():
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(@sha256:[0-9a-f]{64})?", image), image
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.\d+\.\d+-slim-\w+$", dockerfile, re.MULTILINE)
    froms = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert set(froms) == {"${PYTHON_IMAGE}", "build", "base"}
