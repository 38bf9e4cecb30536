"""One service for a test: the Flask application, its parts, and what a client and a worker do with it."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.datastructures import MultiDict

from api.app import create_app
from api.context import EXTENSION, Context
from nightshift.words.analysis import Analysis, PhotoError
from shared.db.engine import Database
from shared.queue.save import Failed
from shared.settings import Settings
from tests.support.client import Answer, Client
from tests.support.databases import migrated_sqlite
from tests.support.fakes import FakeDoorbell
from tests.support.queue_rows import analysis, face, manifest, save_all, take

ROOT_KEY = "the-root-key-of-the-services-that-tests-make"


@dataclass
class Service:
    """The API and what it stands on."""

    app: Flask
    settings: Settings
    database: Database
    doorbell: FakeDoorbell
    home: Path

    @property
    def client(self) -> Client:
        """A client on this machine, with the root key."""
        client = Client(self.app)
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.settings.api_key.get_secret_value()}"
        return client

    @property
    def anybody(self) -> Client:
        """A client on this machine, without a key."""
        return Client(self.app)

    @property
    def context(self) -> Context:
        """The parts the application uses."""
        context: Context = self.app.extensions[EXTENSION]
        return context

    def replace(self, **parts: object) -> None:
        """Put other parts in."""
        self.app.extensions[EXTENSION] = dataclasses.replace(self.context, **parts)  # type: ignore[arg-type]

    def open_job(self, **body: object) -> str:
        """Open a job; its id."""
        answer = self.client.post("/v1/jobs", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def put(self, job_id: str, custom_id: str, data: bytes = b"photo", **headers: str) -> Answer:
        """Put a photo."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.put(
            f"/v1/jobs/{job_id}/photos", query_string={"custom_id": custom_id}, data=data, headers=named
        )

    def submitted_job(self, *custom_ids: str, **body: object) -> str:
        """A job with these photos, submitted."""
        job_id = self.open_job(**body)
        for custom_id in custom_ids:
            assert self.put(job_id, custom_id, custom_id.encode()).status_code == 201
        assert self.post(job_id, "submit").status_code == 202
        return job_id

    def send(
        self,
        *photos: tuple[str, bytes],
        archive: bytes | None = None,
        key: str | None = None,
        **fields: str,
    ) -> Answer:
        """Send a form with photos as (filename, bytes), or with an archive."""
        form: list[tuple[str, object]] = list(fields.items())
        form += [("photos", (io.BytesIO(data), name)) for name, data in photos]
        if archive is not None:
            form.append(("archive", (io.BytesIO(archive), "party.zip")))
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(
            "/v1/jobs", data=MultiDict(form), headers=headers, content_type="multipart/form-data"
        )

    def photos(self, job_id: str) -> dict[str, dict[str, Any]]:
        """Photos of a job by custom_id, as the API shows them."""
        answer = self.get(job_id, "/photos?limit=1000")
        assert answer.status_code == 200, answer.text
        return {photo["custom_id"]: photo for photo in answer.json["photos"]}

    def codes(self, job_id: str) -> dict[str, str | None]:
        """Error codes of a job's photos by custom_id, None without an error."""
        return {
            name: photo["error"]["code"] if photo["error"] else None
            for name, photo in self.photos(job_id).items()
        }

    def post(self, job_id: str, move: str) -> Answer:
        """Move a job."""
        return self.client.post(f"/v1/jobs/{job_id}/{move}")

    def get(self, job_id: str, part: str = "", **headers: str) -> Answer:
        """Look at a job or a part of it."""
        return self.client.get(f"/v1/jobs/{job_id}{part}", headers=headers)

    def job(self, job_id: str) -> dict[str, Any]:
        """A job's JSON, counted anew: another process has worked on it."""
        self.context.jobs.changed(job_id)
        answer = self.get(job_id)
        assert answer.status_code == 200
        return dict(answer.json)

    def stored(self) -> list[str]:
        """What the store's folder holds, temporary files included."""
        store = self.home / "store"
        return sorted(str(path.relative_to(store)) for path in store.rglob("*") if path.is_file())

    def work(
        self, make: Callable[[int], Analysis] = lambda _: analysis(face()), *, batch_size: int = 16
    ) -> int:
        """Analyse one batch as a worker would; how many photos were saved."""
        held = take(self.database, batch_size=batch_size)
        return save_all(self.database, held, make).written if held else 0

    def fail(self, code: str, message: str = "it is broken") -> None:
        """Fail the next photo as a worker would."""
        held = take(self.database, batch_size=1)
        assert held is not None
        result = Failed(held.photos[0].id, PhotoError(code, "decode", message), "f" * 64, 1)
        self.context.queue.save(held, [result], bundle=manifest())

    def finish(self, job_id: str) -> bool:
        """End the job if it is done, as a worker or the sweeper would."""
        return self.context.queue.finish(job_id)


def write_bundle(weights: Path) -> None:
    """A bundle's manifest under `weights/test`; the API never opens the tensors."""
    (weights / "test").mkdir(parents=True, exist_ok=True)
    (weights / "test" / "manifest.json").write_text(manifest().model_dump_json(), encoding="utf-8")


def make_service(folder: Path, **overrides: object) -> Service:
    """A service in this folder, its broker a fake; over SQLite unless a migrated database is named."""
    write_bundle(folder / "weights")
    settings = Settings(
        **{
            "api_key": ROOT_KEY,
            "home": folder / "home",
            "weights_dir": folder / "weights",
            "bundle": "test",
            **overrides,
        }  # type: ignore[arg-type]
    )
    settings.home.mkdir(exist_ok=True)
    if "database_url" not in overrides:
        migrated_sqlite(settings.database_url)
    app = create_app(settings)
    database = Database(settings.database_url)
    service = Service(app, settings, database, FakeDoorbell(), settings.home)
    service.replace(doorbell=service.doorbell)
    return service
