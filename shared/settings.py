"""Every setting there is, in one frozen class; the environment is read here and nowhere else."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import InvalidInput
from shared.options import JobOptions

REPOSITORY = Path(__file__).resolve().parents[1]
SOCKET_PATH_LIMIT = 100
"""Bytes a Unix socket's path may have on every system we run on (sun_path is 104 on macOS, 108 on Linux)."""


class Settings(BaseSettings):
    """Settings of every process, read from `NIGHTSHIFT_*` variables."""

    model_config = SettingsConfigDict(env_prefix="NIGHTSHIFT_", frozen=True, extra="ignore")

    home: Path = Field(
        Path("~/.nightshift"),
        description="Folder of the embedded parts: database, store, broker socket, logs.",
    )
    # These hold passwords: not for logs.
    database_url: str = Field(
        "",
        repr=False,
        description="`sqlite:///path` or `postgresql+psycopg://...`. Empty: SQLite in the home.",
    )
    broker_url: str = Field(
        "",
        repr=False,
        description="Redis or Valkey URL. Empty: the embedded server's socket in the home.",
    )
    store_url: str = Field(
        "",
        description="Where uploads are kept, `file:///dir` or `s3://bucket/prefix`. Empty: in the home.",
    )

    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: int = Field(8080, ge=0, le=65535, description="Port the API listens on.")
    api_threads: int = Field(8, ge=2, le=256, description="Requests the API answers at the same time.")
    api_key: SecretStr = Field(
        SecretStr(""),
        description="Root key: all scopes, owner `local`. Off loopback it is needed, or a key of the"
        " database with the scope `admin`.",
    )
    rate_limit: str = Field(
        "6000/minute",
        pattern=r"^([1-9]\d*/(second|minute|hour))?$",
        description="Requests a key may make of one API process, such as `6000/minute`; empty: any number.",
    )
    allow_in_place: bool = Field(
        False,
        description="Let loopback clients register files of this machine instead of uploading them.",
    )

    bundle: str = Field("utkface-v2s", description="Weights: a name under `weights_dir`, or a path.")
    weights_dir: Path = Field(REPOSITORY / "weights", description="Folder that holds bundles.")
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="`auto`, `cpu`, `cuda` or `cuda:N`."
    )
    runtime: Literal["auto", "openvino", "torch"] = Field(
        "auto",
        description="What the networks run on; `auto`: what a short timing at a worker's start finds faster."
        " CUDA has torch alone.",
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto",
        description="Number format of the classifier; `auto`: a narrower one than fp32 where the hardware has"
        " it and the timing says that it pays.",
    )
    workers: int = Field(
        0, ge=0, le=256, description="Local worker processes; 0: one for each core, at most 8."
    )
    threads: int = Field(
        0,
        ge=0,
        le=256,
        description="Torch threads a worker process; 0: the cores shared out among the workers.",
    )
    decode_threads: int = Field(
        0,
        ge=0,
        le=256,
        description="Threads of a worker process that read and decode ahead of the networks; 0: one on the"
        " CPU, more on CUDA.",
    )
    max_pixels_in_flight: int = Field(
        100_000_000,
        gt=0,
        description="Most pixels that a worker process decodes, or holds decoded, ahead of the networks; a"
        " photo over it is decoded alone.",
    )
    batch_size: int = Field(8, ge=1, le=256, description="Most photos a worker claims at once.")

    height: int = Field(1080, ge=64, le=4320, description="Default of the job option `height`, pixels.")
    min_confidence: float = Field(0.90, ge=0, le=1, description="Default of the job option `min_confidence`.")
    min_face_px: int = Field(
        20, ge=12, le=1080, description="Default of the job option `min_face_px`, pixels."
    )
    tilt_threshold_deg: float = Field(
        11.25, ge=0, le=180, description="Default of the job option `tilt_threshold_deg`, degrees."
    )
    max_working_megapixels: float = Field(
        8.3,
        gt=0,
        description="A photo scaled to its height but still over this (a panorama) is scaled further.",
    )
    max_photo_megapixels: float = Field(
        200, gt=0, description="A photo over this fails as `too_many_pixels`."
    )
    max_photo_memory: int = Field(
        1_000_000_000,
        ge=100_000_000,
        description="Bytes that decoding a photo may take, by an estimate; one over this fails as"
        " `too_much_memory`. Over a quarter of it, a photo is decoded in parts where its format allows it, or"
        " one at a time on a machine.",
    )
    max_photo_bytes: int = Field(
        100_000_000, gt=0, description="A photo over this fails as `file_too_large`."
    )

    max_upload_bytes: int = Field(
        20_000_000_000, gt=0, description="Bytes that one request with photos or an archive may have."
    )
    max_upload_photos: int = Field(
        20_000, gt=0, description="Photos that one request may bring; an archive may hold more."
    )
    max_archive_members: int = Field(50_000, gt=0, description="Members an archive may have.")
    max_archive_bytes: int = Field(
        100_000_000_000, gt=0, description="Bytes an archive's members may have, unpacked, in total."
    )
    max_archive_ratio: float = Field(
        200, gt=1, description="How many times its packed size an archive, or a member, may have unpacked."
    )

    lease_s: float = Field(
        120,
        gt=0,
        description="How long a claim holds without a sign of progress, seconds; the same in every process.",
    )
    slice_s: float = Field(
        60, gt=0, description="About how long one message keeps a worker claiming, seconds."
    )
    photo_timeout_s: float = Field(
        60,
        gt=0,
        description="A photo that shows no sign of progress for so long fails as `timeout`; half of `lease_s`"
        " where that is less.",
    )
    shutdown_s: float = Field(
        20,
        gt=0,
        description="Seconds in which a worker that was asked to stop gives its batch back, whatever hangs.",
    )
    sweep_interval_s: float = Field(2, gt=0, description="Pause between the sweeper's rounds, seconds.")
    max_crashes: int = Field(
        5,
        ge=2,
        le=100,
        description="Attempts that may die with their worker before a photo fails as `worker_lost`.",
    )
    max_read_errors: int = Field(
        3, ge=1, le=100, description="Attempts that may fail on an unreachable store before a photo fails."
    )
    open_ttl_days: int = Field(
        7, ge=1, description="Days after its last new photo until a job that is never submitted expires."
    )
    results_ttl_days: int = Field(
        30, ge=1, description="Days after its end until a job is erased: results, photos and thumbnails."
    )
    log_level: str = Field(
        "INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$", description="Least severe line logged."
    )

    log_format: Literal["text", "json"] = Field("text", description="`json`: one object a line.")

    @model_validator(mode="after")
    def _resolve(self) -> Self:
        """Fill in what follows from the home; frozen, so through the back door and only here."""
        home = self.home.expanduser().absolute()
        object.__setattr__(self, "home", home)
        object.__setattr__(self, "weights_dir", self.weights_dir.expanduser().absolute())
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{home / 'nightshift.db'}")
        elif self.database_url.startswith("sqlite:///") and not self.database_url.startswith("sqlite:////"):
            # Every process resolves it alike, whatever folder it runs in.
            path = Path(self.database_url.removeprefix("sqlite:///")).absolute()
            object.__setattr__(self, "database_url", f"sqlite:///{path}")
        if not self.store_url:
            object.__setattr__(self, "store_url", f"file://{home / 'store'}")
        if not self.broker_url:
            object.__setattr__(self, "broker_url", f"redis+socket://{embedded_broker_socket(home)}")
        return self

    @property
    def broker_is_embedded(self) -> bool:
        """True when the broker is the server that the runner itself starts."""
        return self.broker_url == f"redis+socket://{embedded_broker_socket(self.home)}"

    @property
    def stall_s(self) -> float:
        """How long a batch may show no progress: its lease must not run out first."""
        return min(self.photo_timeout_s, self.lease_s / 2)

    @property
    def worker_count(self) -> int:
        """Local worker processes, at least 1."""
        return self.workers or min(os.cpu_count() or 1, 8)

    @property
    def torch_threads(self) -> int:
        """Threads of one worker process, so that all together use the cores once."""
        return self.threads or max(1, (os.cpu_count() or 1) // self.worker_count)

    def default_job_options(self) -> JobOptions:
        """Options of a job that chose none."""
        return JobOptions(
            height=self.height,
            min_confidence=self.min_confidence,
            min_face_px=self.min_face_px,
            tilt_threshold_deg=self.tilt_threshold_deg,
            reuse=True,
        )


def embedded_broker_socket(home: Path) -> Path:
    """Where the embedded broker of a home listens; in a short private folder if the path is too long."""
    socket = home / "run" / "broker.sock"
    if len(os.fsencode(socket)) <= SOCKET_PATH_LIMIT:
        return socket
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"nightshift-{os.getuid()}-{digest}" / "broker.sock"


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with overrides by field name.

    Raises:
        InvalidInput: `bad_setting`, naming each variable and what is wrong with it.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = "; ".join(
            f"NIGHTSHIFT_{'_'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors()
        )
        raise InvalidInput("bad_setting", lines) from error
