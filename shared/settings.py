"""Every setting there is, in one frozen class; the environment is read here and nowhere else."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import EnvSettingsSource, SettingsConfigDict

from nightshift.machine.allowance import Allowance, allowance
from nightshift.machine.home import DEFAULT_HOME, folders_in
from nightshift.machine.places import file_url, is_plain
from nightshift.machine.root_key import check_root_key, made_root_key
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.options import (
    AnalysisOptions,
    BundlePlace,
    Height,
    Home,
    Host,
    JobOptions,
    MinConfidence,
    MinFacePx,
    Port,
    TiltThresholdDeg,
    Workers,
)
from nightshift.words.wrong_values import DEVICE, RATE, wrong
from shared.addresses import networks_in
from shared.sign_in_settings import SignInSettings
from shared.urls import check_broker_url, database_url

REPOSITORY = Path(__file__).resolve().parents[1]
SOCKET_PATH_LIMIT = 100
"""Bytes a Unix socket's path may have on every system we run on (sun_path is 104 on macOS, 108 on Linux)."""

MOST_WORKERS = 8
WORKER_BYTES = 2**30
"""Memory that a worker process may come to take: networks, a photo in decoding, and those that wait."""
OTHERS_BYTES = 2**29
"""Memory for all that runs beside the workers of one machine: API, broker, sweeper, the command."""

_OPTIONS = AnalysisOptions()


