"""What a child process finds in its environment: what it needs, and nothing that was meant for others."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import SecretStr

from shared.settings import Settings

SYSTEM = frozenset({"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LANGUAGE"})
"""Where things are, and how they are called."""

NETWORK = frozenset({"SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
"""The way to a bucket. A service on this machine is never asked for through a proxy."""

MACHINE = frozenset({"LD_LIBRARY_PATH", "LD_PRELOAD", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"})

_FAMILIES = ("LC_", "AWS_", "PGSSL", "OMP_", "MKL_", "KMP_", "OPENBLAS_", "MALLOC_", "NUMBA_", "ONEDNN_")
"""Locale; the bucket's names and keys; PostgreSQL's certificates; what the mathematics may be told."""

_OURS = {
    # A home, and the photos' names, are opened by their bytes in every locale.
    "PYTHONUTF8": "1",
    # Nothing is imported from a working folder, nor, since PYTHONPATH is not passed on, from the user's own.
    "PYTHONSAFEPATH": "1",
    "PYTHONUNBUFFERED": "1",
}


def environment_of_children(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What of this process's environment children get; it has no key, and no other program's settings."""
    names = SYSTEM | NETWORK | MACHINE | {"PGPASSFILE"}
    passed = {
        name: value for name, value in given.items() if name.upper() in names or name.startswith(_FAMILIES)
    }
    return {**passed, **_OURS}


def environment(settings: Settings, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """A child's whole environment, with every setting spelled out."""
    spelled = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        spelled[f"NIGHTSHIFT_{name.upper()}"] = str(value)
    return {**environment_of_children(given), **spelled}


def environment_of_worker(settings: Settings, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """A worker's: it never speaks to the API, nor to who signs people in, and need not know their secrets."""
    none = {"api_key": SecretStr(""), "oidc_client_secret": SecretStr("")}
    return environment(settings.model_copy(update=none), given)


def environment_of_broker(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The broker's: its command line says all there is."""
    return {name: value for name, value in environment_of_children(given).items() if name in SYSTEM | MACHINE}
