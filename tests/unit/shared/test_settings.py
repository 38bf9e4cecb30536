from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nightshift.machine.allowance import Allowance
from nightshift.words.errors import InvalidInput
from nightshift.words.options import JobOptions
from shared.settings import SOCKET_PATH_LIMIT, Settings, embedded_broker_socket, load_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("NIGHTSHIFT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_everything_embedded_lies_in_the_home(tmp_path: Path) -> None:
    settings = load_settings()

    assert settings.home == tmp_path / ".nightshift"
    assert settings.database_url == f"sqlite:///{tmp_path}/.nightshift/nightshift.db"
    assert settings.store_url == f"file://{tmp_path}/.nightshift/store"
    assert settings.broker_is_embedded
    assert settings.host == "127.0.0.1"
    assert settings.in_place_folders == ()


def test_variables_are_read_when_settings_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_DATABASE_URL", "postgresql+psycopg://db/nightshift")
    monkeypatch.setenv("NIGHTSHIFT_BROKER_URL", "redis://broker:6379/0")
    monkeypatch.setenv("NIGHTSHIFT_BATCH_SIZE", "4")

    settings = load_settings()

    assert settings.database_url == "postgresql+psycopg://db/nightshift"
    assert settings.batch_size == 4
    assert not settings.broker_is_embedded


def test_an_argument_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_WORKERS", "3")

    assert load_settings().worker_count == 3
    assert load_settings(workers=2).worker_count == 2


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NIGHTSHIFT_PORT", "70000"),
        ("NIGHTSHIFT_PORT", "eighty"),
        ("NIGHTSHIFT_MIN_CONFIDENCE", "1.5"),
        ("NIGHTSHIFT_DEVICE", "gpu"),
        ("NIGHTSHIFT_BATCH_SIZE", "0"),
        ("NIGHTSHIFT_LEASE_S", "-1"),
        ("NIGHTSHIFT_LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(InvalidInput) as caught:
        load_settings()

    assert caught.value.code == "bad_setting"
    assert caught.value.message.startswith(f"{variable}: ")


def test_every_bad_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_PORT", "-1")
    monkeypatch.setenv("NIGHTSHIFT_HEIGHT", "1")

    with pytest.raises(InvalidInput, match=r"NIGHTSHIFT_PORT.*NIGHTSHIFT_HEIGHT"):
        load_settings()


def test_the_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_API_KEY", "very-secret-very-secret-very-secret")

    assert "very-secret-very-secret-very-secret" not in repr(load_settings())


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize("length", [1, 40, 200, 4000])
def test_the_socket_path_is_short_and_one_for_each_home(length: int) -> None:
    home = Path("/", *["h" * 40] * (length // 40), "h" * (length % 40 or 1))
    other = home.with_name("other")

    socket = embedded_broker_socket(home)

    assert len(os.fsencode(socket)) <= SOCKET_PATH_LIMIT
    assert socket == embedded_broker_socket(home)
    assert socket != embedded_broker_socket(other)


def test_a_home_in_wide_characters_is_measured_in_bytes() -> None:
    home = Path("/" + "é" * 45)

    assert len(os.fsencode(embedded_broker_socket(home))) <= SOCKET_PATH_LIMIT


def allow(monkeypatch: pytest.MonkeyPatch, cores: int, memory_bytes: int | None = None) -> None:
    allowed = Allowance(cores, memory_bytes, host_cores=16, memory_is_limited=True, kills=None)
    monkeypatch.setattr("shared.settings.allowance", lambda: allowed)


def test_workers_together_use_the_cores_once(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, 12)

    settings = load_settings()

    assert settings.worker_count == 8
    assert settings.network_threads == 1
    assert load_settings(workers=3).network_threads == 4
    assert load_settings(workers=3, threads=2).network_threads == 2


@pytest.mark.parametrize(
    ("cores", "gigabytes", "workers", "threads"),
    [(1, 2, 1, 1), (16, 2, 1, 16), (8, 4, 3, 2), (8, 0.25, 1, 8)],
)
def test_no_more_workers_than_the_memory_holds(
    monkeypatch: pytest.MonkeyPatch, cores: int, gigabytes: float, workers: int, threads: int
) -> None:
    allow(monkeypatch, cores, int(gigabytes * 2**30))
    settings = load_settings()
    assert (settings.worker_count, settings.network_threads) == (workers, threads)
    assert load_settings(workers=5).worker_count == 5


COUNTS = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from shared.settings import load_settings
import worker.pipeline
settings = load_settings()
print(settings.worker_count, settings.network_threads, os.environ["OMP_NUM_THREADS"])
"""


def test_a_process_bound_to_one_core_starts_one_worker_with_one_thread() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    told = subprocess.run(
        [sys.executable, "-c", COUNTS], capture_output=True, text=True, check=True, env=environment
    )
    assert told.stdout.split() == ["1", "1", "1"]


def test_defaults_of_a_job_follow_the_settings() -> None:
    assert load_settings().default_job_options() == JobOptions()
    assert load_settings(height=720).default_job_options() == JobOptions(height=720)


def test_defaults_of_settings_and_options_agree() -> None:
    for name in ("height", "min_confidence", "min_face_px", "tilt_threshold_deg"):
        assert Settings.model_fields[name].default == JobOptions.model_fields[name].default


def test_a_relative_sqlite_path_is_one_file_for_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(database_url="sqlite:///x.db").database_url == f"sqlite:///{tmp_path / 'x.db'}"
    absolute = f"sqlite:///{tmp_path / 'y.db'}"
    assert load_settings(database_url=absolute).database_url == absolute


def test_a_setting_that_is_called_like_an_option_is_its_default() -> None:
    """Whichever option it is: one that changes what is found, or another."""

    class More(Settings):
        reuse: bool = True

    assert More(reuse=False).default_job_options().reuse is False
