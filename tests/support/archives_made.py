"""Archives for tests, sound and hostile, made in memory."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Mapping

Contents = Mapping[str, bytes]

PHOTOS = {f"day {n % 3}/{n}.jpg": b"photo %d" % n for n in range(10)}
"""Ten, in three folders, as the fake pipeline reads them."""


def zip_of(contents: Contents, *, links: Mapping[str, str] | None = None, packed: bool = False) -> bytes:
    """A zip file of members in this order, symbolic links after them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, data in contents.items():
            archive.writestr(zipfile.ZipInfo(name), data, archive.compression)
        for name, target in (links or {}).items():
            link = zipfile.ZipInfo(name)
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, target)
    return out.getvalue()


def tar_of(contents: Contents, *, gzipped: bool = False, others: Mapping[str, bytes] | None = None) -> bytes:
    """A tar file of members in this order, then entries of other types (`tarfile.SYMTYPE`, ...)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz" if gzipped else "w") as archive:
        for name, data in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, kind in (others or {}).items():
            member = tarfile.TarInfo(name)
            member.type = kind
            member.linkname = "elsewhere.jpg"
            archive.addfile(member)
    return out.getvalue()


def encrypted(archive: bytes, name: str) -> bytes:
    """The zip file with one member marked as encrypted, in its header and in the directory."""
    data = bytearray(archive)
    for signature, flags_at, name_at in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        start = 0
        while (start := data.find(signature, start)) >= 0:
            if data[start + name_at :].startswith(name.encode()):
                data[start + flags_at] |= 1
            start += 4
    return bytes(data)


def told_in_directory(archive: bytes, name: str, *, size_bytes: int) -> bytes:
    """The zip file with a false size for one member in its directory."""
    data = bytearray(archive)
    start = 0
    while (start := data.find(b"PK\x01\x02", start)) >= 0:
        if data[start + 46 :].startswith(name.encode()):
            data[start + 24 : start + 28] = size_bytes.to_bytes(4, "little")
        start += 4
    return bytes(data)


def quine() -> bytes:
    """A zip file that seems to hold itself: what is in it is a zip file again, and so on."""
    inner = zip_of({"photo.jpg": b"photo"})
    for _ in range(5):
        inner = zip_of({"r/r.zip": inner})
    return inner
