"""Clients with keys of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.client import Answer
from tests.support.service import Service


@dataclass
class Caller:
    """A client with a key."""

    service: Service
    key: str

    def __call__(self, method: str, path: str, **request: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.key}", **request.pop("headers", {})}
        return self.service.client.open(path, method=method, headers=headers, **request)


def caller(root: Caller, owner: str, *scopes: str) -> Caller:
    body = {"name": f"{owner}'s", "owner": owner, "scopes": scopes or ["submit", "read"]}
    made = root("POST", "/v1/keys", json=body)
    assert made.status_code == 201, made.text
    return Caller(root.service, made.json["key"])


def submitted(by: Caller, name: str = "a.jpg", data: bytes = b"photo") -> str:
    job_id = by("POST", "/v1/jobs", json={}).json["id"]
    assert by("PUT", f"/v1/jobs/{job_id}/photos?custom_id={name}", data=data).status_code == 201
    assert by("POST", f"/v1/jobs/{job_id}/submit").status_code == 202
    return str(job_id)
