"""Tiny ONNX networks, written byte by byte (onnx.proto), and bundles of them: they know nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nightshift.words.analysis import AGE_GROUPS
from shared.bundles.manifest import AGE_ONNX, FORMAT, GENDER_ONNX, MANIFEST, ONNX, Manifest, read_manifest
from worker.pipeline.framing import UTKFACE

FLOAT, HALF = 1, 10
_INT, _VARINT, _BYTES = 2, 0, 2


def network(
    side: int | None,
    outputs: int,
    *,
    batch: int | None = None,
    channels: int = 3,
    softmax: bool = True,
    number: int = FLOAT,
    inputs: Sequence[str] = ("images",),
    also: Sequence[str] = (),
) -> bytes:
    """The mean colour through one linear layer to `outputs` probabilities, of pictures `side` px large.

    Args:
        side: None for any.
        outputs: how many.
        batch: None for any.
        channels: of the pictures.
        softmax: False leaves the layer's own outputs.
        number: data type of inputs and outputs.
        inputs: names; what comes in is added up.
        also: values inside that are given out, too.
    """
    random = np.random.default_rng(outputs)
    kind = np.float16 if number == HALF else np.float32
    weight = random.normal(0, 2, (channels, outputs)).astype(kind)
    nodes = [
        _node("Sum", inputs, "images together"),
        _node("GlobalAveragePool", ["images together"], "pooled"),
        _node("Flatten", ["pooled"], "mean", axis=1),
        _node("Gemm", ["mean", "weight", "bias"], "logits"),
    ]
    if softmax:
        nodes.append(_node("Softmax", ["logits"], "probabilities", axis=1))
    last = "probabilities" if softmax else "logits"
    graph = [
        *(_field(1, node) for node in nodes),
        _field(2, b"tiny"),
        _field(5, _tensor("weight", weight, number)),
        _field(5, _tensor("bias", np.zeros(outputs, kind), number)),
        *(_field(11, _value(name, [batch, channels, side, side], number)) for name in inputs),
        *(_field(12, _value(name, [batch, outputs], number)) for name in (last, *also)),
    ]
    opset = _field(1, b"") + _field(2, 18)
    return _field(1, 10) + _field(8, opset) + _field(7, b"".join(graph))


def make_onnx_bundle(
    folder: Path,
    *,
    gender: bytes | None = None,
    age: bytes | None = None,
    allowed: str | None = "yes",
    **changes: Any,
) -> Manifest:
    """A bundle for crops of 64 px, by default of networks that can be used, with changes to its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, data in ((GENDER_ONNX, gender or network(32, 2)), (AGE_ONNX, age or network(64, 81))):
        (folder / name).write_bytes(data)
        files[name] = {"sha256": hashlib.sha256(data).hexdigest(), "dtype": "float32"}
    groups = [{"label": label, "low": low, "high": high} for label, low, high in AGE_GROUPS]
    use = {"commercial_use": {"allowed": allowed, "reason": "made up"}} if allowed else {}
    manifest = {
        "format": FORMAT,
        "name": folder.name,
        "architecture": ONNX,
        "features": None,
        "input": {"size": 64, "mean": [0.48, 0.46, 0.41], "std": [1.0, 1.0, 1.0]},
        "heads": {"gender": {"classes": ["female", "male"]}, "age": {"kind": "years", "groups": groups}},
        "framing": UTKFACE.model_dump(),
        "licence": "none: random numbers",
        **use,
        "files": files,
        **changes,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return read_manifest(folder)


def _varint(number: int) -> bytes:
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*data, number])


def _field(tag: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(tag << 3 | _VARINT) + _varint(value)
    return _varint(tag << 3 | _BYTES) + _varint(len(value)) + value


def _node(kind: str, takes: Sequence[str], gives: str, **integers: int) -> bytes:
    fields = [_field(1, name.encode()) for name in takes]
    fields += [_field(2, gives.encode()), _field(4, kind.encode())]
    for name, value in integers.items():
        fields.append(_field(5, _field(1, name.encode()) + _field(3, value) + _field(20, _INT)))
    return b"".join(fields)


def _tensor(name: str, values: np.ndarray[Any, Any], number: int) -> bytes:
    dims = b"".join(_field(1, length) for length in values.shape)
    return dims + _field(2, number) + _field(8, name.encode()) + _field(9, values.tobytes())


def _value(name: str, shape: Sequence[int | None], number: int) -> bytes:
    dims = (_field(2, b"N") if length is None else _field(1, length) for length in shape)
    form = b"".join(_field(1, dim) for dim in dims)
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, number) + _field(2, form)))
