"""Bundles on disk: read and checked down to the last tensor, and written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from shared.bundles.in_use import require_device
from shared.bundles.manifest import MANIFEST, ONNX, TENSORS, Manifest, read_verified_manifest, sha256_of
from worker.pipeline.network import Network, min_age_outputs, on_meta
from worker.pipeline.onnx import OnnxNetworks, read_networks
from worker.pipeline.runtime import RuntimeName, runtimes


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Weights ready to run.

    Attributes:
        manifest: what `manifest.json` says.
        weights: a network in float32, in evaluation mode, on `device`, channels_last on the CPU; or two of
            ONNX.
        device: where they live.
    """

    manifest: Manifest
    weights: Network | OnnxNetworks
    device: torch.device

    @property
    def network(self) -> Network:
        """The torch network.

        Raises:
            TypeError: an ONNX bundle has none.
        """
        if isinstance(self.weights, OnnxNetworks):
            raise TypeError(f"{self.manifest.name} has ONNX networks, and none of torch's")
        return self.weights

    @property
    def runtimes(self) -> tuple[RuntimeName, ...]:
        """What it can run on here, the one that is fastest as a rule first."""
        return ("openvino",) if isinstance(self.weights, OnnxNetworks) else runtimes(self.device)


def load_bundle(folder: Path, device: torch.device) -> Bundle:
    """Load a bundle after checking its manifest, digests, tensor names, shapes, dtypes and values.

    Args:
        folder: holds `manifest.json` and the weights.
        device: where to put the weights.

    Raises:
        ModelUnavailable: `bundle_not_found` (a file is missing), `bundle_format` (the manifest is not
            one), `bundle_sha256` (other bytes than the manifest names), `bundle_tensors` (not
            safetensors or ONNX, or not the tensors of this architecture), or, of ONNX, `device_unavailable`
            (not the CPU) and `runtime_unavailable` (without OpenVINO).
    """
    if not (folder / MANIFEST).is_file():
        raise ModelUnavailable(Code.BUNDLE_NOT_FOUND, f"no {MANIFEST} in {folder}")
    manifest, path = read_verified_manifest(folder), folder / TENSORS
    if manifest.architecture == ONNX:
        return Bundle(manifest, _onnx_networks(folder, manifest, device), device)
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ModelUnavailable(Code.BUNDLE_TENSORS, f"{path} is not a safetensors file: {error}") from error
    try:
        network = _network_of(tensors, manifest)
    except ValueError as error:
        raise ModelUnavailable(Code.BUNDLE_TENSORS, f"{path}: {error}") from error
    if device.type == "cpu":
        network = network.to(memory_format=torch.channels_last)
    return Bundle(manifest, network.to(device), device)


def write_bundle(folder: Path, manifest: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Manifest:
    """Write a bundle; `files` of the manifest is filled in from the written bytes.

    Args:
        folder: made when missing.
        manifest: everything of the manifest but `files`.
        tensors: `features.*`, `gender.*` and `age.*`, all floating ones of one dtype.

    Raises:
        ModelUnavailable: `bundle_format` or `bundle_tensors` when the result would not load.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dtypes = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()}
    if len(dtypes) != 1:
        raise ModelUnavailable(
            Code.BUNDLE_TENSORS, f"floating tensors must have one dtype, not {sorted(map(str, dtypes))}"
        )
    path = folder / TENSORS
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    entry = {"sha256": sha256_of(path), "dtype": str(dtypes.pop()).removeprefix("torch.")}
    text = json.dumps({**manifest, "files": {TENSORS: entry}}, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    # safetensors makes files for their owner alone; a service often runs as somebody else.
    shutil.copymode(folder / MANIFEST, path)
    return load_bundle(folder, torch.device("cpu")).manifest


def _onnx_networks(folder: Path, manifest: Manifest, device: torch.device) -> OnnxNetworks:
    require_device(manifest, str(device))
    try:
        return read_networks({name: (folder / name).read_bytes() for name in manifest.weights}, manifest)
    except ImportError as error:
        message = f"the ONNX networks of {manifest.name} need OpenVINO, which is not installed"
        raise ModelUnavailable(Code.RUNTIME_UNAVAILABLE, message) from error
    except ValueError as error:
        raise ModelUnavailable(Code.BUNDLE_TENSORS, f"{folder}: {error}") from error


def _network_of(tensors: dict[str, Tensor], manifest: Manifest) -> Network:
    """The filled network; ValueError names the first thing that is wrong."""
    _check_heads(tensors, manifest)
    assert manifest.architecture != ONNX  # noqa: S101 - it has no tensors
    network = on_meta(manifest.architecture, int(tensors["age.bias"].shape[0]))
    expected = network.state_dict()
    missing, extra = sorted(expected.keys() - tensors.keys()), sorted(tensors.keys() - expected.keys())
    if missing:
        raise ValueError(f"{len(missing)} tensors are missing, the first is {missing[0]}")
    if extra:
        raise ValueError(f"{len(extra)} tensors are not of this architecture, the first is {extra[0]}")
    dtype = manifest.files[TENSORS].dtype
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            raise ValueError(f"{name} has shape {list(tensor.shape)}, not {list(expected[name].shape)}")
        if not tensor.is_floating_point():
            if expected[name].is_floating_point():
                raise ValueError(f"{name} is {tensor.dtype}, not {dtype}")
            continue
        if str(tensor.dtype) != f"torch.{dtype}":
            raise ValueError(f"{name} is {tensor.dtype}, the manifest says {dtype}")
        if not torch.isfinite(tensor.sum(dtype=torch.float32)):  # a NaN or an infinity stays one in a sum
            raise ValueError(f"{name} holds values that are not finite")
    floats = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    network.load_state_dict(floats, assign=True)
    return network.requires_grad_(False).eval()


def _check_heads(tensors: dict[str, Tensor], manifest: Manifest) -> None:
    bias = tensors.get("age.bias")
    if bias is None or bias.ndim != 1:
        raise ValueError("age.bias is missing" if bias is None else f"age.bias has shape {list(bias.shape)}")
    head = manifest.heads.age
    least, outputs = min_age_outputs(head), int(bias.shape[0])
    if (outputs < least) if head.kind == "years" else (outputs != least):
        at_least = "at least " if head.kind == "years" else ""
        raise ValueError(f"age.bias has {outputs} outputs; an age head of {head.kind} has {at_least}{least}")
