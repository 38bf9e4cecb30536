"""Looks at every part that a service stands on, and says what to do about what is not well."""

from __future__ import annotations

import secrets
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import redis
from sqlalchemy import text

from nightshift.machine.allowance import allowance
from nightshift.machine.privacy import open_to_others, who_else_writes
from nightshift.words.clock import utc_now
from nightshift.words.errors import NightshiftError
from nightshift.words.health import GRAVE, complaint
from nightshift.words.plain_text import counted
from shared.broker.doorbell import CeleryDoorbell
from shared.bundles.detector import verify_detector
from shared.bundles.in_use import bundle_in_use
from shared.db.engine import Database
from shared.files.store import Store
from shared.operations import health
from shared.queue.expiry import Horizon, standing
from shared.settings import Settings, workers_for
from shared.urls import path_of_sqlite_url

Health = Literal["ok", "warning", "failed"]
CLOCK_S = 5.0
SHOWN = 3
"""Files that are named, of those that others may read."""
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"})
_FIXED_SQLITE = {(3, 44): 6, (3, 50): 7}
"""Releases into which the repair of the WAL-reset bug was taken over, by its patch number."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One part, how it is, and what to do."""

    part: str
    health: Health
    says: str


def examine(settings: Settings) -> Iterator[Diagnosis]:
    """Look at one part after the other; none keeps the others from being looked at."""
    examinations: list[tuple[str, Callable[[Settings], Iterator[Diagnosis]]]] = [
        ("database", _database),
        ("store", _store),
        ("broker", _broker),
        ("bundle", _bundle),
        ("detector", _detector),
        ("home", _home),
        ("machine", _machine),
        ("privacy", _privacy),
    ]
    for part, look in examinations:
        try:
            yield from look(settings)
        except NightshiftError as error:
            yield Diagnosis(part, "failed", f"{error.message} ({error.code})")
        except (OSError, redis.RedisError) as error:
            yield Diagnosis(part, "failed", str(error))


def _diagnosis(part: str, state: object, well: str, more: str = "") -> Diagnosis:
    """As `/readyz` judges it; `more` goes behind what is wrong."""
    wrong = complaint(part, state)
    if wrong is None:
        return Diagnosis(part, "ok", well)
    return Diagnosis(part, "failed" if part in GRAVE else "warning", f"{wrong} ({more})" if more else wrong)


def _database(settings: Settings) -> Iterator[Diagnosis]:
    with closing(Database(settings.database_url)) as database:
        with database.read() as session:
            if database.is_sqlite:
                yield _sqlite(str(session.scalar(text("SELECT sqlite_version()"))))
            else:
                its_time = session.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
                apart_s = abs(utc_now().timestamp() - float(its_time or 0))
                says = f"{apart_s:.1f} s between this machine's clock and the database's"
                yield Diagnosis("clock", "ok" if apart_s < CLOCK_S else "warning", says)
        yield from _disk("database", database.folder)
        found = health.schema(database)
        yield _diagnosis("schema", found, "every migration is there")
        if found != "ok":
            return
        with database.read() as session:
            yield _expiry(standing(session))
        for part, state in health.living(database).items():
            yield _diagnosis(part, state, "none is away" if part == "folders" else f"{state} seen lately")


def _expiry(horizon: Horizon) -> Diagnosis:
    if horizon.trusted_at is None:
        return Diagnosis("expiry", "ok", "the clock is believed")
    says = f"the clock is far ahead of the last sweep, {horizon.until:%Y-%m-%d %H:%M} UTC: nothing expires"
    return Diagnosis("expiry", "warning", f"{says}; if it is right: nightshift admin clock --trust")


def _sqlite(version: str) -> Diagnosis:
    """The rare corruption when a WAL is reset (sqlite.org/wal.html) is in 3.7.0 to 3.51.2."""
    major, minor, patch = (int(part) for part in [*version.split("."), "0", "0"][:3])
    fixed = (major, minor, patch) >= (3, 51, 3) or patch >= _FIXED_SQLITE.get((major, minor), 10**6)
    if fixed:
        return Diagnosis("database", "ok", f"SQLite {version}")
    says = f"SQLite {version} has a rare bug that may damage the file (mended in 3.51.3, 3.50.7, 3.44.6)"
    return Diagnosis("database", "warning", f"{says}: a newer Python or system brings a newer one")


def _store(settings: Settings) -> Iterator[Diagnosis]:
    store = Store(settings.store_url)
    yield from _disk("store", store.folder)
    key, data = f"doctor/{secrets.token_hex(8)}/probe", secrets.token_bytes(64)
    store.put(key, data)
    back = store.get(key)
    store.clear(f"{key.rpartition('/')[0]}/")
    if back != data:
        yield Diagnosis("store", "failed", "what was written did not come back")
    else:
        yield Diagnosis("store", "ok", "written, read and deleted")


