"""Bundles on disk: read and checked down to the last tensor, and written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from shared.bundles.in_use import require_device
from shared.bundles.manifest import (
    INT8,
    MANIFEST,
    ONNX,
    TENSORS,
    AgeHead,
    Architecture,
    Manifest,
    read_verified_manifest,
    sha256_of,
)
from worker.pipeline.architectures import classifier_shapes, min_age_outputs, to_logits
from worker.pipeline.int8 import read_int8
from worker.pipeline.layers import Filled
from worker.pipeline.onnx import OnnxNetworks, read_networks
from worker.pipeline.runtime import CPU, EightBits, RuntimeName, runtimes
from worker.pipeline.tensors import Stored, check_tensors, read_tensors, write_tensors

if TYPE_CHECKING:
    from worker.pipeline.network import Network


class Weights:
    """The tensors of one of the known architectures.

    Args:
        architecture: which.
        tensors: as `classifier_shapes` names them, float32.

    Attributes:
        architecture: as given.
        age_outputs: outputs of the age head.
        tensor_count: how many tensors there are.
    """

    def __init__(self, architecture: Architecture, tensors: dict[str, NDArray[Any]]) -> None:
        self.architecture = architecture
        self.age_outputs = len(tensors["age.bias"])
        self.tensor_count = len(tensors)
        self._tensors = tensors

    def to_logits(self) -> Filled:
        """See `worker.pipeline.architectures.to_logits`."""
        return to_logits(self.architecture, self._tensors)

    def network(self) -> Network:
        """Torch's, of the same memory, in evaluation mode."""
        from worker.pipeline.network import filled_classifier

        return filled_classifier(self.architecture, self._tensors)

    def let_go(self) -> None:
        """Give the memory back; what was compiled of it has its own."""
        self._tensors = {}


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Weights ready to run.

    Attributes:
        manifest: what `manifest.json` says.
        weights: tensors of a known architecture, or two networks of ONNX.
        device: where they are to run.
        int8: its convolutions that may be computed in eight bits; None where nothing says so.
    """

    manifest: Manifest
    weights: Weights | OnnxNetworks
    device: str
    int8: EightBits | None = None

    @property
    def network(self) -> Network:
        """Torch's network, on the CPU.

        Raises:
            TypeError: an ONNX bundle has none.
        """
        if isinstance(self.weights, OnnxNetworks):
            raise TypeError(f"{self.manifest.name} has ONNX networks, and none of torch's")
        return self.weights.network()

    @property
    def runtimes(self) -> tuple[RuntimeName, ...]:
        """What it can run on here, the one that is fastest as a rule first.

        Raises:
            ModelUnavailable: see `worker.pipeline.runtime.runtimes`.
        """
        return ("openvino",) if isinstance(self.weights, OnnxNetworks) else runtimes(self.device)


def load_bundle(folder: Path, device: str = CPU) -> Bundle:
    """Load a bundle after checking its manifest, digests, tensor names, shapes, dtypes and values.

    Args:
        folder: holds `manifest.json` and the weights.
        device: where they are to run: `cpu` or `cuda:N`.

    Raises:
        ModelUnavailable: `bundle_not_found` (a file is missing), `bundle_format` (the manifest is not
            one), `bundle_sha256` (other bytes than the manifest names), `bundle_tensors` (not
            safetensors or ONNX, or not the tensors of this architecture), or, of ONNX,
            `device_unavailable` (not the CPU) and `runtime_unavailable` (without OpenVINO).
    """
    if not (folder / MANIFEST).is_file():
        raise ModelUnavailable(Code.BUNDLE_NOT_FOUND, f"no {MANIFEST} in {folder}")
    manifest, path = read_verified_manifest(folder), folder / TENSORS
    if manifest.architecture == ONNX:
        return Bundle(manifest, _onnx_networks(folder, manifest, device), device)
    try:
        weights = _weights_of(read_tensors(path), manifest.architecture, manifest)
    except ValueError as error:
        raise ModelUnavailable(Code.BUNDLE_TENSORS, f"{path}: {error}") from error
    if manifest.int8 is None:
        return Bundle(manifest, weights, device)
    return Bundle(manifest, weights, device, read_int8(folder / INT8, manifest.architecture))


def write_bundle(folder: Path, manifest: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Manifest:
    """Write a bundle; `files` of the manifest is filled in from the written bytes.

    Args:
        folder: made when missing.
        manifest: everything of the manifest but `files`.
        tensors: `features.*`, `gender.*` and `age.*`, all floating ones float16 or all float32.

    Raises:
        ModelUnavailable: `bundle_format` or `bundle_tensors` when the result would not load.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dtypes = {values.dtype.name for values in tensors.values() if values.dtype.kind == "f"}
    if len(dtypes) != 1:
        raise ModelUnavailable(
            Code.BUNDLE_TENSORS, f"floating tensors must have one dtype, not {sorted(dtypes)}"
        )
    path = folder / TENSORS
    write_tensors(path, tensors)
    entry = {"sha256": sha256_of(path), "dtype": dtypes.pop()}
    text = json.dumps({**manifest, "files": {TENSORS: entry}}, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return load_bundle(folder).manifest


def _onnx_networks(folder: Path, manifest: Manifest, device: str) -> OnnxNetworks:
    require_device(manifest, device)
    try:
        return read_networks({name: (folder / name).read_bytes() for name in manifest.weights}, manifest)
    except ImportError as error:
        message = f"the ONNX networks of {manifest.name} need OpenVINO, which is not installed"
        raise ModelUnavailable(Code.RUNTIME_UNAVAILABLE, message) from error
    except ValueError as error:
        raise ModelUnavailable(Code.BUNDLE_TENSORS, f"{folder}: {error}") from error


def _weights_of(tensors: dict[str, Stored], architecture: Architecture, manifest: Manifest) -> Weights:
    """The checked tensors; ValueError names the first thing that is wrong."""
    outputs = _age_outputs(tensors, manifest.heads.age)
    expected = classifier_shapes(architecture, outputs)
    return Weights(architecture, check_tensors(tensors, expected, manifest.files[TENSORS].dtype))


def _age_outputs(tensors: Mapping[str, Stored], head: AgeHead) -> int:
    bias = tensors["age.bias"].values if "age.bias" in tensors else None
    if bias is None or bias.ndim != 1:
        raise ValueError("age.bias is missing" if bias is None else f"age.bias has shape {list(bias.shape)}")
    least, outputs = min_age_outputs(head), len(bias)
    if (outputs < least) if head.kind == "years" else (outputs != least):
        at_least = "at least " if head.kind == "years" else ""
        raise ValueError(f"age.bias has {outputs} outputs; an age head of {head.kind} has {at_least}{least}")
    return outputs
