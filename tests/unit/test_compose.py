"""docker-compose.yml says the same as shared/processes/command_lines.py, and keeps no secrets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.db.engine import Database
from shared.db.migrate import is_current
from shared.processes.command_lines import (
    api_command,
    broker_command,
    sweeper_command,
    worker_command,
)
from shared.settings import REPOSITORY, Settings, load_settings
from shared.sign_in_settings import SignInSettings
from tests.support.compose import COMPOSE, OURS, SECRETS
from tests.support.compose import services as services


def settings_of(service: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What a process of the service reads."""
    for name in [name for name in os.environ if name.startswith("NIGHTSHIFT_")]:
        monkeypatch.delenv(name)
    for name, value in service["environment"].items():
        # Those without a value are passed on where they are set, as here none is.
        if value is not None:
            monkeypatch.setenv(name, value)
    return load_settings()


def command_of(service: dict[str, Any]) -> list[str]:
    """The service's command, with the Python of this test."""
    program, *arguments = service["command"]
    assert program == "python"
    return [sys.executable, *arguments]


def test_the_file_is_valid() -> None:
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            str(COMPOSE),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_api_runs_as_everywhere(services: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert command_of(services["api"]) == api_command(settings_of(services["api"], monkeypatch))


def test_workers_run_as_everywhere(services: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    worker = services["worker-cpu"]

    assert command_of(worker) == worker_command(settings_of(worker, monkeypatch))


def test_the_sweeper_runs_as_everywhere(services: dict[str, Any]) -> None:
    assert command_of(services["sweeper"]) == sweeper_command()


def test_the_broker_keeps_messages_as_the_embedded_one(services: dict[str, Any]) -> None:
    embedded = broker_command(Path("x"), Path("x"), Path("x"))
    first = embedded.index("--appendonly")
    kept = embedded[first : embedded.index("--maxmemory-policy") + 2]

    password = ["--requirepass", SECRETS["VALKEY_PASSWORD"]]
    assert services["valkey"]["command"] == ["valkey-server", *kept, *password]


def test_migrate_makes_the_schema(services: dict[str, Any], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    subprocess.run(
        command_of(services["migrate"]),
        env={**os.environ, "NIGHTSHIFT_DATABASE_URL": url},
        cwd=REPOSITORY,
        check=True,
    )

    database = Database(url)
    with database.read() as session:
        assert is_current(session)
    database.close()


def test_every_process_of_ours_reads_known_settings(services: dict[str, Any]) -> None:
    known = {f"NIGHTSHIFT_{name.upper()}" for name in Settings.model_fields}

    for name in OURS:
        ours = {given for given in services[name]["environment"] if not given.startswith("AWS_")}
        assert ours <= known


def test_the_api_is_told_who_signs_in_and_which_proxies_to_believe(services: dict[str, Any]) -> None:
    """All of it, and where nobody sets it nothing: an empty value would stand for a choice."""
    named = {"NIGHTSHIFT_PUBLIC_URL", "NIGHTSHIFT_TRUSTED_PROXIES"}
    named |= {f"NIGHTSHIFT_{name.upper()}" for name in SignInSettings.model_fields}
    given = services["api"]["environment"]
    assert {name for name, value in given.items() if value is None} == named
    # Who links to the service knows its address, and nobody else the provider's secret.
    for name in set(OURS) - {"api"}:
        passed_on = {given for given, value in services[name]["environment"].items() if value is None}
        assert passed_on == {"NIGHTSHIFT_PUBLIC_URL"}, name


def test_who_speaks_to_others_can_reach_out(services: dict[str, Any]) -> None:
    """The API to an OpenID provider, the sweeper to receivers of webhooks; the others to nobody."""
    networks = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["networks"]
    inside = {name for name, network in networks.items() if (network or {}).get("internal")}
    out = {name for name, service in services.items() if set(service.get("networks", inside)) - inside}
    assert (inside, out) == ({"backend"}, {"api", "sweeper"})


def test_ours_share_one_database_broker_and_store(services: dict[str, Any]) -> None:
    shared = {"NIGHTSHIFT_DATABASE_URL", "NIGHTSHIFT_BROKER_URL", "NIGHTSHIFT_STORE_URL"}
    shared |= {name for name in services["api"]["environment"] if name.startswith("AWS_")}
    assert len(shared) == 7
    for setting in shared:
        assert len({services[name]["environment"][setting] for name in OURS}) == 1
    bucket = services["api"]["environment"]["NIGHTSHIFT_STORE_URL"].split("/")[2]
    assert f"/data/{bucket}" in services["bucket"]["command"][-1]
    assert services["s3"]["environment"]["ROOT_SECRET_KEY"] == SECRETS["S3_SECRET_KEY"]


def test_every_lasting_service_has_a_health_check(services: dict[str, Any]) -> None:
    once = {name for name, service in services.items() if service.get("restart") == "no"}
    assert once == {"migrate", "bucket"}
    assert all("healthcheck" in services[name] for name in set(services) - once)


def test_a_gpu_worker_is_asked_for(services: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = services["worker-gpu"]
    assert gpu["profiles"] == ["gpu"]
    assert settings_of(gpu, monkeypatch).device == "cuda"
    assert command_of(gpu) == worker_command(settings_of(gpu, monkeypatch))


def test_ours_wait_for_the_schema(services: dict[str, Any]) -> None:
    for name in set(OURS) - {"migrate"}:
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_secrets_have_no_default() -> None:
    text = COMPOSE.read_text(encoding="utf-8")

    assert set(re.findall(r"\$\{(\w+):\?[^}]+\}", text)) == set(SECRETS)
    assert not re.findall(r"\$\{\w+(?!\w*:\?)[^}]*\}", text)


def test_only_the_api_is_published_and_on_this_machine_only(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}

    assert list(published) == ["api"]
    assert all(port.startswith("127.0.0.1:") for port in published["api"])


def test_images_and_their_targets(services: dict[str, Any]) -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)$", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)

    assert {services[name]["build"]["target"] for name in OURS} == {"api", "worker-cpu", "worker-gpu"}
    assert {"api", "worker-cpu", "worker-gpu"} <= set(stages)


@pytest.mark.parametrize("image", ["worker-cpu", "worker-gpu"])
def test_workers_find_the_loops_that_were_compiled_with_their_image(image: str) -> None:
    """In a volume, which can be written to in a container whose own files cannot."""
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    stages = {part.split()[2]: part for part in re.split(r"^FROM ", dockerfile, flags=re.MULTILINE)[1:]}
    (kept,) = re.findall(r"NUMBA_CACHE_DIR=(\S+) python -m worker.compile_loops", stages[f"build-{image}"])
    assert f"ENV NUMBA_CACHE_DIR={kept}\n" in stages[image]
    assert f"COPY --from=build-{image} --chown=nightshift:nightshift {kept} {kept}\n" in stages[image]
    assert f"VOLUME {kept}\n" in stages[image]


def test_images_run_as_nobody_special() -> None:
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    last_user = re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE)[-1]

    assert last_user == "10001"
    assert dockerfile.index("USER 10001") < dockerfile.index("FROM base AS api")
