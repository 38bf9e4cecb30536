"""The client asks for the night at a glance, and for who did what."""

from __future__ import annotations

import httpx

from nightshift import Client
from tests.support.service import ROOT_KEY, Service


def test_the_overview_and_the_audit_by_the_client(service: Service) -> None:
    jobs = [service.open_job(label=f"{number}") for number in range(102)]
    with Client(
        "http://localhost", ROOT_KEY, transport=httpx.WSGITransport(app=service.app, remote_addr="::1")
    ) as client:
        told = client.overview(limit=2)
        assert [(seen.job.id, seen.wait.reason if seen.wait else "") for seen in told.jobs] == [
            (jobs[101], "open"),
            (jobs[100], "open"),
        ]
        assert told.load.claimable_photos == 0
        # More than a page.
        assert [entry.subject for entry in client.audit()] == jobs[::-1]
        (entry,) = client.audit(subject=jobs[7])
        assert (entry.verb, entry.kind, entry.key_id) == ("open", "root", None)