def _disk(part: str, folder: Path | None) -> Iterator[Diagnosis]:
    if folder is not None:
        free = f"{shutil.disk_usage(folder).free / 1e9:.1f} GB free"
        yield replace(_diagnosis(part, health.disk(folder), free, free), part=f"{part}'s disk")


def _broker(settings: Settings) -> Iterator[Diagnosis]:
    doorbell = CeleryDoorbell(settings.broker_url)
    url = settings.broker_url.replace("redis+socket://", "unix://")
    client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    try:
        policy = str(client.config_get("maxmemory-policy").get("maxmemory-policy"))
        keeps = client.config_get("appendonly").get("appendonly") == "yes"
    except redis.ResponseError:
        # Hosted servers keep CONFIG to themselves.
        policy, says = "", "answers; does not tell its maxmemory-policy, which should be noeviction"
    except redis.RedisError as error:
        policy, says = "", str(error)
    else:
        says = f"maxmemory-policy {policy}, append-only file {'on' if keeps else 'off'}"
    if policy not in ("", "noeviction"):
        says += ": set noeviction, or rings are dropped when memory is short"
        yield Diagnosis("broker", "warning", says)
        return
    yield _diagnosis("broker", health.broker(doorbell), says, says)


def _bundle(settings: Settings) -> Iterator[Diagnosis]:
    _, manifest = bundle_in_use(settings, verified=True)
    allowed = manifest.commercial_use.allowed
    yield Diagnosis("bundle", "ok", f"{manifest.name}, {manifest.sha256[:12]}; commercial use: {allowed}")


def _detector(_: Settings) -> Iterator[Diagnosis]:
    about = verify_detector()
    yield Diagnosis("detector", "ok", f"{about.name}, {about.sha256[:12]}")


def _privacy(settings: Settings) -> Iterator[Diagnosis]:
    """Whether home, database and store are for their owner alone."""
    places = [settings.home]
    if database := Database(settings.database_url).file:
        places += [database, *database.parent.glob(f"{database.name}-*")]
    if (store := Store(settings.store_url).folder) is not None:
        places.append(store)
    found = dict.fromkeys(open_to_others(places))
    if not found:
        yield Diagnosis("privacy", "ok", "files are for their owner alone")
        return
    first = ", ".join(map(str, list(found)[:SHOWN]))
    more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    outermost = [path for path in found if not any(parent in found for parent in path.parents)]
    mend = " ".join(shlex.quote(str(path)) for path in outermost[:SHOWN])
    says = f"others may read {first}{more}: chmod -R go= {mend}"
    yield Diagnosis("privacy", "warning", says)


def _home(settings: Settings) -> Iterator[Diagnosis]:
    if not settings.home.is_dir():
        yield Diagnosis("home", "ok", f"{settings.home} is not there yet")
        return
    if who := who_else_writes(settings.home):
        says = f"{who} may write to {settings.home}, and so replace its key: make it the service's alone"
        yield Diagnosis("home", "warning", says)
    file = path_of_sqlite_url(settings.database_url)
    kind = _file_system(file.parent) if file else ""
    if file and kind in NETWORK_FILE_SYSTEMS:
        yield Diagnosis("home", "failed", f"SQLite needs a local disk; {file.parent} is on {kind}")
    elif file and kind:
        yield Diagnosis("home", "ok", f"{file.parent} on {kind}")


def _machine(settings: Settings) -> Iterator[Diagnosis]:
    """Whether as many workers as are asked for go into what may be used."""
    allowed = allowance()
    workers, threads = settings.worker_count, settings.network_threads
    says = f"{allowed.text} may be used: {counted(workers, 'worker process', 'worker processes')}"
    says += f" of {counted(threads, 'thread')}"
    if workers > (fitting := workers_for(allowed)):
        says += f"; {fitting} would go into it (NIGHTSHIFT_WORKERS), more may be killed for memory"
    yield Diagnosis("machine", "warning" if workers > fitting else "ok", says)


def _file_system(folder: Path) -> str:
    """Type of the mount a folder is on, by proc(5) mountinfo; empty where the system does not tell."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    mounts = ((line.split()[4], line.partition(" - ")[2].split()[0]) for line in lines)
    above = [mount for mount in mounts if folder.is_relative_to(mount[0])]
    # Of several on one folder, the last lies on top.
    return max(reversed(above), key=lambda mount: len(mount[0]), default=("", ""))[1]