class Settings(SignInSettings):
    """Settings of every process, read from `NIGHTSHIFT_*` variables."""

    model_config = SettingsConfigDict(
        env_prefix="NIGHTSHIFT_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    home: Home = Path(DEFAULT_HOME)
    # These hold passwords: not for logs.
    database_url: str = Field("", repr=False)
    """`sqlite:///path` or `postgresql+psycopg://...`. Empty: SQLite in the home."""
    broker_url: str = Field("", repr=False)
    """Redis or Valkey URL. Empty: the embedded server's socket in the home."""
    store_url: str = ""
    """Where uploads are kept, `file:///dir` or `s3://bucket/prefix`. Empty: in the home."""

    host: Host = "127.0.0.1"
    port: Port = 8080
    api_threads: int = Field(8, ge=2, le=256)
    """Requests the API answers at the same time."""
    api_transfers: int = Field(64, ge=4, le=1024)
    """Bodies and answers that the API carries beside them for clients that take their time."""
    client_timeout_s: float = Field(30, gt=0)
    """Seconds that a client may fall behind 1 kB a second, sending or reading."""
    trusted_proxies: str = "127.0.0.0/8,::1/128"
    """Networks of the proxies that are believed whom they ask for (`X-Forwarded-For`, `-Proto`, `-Host`), by
    default this machine; empty: nobody."""
    api_key: SecretStr = SecretStr("")
    """Root key: all scopes, owner `local`; 32 characters at least. Empty: the one in the home's file
    `api_key`, which the first start makes."""
    rate_limit: str = Field("6000/minute", pattern=RATE)
    """Requests a key may make of one API process, such as `6000/minute`; empty: any number."""
    in_place_roots: str = ""
    """Folders whose files clients on this machine with the scope `in_place` may register instead of sending
    them: `/srv/photos:/srv/more`, or a JSON list. Empty: none."""

    bundle: BundlePlace = "faces-mobilenet"
    weights_dir: Path = REPOSITORY / "weights"
    """Folder that holds bundles."""
    require_commercial_use: bool = False
    """Refuses weights whose manifest does not say that commercial use is allowed."""
    device: str = Field("auto", pattern=DEVICE)
    """`auto`, `cpu`, `cuda` or `cuda:N`."""
    runtime: Literal["auto", "openvino", "torch"] = "auto"
    """What the networks run on; `auto`: OpenVINO where it runs, else torch, as on CUDA."""
    precision: Literal["auto", "fp32", "bf16", "fp16", "int8"] = "auto"
    """Number format of the classifier; `auto`: a narrower one than fp32 where the hardware or the bundle has
    one, labels agree and the timing says that it pays."""
    load_networks: Literal["at_start", "when_needed"] = "at_start"
    """When a worker process loads its networks: at its start, or when the first photo needs them. `nightshift
    run` lets photos that seem to be known do without."""
    workers: Workers = 0
    threads: int = Field(0, ge=0, le=256)
    """Threads of the networks in a worker process; 0: the cores shared out among the workers."""
    decode_threads: int = Field(0, ge=0, le=256)
    """Threads of a worker process that read and decode ahead of the networks; 0: one on the CPU, more on
    CUDA."""
    max_pixels_in_flight: int = Field(100_000_000, gt=0)
    """Most pixels that a worker process decodes, or holds decoded, ahead of the networks; a photo over it is
    decoded alone."""
    batch_size: int = Field(8, ge=1, le=256)
    """Most photos a worker claims at once."""

    # What a job gets that does not choose.
    height: Height = _OPTIONS.height
    min_confidence: MinConfidence = _OPTIONS.min_confidence
    min_face_px: MinFacePx = _OPTIONS.min_face_px
    tilt_threshold_deg: TiltThresholdDeg = _OPTIONS.tilt_threshold_deg
    max_working_megapixels: float = Field(8.3, gt=0)
    """A photo scaled to its height but still over this (a panorama) is scaled further."""
    max_photo_megapixels: float = Field(200, gt=0)
    """A photo over this fails as `too_many_pixels`."""
    max_photo_memory: int = Field(1_000_000_000, ge=100_000_000)
    """Bytes that decoding a photo may take, by an estimate; one over this fails as `too_much_memory`. Over a
    quarter of it, a photo is decoded in parts where its format allows it, or one at a time on a machine."""
    max_photo_bytes: int = Field(100_000_000, gt=0)
    """A photo over this fails as `file_too_large`."""

    max_upload_bytes: int = Field(20_000_000_000, gt=0)
    """Bytes that one request with photos or an archive may have."""
    max_upload_photos: int = Field(20_000, gt=0)
    """Photos that one request may bring; an archive may hold more."""
    max_archive_members: int = Field(50_000, gt=0)
    """Members an archive may have."""
    max_archive_bytes: int = Field(100_000_000_000, gt=0)
    """Bytes an archive's members may have, unpacked, in total."""
    max_archive_ratio: float = Field(200, gt=1)
    """How many times its packed size an archive, or a member, may have unpacked."""

    max_owner_jobs: int = Field(1_000, gt=0)
    """Jobs an owner may have that have not ended; one more is `too_many_jobs`."""
    max_owner_kept_jobs: int = Field(100_000, gt=0)
    """Jobs an owner may hold, ended ones too; one more is `quota_exceeded`."""
    max_owner_photos: int = Field(2_000_000, gt=0)
    """Photos an owner may hold, in all jobs kept; more are `quota_exceeded`."""
    max_owner_bytes: int = Field(1_000_000_000_000, gt=0)
    """Bytes of uploads that the store may hold for an owner; more are `quota_exceeded`."""

    lease_s: float = Field(120, gt=0)
    """How long a claim holds without a sign of progress, seconds; the same in every process."""
    slice_s: float = Field(60, gt=0)
    """About how long one message keeps a worker claiming, seconds."""
    photo_timeout_s: float = Field(60, gt=0)
    """A photo that shows no sign of progress for so long fails as `timeout`; half of `lease_s` where that is
    less."""
    shutdown_s: float = Field(20, gt=0)
    """Seconds in which a worker that was asked to stop gives its batch back, whatever hangs."""
    sweep_interval_s: float = Field(2, gt=0)
    """Pause between the sweeper's rounds, seconds."""
    max_crashes: int = Field(5, ge=2, le=100)
    """Attempts that may die with their worker before a photo fails as `worker_lost`."""
    max_read_errors: int = Field(4, ge=1, le=100)
    """Reads of a photo that may fail, with growing pauses between them, before it fails as
    `file_unavailable`. A whole folder that is away is waited for."""
    open_ttl_days: int = Field(7, ge=1)
    """Days after its last new photo until a job that is never submitted expires."""
    results_ttl_days: int = Field(30, ge=1)
    """Days after its end until a job is erased: results, photos and thumbnails."""
    audit_ttl_days: int = Field(180, ge=1)
    """Days that an entry of the audit is kept: who did what, from which address."""
    give_up_s: float = Field(3600, gt=0)
    """Seconds that `nightshift run` waits where nothing moves for a reason that it can tell (a full disk, a
    share that is away, no worker) before it gives up; `--resume` goes on."""
    webhook_allow_cidrs: str = ""
    """Networks whose addresses webhooks and messages may be sent to though they are not of the public
    internet: `10.1.0.0/16,192.168.7.5/32`. Empty: none."""

    log_level: str = Field("INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    """Least severe line logged."""

    log_format: Literal["text", "json"] = "text"
    """`json`: one object a line."""

    @field_validator("home", mode="before")
    @classmethod
    def _check_home(cls, home: object) -> object:
        # To `Path`, nothing is the folder that one happens to be in.
        return DEFAULT_HOME if home == "" else home

    @field_validator("api_key")
    @classmethod
    def _check_key(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value():
            check_root_key(key.get_secret_value())
        return key

    @field_validator("in_place_roots")
    @classmethod
    def _check_roots(cls, roots: str) -> str:
        for root in folders_in(roots):
            if not Path(root).is_absolute():
                raise ValueError(f"{root!r} is no absolute path")
        return roots

    @field_validator("webhook_allow_cidrs", "trusted_proxies")
    @classmethod
    def _check_networks(cls, networks: str) -> str:
        networks_in(networks)
        return networks

    @model_validator(mode="after")
    def _resolve(self) -> Self:
        """Fill in what follows from the home; frozen, so through the back door and only here."""
        home = _absolute("home", self.home)
        object.__setattr__(self, "home", home)
        object.__setattr__(self, "weights_dir", _absolute("weights_dir", self.weights_dir))
        object.__setattr__(self, "database_url", database_url(self.database_url, home))
        if not self.store_url:
            object.__setattr__(self, "store_url", file_url(home / "store"))
        if not self.broker_url:
            object.__setattr__(self, "broker_url", _broker_url(home))
        check_broker_url(self.broker_url)
        return self

    @property
    def broker_is_embedded(self) -> bool:
        """True when the broker is the server that the runner itself starts."""
        return self.broker_url == _broker_url(self.home)

    def root_key(self) -> str:
        """The key that opens everything: the one that was set, or the home's, made now if there is none.

        Raises:
            InvalidInput: as `made_root_key`.
        """
        return self.api_key.get_secret_value() or made_root_key(self.home)

    @property
    def in_place_folders(self) -> tuple[Path, ...]:
        """Folders, or files, that may be registered in place."""
        return tuple(map(Path, folders_in(self.in_place_roots)))

    @property
    def stall_s(self) -> float:
        """How long a batch may show no progress: its lease must not run out first."""
        return min(self.photo_timeout_s, self.lease_s / 2)

    @property
    def worker_count(self) -> int:
        """Local worker processes, at least 1."""
        return self.workers or workers_for(allowance())

    @property
    def network_threads(self) -> int:
        """Threads of one worker process, so that all together use the cores once."""
        return self.threads or max(1, allowance().cores // self.worker_count)

    def default_job_options(self) -> JobOptions:
        """Options of a job that chose none."""
        return JobOptions(**self.model_dump(include=set(JobOptions.model_fields)))


def workers_for(allowed: Allowance) -> int:
    """Worker processes for what may be used: one for each core, as far as the memory goes, at least 1."""
    fitting = MOST_WORKERS
    if allowed.memory_bytes is not None:
        fitting = (allowed.memory_bytes - OTHERS_BYTES) // WORKER_BYTES
    return max(1, min(allowed.cores, MOST_WORKERS, fitting))


def _absolute(name: str, path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(f"{name}: this user has no home folder: set NIGHTSHIFT_HOME, or HOME") from error
    except OSError as error:
        raise ValueError(f"{name}: the folder this was started in is gone") from error


def embedded_broker_socket(home: Path) -> Path:
    """Where the embedded broker of a home listens.

    In a short private folder where the home's path is too long, or is not plain.
    """
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    for folder in (
        home / "run",
        *(place / f"nightshift-{os.getuid()}-{digest}" for place in _short_places()),
    ):
        socket = folder / "broker.sock"
        if len(os.fsencode(socket)) <= SOCKET_PATH_LIMIT and is_plain(socket):
            return socket
    raise ValueError(f"home: its path cannot hold a socket, and there is no other place for one: {home}")


def _short_places() -> Iterator[Path]:
    # With nothing to write to, a run ends otherwise; a process without a broker of its own needs no place.
    with suppress(OSError):
        yield Path(tempfile.gettempdir())
    yield Path("/tmp")  # noqa: S108 - the folder in it is private, or refused


def _broker_url(home: Path) -> str:
    return f"redis+socket://{embedded_broker_socket(home)}"


def in_force() -> dict[str, object]:
    """Each setting but the secret ones, unchecked as the environment has it, or its default: for a help."""
    given = EnvSettingsSource(Settings)()
    open_ones = {
        name: field.default
        for name, field in Settings.model_fields.items()
        if field.repr and not isinstance(field.default, SecretStr)
    }
    return {name: given.get(name) or default for name, default in open_ones.items()}


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with overrides by field name.

    Raises:
        InvalidInput: `bad_setting`, naming each variable and what is wrong with it.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = "; ".join(
            f"NIGHTSHIFT_{'_'.join(map(str, item['loc'])).upper()}: {wrong(item)}" for item in error.errors()
        )
        raise InvalidInput(Code.BAD_SETTING, lines) from error
