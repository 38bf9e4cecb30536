"""Forms, put together by hand."""

from __future__ import annotations

from tests.support.service import Service


def raw_form(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    """A form with the boundary `b` of parts that are headers, an empty line and bytes."""
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end


def part(name: str, data: bytes, filename: str | None = None, *headers: str) -> bytes:
    """A part of a form."""
    disposition = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    return "\r\n".join([disposition, *headers]).encode() + b"\r\n\r\n" + data


def post_raw(service: Service, body: bytes, content_type: str = "multipart/form-data; boundary=b"):  # type: ignore[no-untyped-def]
    return service.client.post("/v1/jobs", data=body, content_type=content_type)
