"""A request that is part of a trace is found in the log by it (W3C Trace Context)."""

from __future__ import annotations

import io
import logging

import pytest

from tests.support.queue_rows import take
from tests.support.service import Service

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def logged(service: Service, caplog: pytest.LogCaptureFixture, traceparent: str) -> str | None:
    caplog.clear()
    with caplog.at_level(logging.INFO, "nightshift.access"):
        assert service.client.get("/v1/jobs", headers={"traceparent": traceparent}).status_code == 200
    (line,) = caplog.records
    return getattr(line, "trace_id", None)


@pytest.mark.parametrize(
    "traceparent", [f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00", f"cc-{TRACE}-{SPAN}-01-more"]
)
def test_a_trace_is_logged(
    plain_service: Service, caplog: pytest.LogCaptureFixture, traceparent: str
) -> None:
    assert logged(plain_service, caplog, traceparent) == TRACE


@pytest.mark.parametrize(
    "traceparent",
    [
        *("", "00", f"00-{TRACE}-{SPAN}", f"00-{TRACE}-{SPAN}-01-more", f"ff-{TRACE}-{SPAN}-01"),
        *(f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-{SPAN}-01"),
        *(f"00-{TRACE}-{SPAN}-01\u2028", f" 00-{TRACE}-{SPAN}-0x", "x" * 5000),
    ],
)
def test_what_is_no_trace_is_left_out(
    plain_service: Service, caplog: pytest.LogCaptureFixture, traceparent: str
) -> None:
    assert logged(plain_service, caplog, traceparent.encode("latin-1", "replace").decode("latin-1")) is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01"),
        # A later version is gone on with as the one that we know.
        (f"cc-{TRACE}-{SPAN}-01-more", f"00-{TRACE}-{SPAN}-01"),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        ("", None),
    ],
)
def test_a_job_keeps_the_trace_of_the_request_that_made_it(
    service: Service, sent: str, kept: str | None
) -> None:
    headers = {"traceparent": sent}
    opened = service.client.post("/v1/jobs", json={}, headers=headers).json["id"]
    form = {"photos": (io.BytesIO(b"photo"), "a.jpg")}
    sent_whole = service.client.post("/v1/jobs", data=form, headers=headers).json["id"]
    for job_id in (opened, sent_whole):
        assert service.job(job_id)["traceparent"] == kept
    held = take(service.database)
    assert held is not None
    assert (held.job_id, held.traceparent) == (sent_whole, kept)
